"""Names from outside become files only if they are safe."""

import pytest
from caduceus.io.names import is_safe_name, is_safe_path, quoted

SAFE = [
    "a",
    "run-1_2.3",
    "a b",
    "äöü",
    "...",
    "..a",
    ".hidden",
    "a\\b",
    "console",
    "x" * 255,
    "{a}",
]
UNSAFE = [
    *("", ".", "..", "/", "a/b", "../x", "/abs", "a\0b", "a\nb", "a\rb", "\x1b[2J", "\x7f", "\x85"),
    *("a\u2028b", "\ud800", "x" * 256, "ä" * 128, "CON", "nul", "Aux.txt", "com1", "LPT9.tar.gz"),
]


@pytest.mark.parametrize("name", SAFE)
def test_a_name_that_stays_in_its_folder_is_safe(name: str) -> None:
    assert is_safe_name(name)
    assert is_safe_path(name)
    assert is_safe_path(f"below/{name}/file")


@pytest.mark.parametrize("name", UNSAFE)
def test_a_name_that_could_hurt_is_not(name: str) -> None:
    assert not is_safe_name(name)
    assert not is_safe_path(f"below/{name}/..")
    assert is_safe_path(name) == (name == "a/b")
    assert not is_safe_path(f"a//{name}")


def test_a_name_in_a_message_is_short_and_of_one_line() -> None:
    assert quoted("a\nb\x1b") == r"'a\nb\x1b'"
    assert len(quoted("x" * 300)) < 70
