"""JSON files: what is damaged is one line that names it, what is unknown is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from caduceus.errors import ResultError
from caduceus.io.files import Json, read_if_there, read_json
from caduceus.io.json_records import Record
from caduceus.runs.goal import Goal


@dataclass(frozen=True, kw_only=True)
class Part(Record):
    number: int
    size: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Whole(Record):
    name: str
    is_good: bool | None
    parts: tuple[Part, ...]
    sizes: Mapping[str, tuple[float, ...]]
    anything: Json = None
    first: Part | None = None
    hint: str | None = None

    optional = ("hint",)
    mend = "delete it"


TEXT = """{
  "name": "é",
  "is_good": null,
  "parts": [
    {
      "number": 1,
      "size": 2
    }
  ],
  "sizes": {
    "a": [
      1,
      NaN
    ]
  },
  "anything": {
    "b": [
      true
    ]
  },
  "first": null
}
"""


def test_a_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(TEXT)
    whole = Whole.read(tmp_path / "a.json")
    whole.write(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_text() == TEXT
    assert whole.parts == (Part(number=1, size=2),)


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"later": [1], "number": 1}')
    part = Part.read(tmp_path / "a.json")
    replace(part, number=2).write(tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == {"number": 2, "size": 0.0, "later": [1]}


def test_keys_stay_in_their_order() -> None:
    """A plan holds a user's file with its keys in the order that the user wrote."""
    part = Part.from_json({"size": 1.0, "later": 3, "number": 1})
    assert list(part.to_json()) == ["size", "later", "number"]
    assert list(replace(part, number=2).to_json()) == ["size", "later", "number"]
    assert part == Part(number=1, size=1.0, unknown={"later": 3})


def test_a_whole_number_may_have_a_point() -> None:
    """JSON has one kind of number, and users write 1e4."""
    assert Part.from_json({"number": 10000.0}).number == 10000


@dataclass(frozen=True, kw_only=True)
class Choice(Record):
    goal: Goal


def test_a_word_is_one_of_its_enumeration() -> None:
    choice = Choice.from_json({"goal": "minimize"})
    assert choice.goal is Goal.MINIMIZE
    assert choice.to_json() == {"goal": "minimize"}
    assert yaml.safe_dump(choice.to_json()) == "goal: minimize\n"
    with pytest.raises(ValueError, match='goal is "best", not maximize or minimize'):
        Choice.from_json({"goal": "best"})


def test_a_file_may_hold_a_list(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    assert Part.read_list(path) == []
    path.write_text('[{"number": 1}, {"number": 2}]')
    assert [part.number for part in Part.read_list(path)] == [1, 2]
    wrong = {
        "": "not JSON (empty file)",
        "{}": "the file is {}, not a list",
        '[{"number": 1}, {}]': "[1].number is missing",
    }
    for text, message in wrong.items():
        path.write_text(text)
        with pytest.raises(ResultError) as error:
            Part.read_list(path)
        assert str(error.value) == f"{path}: {message}; {Part.mend}"


def test_a_value_may_be_left_out_of_the_file() -> None:
    whole = Whole(name="a", is_good=True, parts=(), sizes={})
    assert "hint" not in whole.to_json()
    assert replace(whole, hint="b").to_json()["hint"] == "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON (empty file)"),
        (" \n", "not JSON (empty file)"),
        ('{"number"', "not JSON (Expecting ':' delimiter, line 1)"),
        (TEXT[:-20], "not JSON (Expecting ',' delimiter, line 20)"),
        ("[1]", "the file is [1], not an object"),
        ("3", "the file is 3, not an object"),
        (TEXT.replace('"name"', '"nom"'), "name is missing"),
        (TEXT.replace('"é"', "1"), "name is 1, not text"),
        (TEXT.replace('"is_good": null', '"is_good": 1'), "is_good is 1, not true or false"),
        (
            TEXT.replace('"number": 1', '"number": 1.5'),
            "parts[0].number is 1.5, not a whole",
        ),
        (TEXT.replace('"number": 1', '"number": true'), "parts[0].number is true, not a whole"),
        (TEXT.replace('"size": 2', '"size": true'), "parts[0].size is true, not a number"),
        (TEXT.replace("NaN", '"x"'), 'sizes.a[1] is "x", not a number'),
        (TEXT.replace('"first": null', '"first": []'), "first is [], not an object"),
        (TEXT.replace('"sizes": {', '"sizes": [], "x": {'), "sizes is [], not an object"),
        (TEXT.replace('"parts": [', '"parts": {}, "x": ['), "parts is {}, not a list"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ResultError) as error:
        Whole.read(path)
    line = str(error.value)
    assert line.startswith(f"{path}: {message}")
    assert line.endswith("; delete it")
    assert "\n" not in line


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultError, match=r"not JSON .*; delete it, and the next `snakemake`"):
        read_json(tmp_path / "a.json")


def test_only_an_object_is_read_as_one(tmp_path: Path) -> None:
    assert read_if_there(tmp_path / "a.json") == {}
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ResultError, match="not a JSON object; restore it"):
        read_if_there(tmp_path / "a.json", "restore it")
