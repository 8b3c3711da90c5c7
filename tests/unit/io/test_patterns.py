"""Patterns of files mean the same with every Python."""

from pathlib import Path

import pytest
from caduceus.io.patterns import matching_paths


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src/deep").mkdir(parents=True)
    for name in ("src/a.py", "src/deep/b.py"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("src/*.py", ["src/a.py"]),
        ("src/**/*.py", ["src/a.py", "src/deep/b.py"]),
        ("src/**", ["src/a.py", "src/deep", "src/deep/b.py"]),
        ("other/*", []),
    ],
)
def test_what_a_pattern_matches(tree: Path, pattern: str, names: list[str]) -> None:
    assert [path.relative_to(tree).as_posix() for path in matching_paths(tree, pattern)] == names


@pytest.mark.parametrize("pattern", ["src/**.py", "a**/*.py", "src/***", "", "/src/*.py"])
def test_an_invalid_pattern_is_refused(tree: Path, pattern: str) -> None:
    with pytest.raises(ValueError):
        matching_paths(tree, pattern)
