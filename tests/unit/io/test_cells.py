"""The one text that each logged value has in a CSV file."""

import csv
import io
import json
import math
import struct

import numpy as np
import pytest
from caduceus.io.cells import canonical, cell, parse, render, without_formula
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("logged", "text"),
    [
        ("1", "1"),
        ("-7", "-7"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("0.1", "0.1"),
        ("1e-05", "1e-05"),
        ("0.00001", "1e-05"),
        ("9007199254740993", "9007199254740993"),
        ("1e+21", "1e+21"),
        ("1E21", "1e+21"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ('"NaN"', '"NaN"'),
        ('"-Infinity"', '"-Infinity"'),
        ("true", "true"),
        ('"true"', '"true"'),
        ("null", "null"),
        ('""', '""'),
        ('"1.5"', '"1.5"'),
        ('"a, b\\n\\"c\\""', 'a, b\n"c"'),
        ('"[x"', '"[x"'),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ("[1.0, 2, NaN]", "[1,2,NaN]"),
        ('{"b": 1.0, "a": "x"}', '{"a":"x","b":1}'),
    ],
)
def test_the_documented_rendering(logged: str, text: str) -> None:
    assert cell(logged) == text


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab."), below, max_size=3),
)


@given(values)
def test_every_value_comes_back_from_its_cell(value: object) -> None:
    text = cell(json.dumps(value))
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow([text, "end"])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))

    assert row == [text, "end"]
    assert same(parse(text), value)


@given(values)
def test_a_value_and_its_json_have_one_text(value: object) -> None:
    assert render(value) == ("" if value is None else cell(json.dumps(value)))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_kept_to_the_last_bit(value: float) -> None:
    expected = value if value else 0.0  # the sign of zero isn't kept by W&B's server either
    assert struct.pack("d", float(parse(cell(json.dumps(value))))) == struct.pack("d", expected)


def same(found: object, value: object) -> bool:
    """Equal, with whole floats as the numbers they are, and NaN equal to itself."""
    if isinstance(value, float) and math.isnan(value):
        return isinstance(found, float) and math.isnan(found)
    if isinstance(value, list):
        return isinstance(found, list) and all(map(same, found, value)) and len(found) == len(value)
    if isinstance(value, dict):
        return (
            isinstance(found, dict)
            and list(found) == sorted(value)
            and all(same(found[key], value[key]) for key in value)
        )
    return found == value and isinstance(found, bool) == isinstance(value, bool)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_number_of_numpy_is_written_as_the_number_that_it_is(kind: type) -> None:
    for number in (-22.51270861126543, 0.1, 1e-05, 1e21, 3.0, math.inf):
        value = kind(number)
        assert render(value) == render(value.item())
        assert parse(render(value)) == value.item()
    assert render(kind(math.nan)) == "NaN"
    assert render([kind(0.5), {"a": kind(-2)}]) == '[0.5,{"a":-2}]'


def test_integers_and_booleans_of_numpy_are_written_as_those_of_python() -> None:
    assert [render(np.int64(-7)), render(np.uint8(255))] == ["-7", "255"]
    assert [render(np.bool_(True)), render(np.bool_(False))] == ["true", "false"]


def test_large_integers_are_floats_only_beside_a_server() -> None:
    value = {"b": [2**70 + 1, 1.0], "a": -(10**30)}
    assert canonical(value) == {"a": -1e30, "b": [float(2**70), 1]}
    assert canonical(value, are_integers_exact=True) == {"a": -(10**30), "b": [2**70 + 1, 1]}


@pytest.mark.parametrize("value", ["=1+1", "+a", "-a", "@a", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(value: str) -> None:
    assert without_formula(value) == f"'{value}"


@pytest.mark.parametrize("value", ["a=1", "", "'=1", -1, -0.5, None, True, ["=1"]])
def test_other_values_stay(value: object) -> None:
    assert without_formula(value) == value
