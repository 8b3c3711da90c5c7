"""Names in messages can be pasted, and control characters aren't obeyed."""

import ast
from contextlib import nullcontext

import pytest
import yaml
from caduceus.io.phrases import pasted, printable
from caduceus.io.validation import suggestion


@pytest.mark.parametrize(
    "name", [r"val\.acc", r"a\\b", "it's", "both ' and \"", "a\nb", "\x1b[2J", "été", "a: b", r"\'"]
)
def test_a_name_is_read_by_yaml_and_python_as_it_is(name: str) -> None:
    text = pasted(name)
    assert yaml.safe_load(f"metric: {text}") == {"metric": name}
    assert "\n" not in text and text.isprintable()
    with pytest.warns() if r"\." in name else nullcontext():
        assert ast.literal_eval(text) == name


def test_a_hint_has_no_doubled_backslash() -> None:
    assert suggestion("val.acc", [r"val\.acc", "loss"]) == r", did you mean 'val\.acc'?"


def test_control_characters_are_shown() -> None:
    assert printable("a\x1b[2J\x9b\u202e\ud800é–\n") == "a\\x1b[2J\\x9b\\u202e\\ud800é–\n"
