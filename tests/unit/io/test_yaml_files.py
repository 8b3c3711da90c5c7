"""Values that can't be made name the user's file and line; what can is exact."""

import math
from pathlib import Path

import caduceus
import pytest
from caduceus.errors import SpecError
from caduceus.io.validation import validate
from caduceus.io.yaml_files import as_number, load


def bomb(merges: bool) -> bytes:
    """Nine of nine of nine … of one value."""
    lines = ["b0: &b0 {x: 1}" if merges else "b0: &b0 [1]"]
    for level in range(1, 20):
        aliases = ", ".join([f"*b{level - 1}"] * 9)
        lines.append(
            f"b{level}: &b{level} " + (f"{{<<: [{aliases}]}}" if merges else f"[{aliases}]")
        )
    return "\n".join(lines).encode()


DIGITS = b"9" * 5000
QUOTE = "put it in quotes"
REFUSED: dict[bytes, str] = {
    b"a: 1\nb: 2020-13-45": f"2: 2020-13-45 can't be read as a date: {QUOTE}",
    b"a: 1\n2020-13-45: 2": f"2: 2020-13-45 can't be read as a date: {QUOTE}",
    b"a: [1,\n " + DIGITS + b"]": f"2: {'9' * 57}... can't be read as a whole number: {QUOTE}",
    b"a: 0x" + DIGITS: f"1: 0x{'9' * 55}... can't be read as a whole number: {QUOTE}",
    b"a: !!int x": f"1: x can't be read as a whole number: {QUOTE}",
    b"a: !!int ''": "1: can't be read as a whole number",
    b"a: !!float x": f"1: x can't be read as a number: {QUOTE}",
    b"a: !!bool maybe": f"1: maybe can't be read as true or false: {QUOTE}",
    b"a: !!timestamp x": f"1: x can't be read as a date: {QUOTE}",
    b"a: 1\nb: !!python/object/apply:os.system [ls]": "2: not YAML: could not determine a constr",
    b"a: !mine 1": "1: not YAML: could not determine a constructor for the tag '!mine'",
    b"a: 1\nb: &a [*a]": "2: an alias contains itself: remove it",
    b"a: &a {b: {c: *a}}": "1: an alias contains itself: remove it",
    b"a: &a {<<: *a}": "1: an alias contains itself: remove it",
    bomb(merges=False): "6: aliases make this more than 50,000 values; use fewer",
    bomb(merges=True): "6: aliases make this more than 50,000 values; use fewer",
    b"a: [" + b"1," * 400_000 + b"1]": " has more than 50,000 values; split it",
    b"a: 1 #" + b" " * 1_000_000: " is larger than 1,000 kB; split it",
    b"a:\n  " + b"[" * 200 + b"]" * 200: "2: is nested more than 100 levels deep",
    b"a: " + b"[" * 100_000: "1: not YAML: exceeded maximum nesting depth",
    b"a: 1\non: 2": f"2: the key on isn't text: {QUOTE}",
    b"a: 1\n~: 2": f"2: the key ~ isn't text: {QUOTE}",
    b"a: {2020-01-01: 2}": f"1: the key 2020-01-01 isn't text: {QUOTE}",
    b"? [1, 2]\n: 3": f"1: the key of this line isn't text: {QUOTE}",
    b"0: 1\n'0': 2": "2: duplicate key '0': remove one",
    b"a: 1\nb: x\0y": "2: the character U+0000 isn't allowed in YAML: remove it",
    b"a: 1\nb: \xe9": "2: isn't UTF-8: save it in that encoding",
    "a: é".encode("utf-16"): "1: isn't UTF-8: save it in that encoding",
    b"a:\n\tb: 1": "2: not YAML: found character that cannot start any token; if it is a tab",
    b"<<: 3": "1: not YAML: expected a mapping or list of mappings for merging, but found scalar",
    b"a: 1\n---\nb: 2": "2: not YAML: but found another document; a file holds one; remove",
    b"a: 1\nb: 12:30:00": f"2: 12:30:00 is the number 45000 in YAML: {QUOTE}, or",
    b"a: [1:30.5]": f"1: 1:30.5 is the number 90.5 in YAML: {QUOTE}",
    b"a: [008, 009]": f"1: 008 is the number 8.0 in YAML: {QUOTE}",
    b"a: 1e400": f"1: 1e400 is the number inf in YAML: {QUOTE}",
    b"a: [1,\n -2.5e+999]": f"2: -2.5e+999 is the number -inf in YAML: {QUOTE}",
    b"a: {b: 1.5e-400}": f"1: 1.5e-400 is the number 0.0 in YAML: {QUOTE}",
    b"a: [-010]": f"1: -010 is the number -8 in YAML: {QUOTE}",
}


@pytest.mark.parametrize("content", REFUSED, ids=range(len(REFUSED)))
def test_what_can_not_be_read_is_one_line_with_its_place(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(SpecError) as refused:
        load(tmp_path / "x.yaml", "x.yaml")
    assert str(refused.value).startswith(f"x.yaml:{REFUSED[content]}")
    assert len(str(refused.value)) < 300


def test_numbers_are_exact_and_keys_are_as_written(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        f"\ufeffbig: [{2**63}, {2**70}, -{10**30}, {10**300}]\n"
        "schedule: {0: 0.1, 1000: 0.01, 0.5: 1, 1_0: 2, 010: 3, 12:30: 4}\n"
        "plain: [0, 0.5, -0.0, 00.5, 1_000, 0x10, '010', '12:30', 2:a]\n"
        "ends: [.inf, -.INF, 0e9, 0.0e-9, 0x0, 0b0, 1e308, 5e-324]\n"
    )
    source = load(tmp_path / "x.yaml", "x.yaml")
    assert source.value == {
        "big": [2**63, 2**70, -(10**30), 10**300],
        "schedule": {"0": 0.1, "1000": 0.01, "0.5": 1, "1_0": 2, "010": 3, "12:30": 4},
        "plain": [0, 0.5, -0.0, 0.5, 1000, 16, "010", "12:30", "2:a"],
        "ends": [math.inf, -math.inf, 0, 0, 0, 0, 1e308, 5e-324],
    }
    assert source.where(["schedule", "1000"]) == "x.yaml:2"
    # Snakemake reads config.yaml itself, with other types of keys.
    assert as_number({"a": [{0: 1, 0.5: 2, "x": 3}]}) == {"a": [{"0": 1, "0.5": 2, "x": 3}]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"defaults": {True: 1}}, "defaults: the key true isn't text: put it in quotes"),
        ({"paper": {"tables": {None: {}}}}, "paper.tables: the key null isn't text"),
        ({"defaults": {"x": [{1, 2}]}}, r"defaults.x\[0\]: found a set; put it in quotes"),
    ],
)
def test_what_json_lacks_is_refused_with_its_keys(config: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        validate(config, "config", lambda keys: "config.yaml")


def test_a_snakefile_ends_with_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    caduceus.check_config(str(config))  # Snakemake says that it is missing
    config.write_text("experiments: a.yaml\n")
    caduceus.check_config(str(config))
    config.write_text("experiments: a.yaml\ndefaults: {x: 2020-13-45}\n")
    with pytest.raises(SystemExit, match=rf"caduceus: {config}:2: 2020-13-45 can't be read as a"):
        caduceus.check_config(str(config))


def test_a_long_list_is_checked_for_duplicates_at_once() -> None:
    def refused(values: list[object]) -> str:
        given = {"id": "a", "type": "novel", "program": "x", "matrix": {"x": values}}
        with pytest.raises(SpecError) as error:
            validate(given, "experiment", str)
        return str(error.value)

    mixed: list[object] = [[n] if n % 2 else {"n": n} for n in range(40_000)]
    assert refused([*mixed, {"n": 2}]).endswith('matrix.x: duplicate value {"n": 2}; remove one')
    assert refused([True, 1, False, 0, 1.0]).endswith("matrix.x: duplicate value 1.0; remove one")
