"""Dictionaries in rows and summary have one form, whichever wandb wrote them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from caduceus.exports import history as exports_history
from caduceus.exports.equality import differences
from caduceus.exports.run import export_logs
from caduceus.io.files import read_json
from caduceus.wandb_log import Row, read_log
from wandb_logs import Keys, framed, history, summary

IMAGE = {"_type": "image-file", "path": "media/images/a.png", "size": 3}
# Rows that wandb 0.16.6 (OLD) and 0.31.0 (NEW) wrote for the same calls of `run.log`.
OLD: list[Mapping[Keys, str]] = [
    {
        ("_step",): "0",
        ("nest",): '{"a": 1, "b.c": {"d": NaN, "e": [1, {"f": 2.0}]}, "empty": {}, "t": "x{"}',
        ("dot.key",): "2",
        ("e",): "{}",
        ("5",): '{"6": {"7": null}}',
        ("val",): json.dumps({"image": IMAGE | {"artifact_path": "wandb-client-artifact://x/y"}}),
        ("loss",): "3",
    },
    {("_step",): "1", ("nest",): '{"a": 2}'},
]
NEW: list[Mapping[Keys, str]] = [
    {
        ("_step",): "0",
        ("nest", "a"): "1",
        ("nest", "b.c", "d"): "NaN",
        ("nest", "b.c", "e"): '[1,{"f":2}]',
        ("nest", "t"): '"x{"',
        ("dot.key",): "2",
        ("5", "6", "7"): "null",
        **{("val", "image", key): json.dumps(value) for key, value in IMAGE.items()},
        ("val", "image", "artifact_path"): '"wandb-client-artifact://x/y"',
        ("loss",): "3",
    },
    {("_step",): "1", ("nest", "a"): "2"},
]
LATEST: Mapping[Keys, str] = {
    ("nest", "a"): "2",
    ("nest", "b.c", "d"): "NaN",
    ("nest", "b.c", "e"): '[1,{"f":2}]',
    ("nest", "t"): '"x{"',
    **{("val", "image", key): json.dumps(value) for key, value in IMAGE.items()},
    ("loss",): "3",
    ("_step",): "1",
}
# Without `define_metric` the last dictionary stands for all; with it there is none.
OLD_SUMMARIES = {
    "plain": {("nest",): '{"a": 2}', ("val",): json.dumps({"image": IMAGE}), ("loss",): "3"},
    "defined": {("loss",): "3"},
}


def write(path: Path, rows: list[Mapping[Keys, str]], values: Mapping[Keys, str]) -> Path:
    records = [history(number, row) for number, row in enumerate(rows, 1)]
    path.parent.mkdir()
    path.write_bytes(framed([*records, summary(len(rows) + 1, values)]))
    return path


@pytest.mark.parametrize("limit", [0, sys.maxsize])
@pytest.mark.parametrize("kind", OLD_SUMMARIES)
def test_a_dictionary_is_exported_alike_whichever_wandb_wrote_it(
    tmp_path: Path, kind: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_history, "_LARGE_LOG", limit)  # read by numpy, or row by row
    old = write(tmp_path / "old/run-a.wandb", OLD, OLD_SUMMARIES[kind] | {("_step",): "1"})
    new = write(tmp_path / "new/run-a.wandb", NEW, LATEST)
    export_logs([old], tmp_path / "a/run")
    export_logs([new], tmp_path / "b/run")
    assert differences(tmp_path / "a/run", tmp_path / "b/run") == []
    found = read_json(tmp_path / "a/run/run_summary.json")["summary"]
    assert (found["nest"]["a"], found["nest"]["t"]) == (2, "x{")
    assert found["val"]["image"] == IMAGE


def test_rows_are_split_wherever_they_are_read(tmp_path: Path) -> None:
    def plain(rows: list[Row]) -> list[dict[str, str]]:
        return [{name: text for name, text in row.items() if text != "NaN"} for row in rows]

    old = plain(read_log(write(tmp_path / "old/run-a.wandb", OLD, {})).history)
    new = plain(read_log(write(tmp_path / "new/run-a.wandb", NEW, {})).history)
    assert [row.keys() for row in old] == [row.keys() for row in new]
    assert (old[0]["nest.a"], old[1]["nest.a"], old[0]["val.image.size"]) == ("1", "2", "3")


def test_a_value_that_replaced_a_dictionary_stays(tmp_path: Path) -> None:
    rows: list[Mapping[Keys, str]] = [
        {("_step",): "0", ("x",): '{"a": 1}', ("m",): '{"x": 3}'},
        {("_step",): "1", ("x",): "5"},
    ]
    values: Mapping[Keys, str] = {("x",): "5", ("m",): '{"x": {"max": 3}}'}
    export_logs([write(tmp_path / "old/run-a.wandb", rows, values)], tmp_path / "a/run")
    found = read_json(tmp_path / "a/run/run_summary.json")["summary"]
    assert (found["x"], found["m"]) == (5, {"x": {"max": 3}})


@pytest.mark.parametrize("text", ["{", '{"a": ', '{"a":' * 2000])
def test_a_damaged_dictionary_is_one_value(tmp_path: Path, text: str) -> None:
    row: Mapping[Keys, str] = {("_step",): "0", ("x",): text}
    (found,) = read_log(write(tmp_path / "old/run-a.wandb", [row], {})).history
    assert found["x"] == text
