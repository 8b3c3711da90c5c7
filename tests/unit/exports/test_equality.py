"""Every difference between two exports of a run is named, and nothing else is."""

import csv
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from caduceus.exports.equality import differences
from caduceus.exports.run import VOLATILE, VOLATILE_VALUES, export_logs
from caduceus.wandb_log import LogWriter
from caduceus.wandb_log.records import HISTORY, SUMMARY
from caduceus.wandb_log.wire import encode
from caduceus.wandb_log.writing import ARTIFACT, CONFIG, EXIT, RUN, STATS, write_items
from hypothesis import given, settings
from hypothesis import strategies as st
from run_files import summary as run_summary

CONTENT_MD5 = "mgNkuembtIDdJeHwKEyFVQ=="  # of "content"
START = 1_800_000_000


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two exports of one log: five rows, two samples, a picture, two artifacts."""
    log = tmp_path / "wandb/offline-run-1-abc/run-abc.wandb"
    picture = log.parent / "files/media/images/a.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    (log.parent / "content.txt").write_text("content")
    entry = {"path": "a/b.txt", "digest": CONTENT_MD5, "size": 7}
    entry["local_path"] = os.fspath(log.parent / "content.txt")
    run = {"run_id": "abc", "entity": "alice", "project": "p", "tags": ["x"], "notes": "n"}
    with LogWriter(log) as writer:
        writer.append(RUN, encode("Run", run | {"start_time": {"seconds": START}}))
        writer.append(CONFIG, write_items([(["lr"], "0.5"), (["deep"], '{"a": [1, null]}')]))
        for step in range(5):
            row = {"loss": f"{step}.5", "_timestamp": f"{START + step}.25", "_runtime": f"{step}"}
            row |= {"text": '"a,b"'} if step == 3 else {}
            items = [(["_step"], str(step)), *(([name], text) for name, text in row.items())]
            writer.append(HISTORY, write_items(items))
        for second in (1, 2):
            items = [{"key": "cpu", "value_json": str(second)}]
            stamp = {"seconds": START + second}
            writer.append(STATS, encode("Stats", {"timestamp": stamp, "item": items}))
        writer.append(SUMMARY, write_items([(["best"], "0.5"), (["_runtime"], "5")]))
        for name in ("data", "model"):
            about = {"name": name, "type": "t", "digest": f"digest of {name}", "aliases": ["v0"]}
            about |= {"metadata": '{"k": 1}', "manifest": {"contents": [entry]}}
            writer.append(ARTIFACT, encode("Artifact", about))
        writer.append(EXIT, encode("Exit", {"exit_code": 0, "runtime": 5}))
    export_logs([log], tmp_path / "here")
    assert len(list((tmp_path / "here").rglob("*.*"))) == 7
    # Not what export_logs would write again: its files are links to the same ones.
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    return tmp_path / "here", tmp_path / "there"


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def change(folder: Path, *keys: str, to: Any) -> None:
    """Set a value of run_summary.json, or take it away."""
    path = folder / "run_summary.json"
    summary = value = json.loads(path.read_text())
    for key in keys[:-1]:
        value = value[key]
    if to is None:
        del value[keys[-1]]
    else:
        value[keys[-1]] = to
    path.write_text(json.dumps(summary))


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


Sides = tuple[Path, Path]


def test_the_same_is_the_same(sides: Sides) -> None:
    assert differences(*sides) == []
    assert differences(*sides, with_times=False) == []


@pytest.mark.parametrize(
    ("place", "table", "key"),
    [(3, "metrics_history.csv", "_step 2"), (2, "system_metrics.csv", f"_timestamp {START + 2}")],
)
def test_a_row_that_one_side_lacks_is_named(sides: Sides, place: int, table: str, key: str) -> None:
    here, there = sides
    lines = lines_of(there / table)
    (there / table).write_text("".join(lines[:place] + lines[place + 1 :]))
    assert differences(here, there) == [f"{table}: 1 rows are only here, the first at {key}"]
    assert differences(there, here) == [
        f"{table}: 1 rows are only on the server, the first at {key}"
    ]


def test_a_row_that_came_twice_is_named(sides: Sides) -> None:
    here, there = sides
    table = there / "metrics_history.csv"
    lines = lines_of(table)
    table.write_text("".join([*lines[:3], lines[2], *lines[3:]]))
    assert differences(here, there) == [
        "metrics_history.csv: 1 rows are only on the server, the first at _step 1"
    ]


def test_the_first_of_the_missing_rows_is_that_of_the_lowest_step(sides: Sides) -> None:
    here, there = sides
    table = here / "metrics_history.csv"
    table.write_text("_step,loss\n10,1\n9,1\n")
    (there / table.name).write_text("_step,loss\n")
    assert differences(here, there) == [
        "metrics_history.csv: 2 rows are only here, the first at _step 9"
    ]


def test_a_cell_that_differs_is_named(sides: Sides) -> None:
    here, there = sides
    replace(there / "metrics_history.csv", "3.5,", "3.25,")
    replace(there / "metrics_history.csv", "4.5,", f"{'long' * 30},")
    assert differences(here, there) == [
        "metrics_history.csv: 2 values differ, the first is loss at _step 3: 3.5 here, 3.25 on the "
        "server"
    ]
    replace(there / "metrics_history.csv", "3.25,", ",")
    (line,) = differences(there, here)
    assert line.endswith("nothing here, 3.5 on the server")


def test_a_column_that_one_side_lacks_is_named(sides: Sides) -> None:
    here, there = sides
    for name in ("metrics_history.csv", "system_metrics.csv"):
        with (there / name).open(newline="") as stream:
            rows = [row[:1] + row[2:] for row in csv.reader(stream)]
        with (there / name).open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)
    assert differences(here, there) == [
        "metrics_history.csv: 5 values differ, the first is loss at _step 0: 0.5 here, nothing on "
        "the server",
        f"system_metrics.csv: 2 values differ, the first is _runtime at _timestamp {START + 1}: "
        "1 here, nothing on the server",
    ]


def test_a_system_metric_that_differs_is_named(sides: Sides) -> None:
    here, there = sides
    replace(there / "system_metrics.csv", ",2\n", ",7\n")
    assert differences(here, there) == [
        f"system_metrics.csv: 1 values differ, the first is system.cpu at _timestamp {START + 2}: "
        "2 here, 7 on the server"
    ]


def test_times_are_compared_only_if_they_are_to_be(sides: Sides) -> None:
    here, there = sides
    replace(there / "metrics_history.csv", f"{START + 2}.25", f"{START + 2}.5")
    (there / "system_metrics.csv").unlink()
    shutil.copy(here / "metrics_history.csv", there / "system_metrics.csv")
    assert differences(here, there, with_times=False) == []
    assert len(differences(here, there)) > 1
    replace(there / "metrics_history.csv", "2.5,", "2.75,")
    (line,) = differences(here, there, with_times=False)
    assert line.startswith("metrics_history.csv: 1 values differ, the first is loss at _step 2")


@pytest.mark.parametrize("name", ["media/images/a.png", "artifacts/model/a/b.txt"])
def test_a_file_is_named_by_the_side_it_is_on(sides: Sides, name: str) -> None:
    here, there = sides
    (there / name).write_bytes(b"other")
    assert differences(here, there) == [f"{name}: differs"]
    (there / name).unlink()
    assert differences(here, there) == [f"{name}: only here"]
    assert differences(there, here) == [f"{name}: only on the server"]
    shutil.rmtree(there / name.partition("/")[0])
    assert f"{name}: only here" in differences(here, there)
    assert differences(here, there, with_files=False) == []


@pytest.mark.parametrize(
    ("keys", "value", "line"),
    [
        (("config", "lr"), 0.25, "config.lr: 0.5 here, 0.25 on the server"),
        (("config", "lr"), None, "config.lr: 0.5 here, nothing on the server"),
        (("config", "new"), [1], "config.new: nothing here, [1] on the server"),
        (("config", "lr"), True, "config.lr: 0.5 here, True on the server"),
        (("config", "deep", "a"), [1], "config.deep.a: [1, None] here, [1] on the server"),
        (("config", "deep"), 1, "config.deep: {'a': [1, None]} here, 1 on the server"),
        (("summary", "best"), 0.75, "summary.best: 0.5 here, 0.75 on the server"),
        (("summary", "best"), float("nan"), "summary.best: 0.5 here, nan on the server"),
        (("tags",), ["x", "y"], "tags: ['x'] here, ['x', 'y'] on the server"),
        (("tags",), [], "tags: ['x'] here, [] on the server"),
        (("notes",), "", "notes: n here, nothing on the server"),
        (("state",), "failed", "state: finished here, failed on the server"),
        (("git", "commit"), "abc", "git.commit: nothing here, abc on the server"),
    ],
)
def test_a_value_of_the_summary_is_named(
    sides: Sides, keys: tuple[str, ...], value: Any, line: str
) -> None:
    here, there = sides
    change(there, *keys, to=value)
    assert differences(here, there) == [line]
    assert len(differences(there, here)) == 1


def test_a_number_is_no_text(sides: Sides) -> None:
    here, there = sides
    change(there, "config", "lr", to="0.5")
    (line,) = differences(here, there)
    assert line.startswith("config.lr: ")


def test_nan_is_nan(sides: Sides) -> None:
    for folder in sides:
        change(folder, "summary", "best", to=float("nan"))
    assert differences(*sides) == []


def artifacts(folder: Path, **changes: Any) -> None:
    """Change what run_summary.json says of the artifact `model`."""
    path = folder / "run_summary.json"
    summary = json.loads(path.read_text())
    summary["artifacts"][1] |= changes
    path.write_text(json.dumps(summary))


def test_what_is_said_of_an_artifact_is_compared_but_for_its_aliases(sides: Sides) -> None:
    here, there = sides
    for aliases in ([], ["latest", "v3"], ["latest", "somebody-elses", "v0"]):
        artifacts(there, aliases=aliases)
        assert differences(here, there) == []
    artifacts(there, metadata={"k": 2}, type="u")
    assert differences(here, there) == [
        "artifacts.model digest of model.type: t here, u on the server",
        "artifacts.model digest of model.metadata.k: 1 here, 2 on the server",
    ]
    artifacts(there, metadata={"k": 1}, type="t", digest="other")
    found = differences(here, there)
    assert [line.partition(": ")[0] for line in found] == [
        "artifacts.model digest of model",
        "artifacts.model other",
    ]
    assert found[0].endswith("nothing on the server") and ": nothing here" in found[1]


def test_the_order_of_artifacts_is_all_the_same(sides: Sides) -> None:
    here, there = sides
    path = there / "run_summary.json"
    summary = json.loads(path.read_text())
    summary["artifacts"].reverse()
    path.write_text(json.dumps(summary))
    assert differences(here, there) == []
    summary["used_artifacts"] = [summary["artifacts"].pop()]
    path.write_text(json.dumps(summary))
    found = differences(here, there)
    assert [line.partition(" ")[0] for line in found] == ["artifacts.data", "used_artifacts.data"]


@pytest.mark.parametrize("name", VOLATILE)
def test_what_is_volatile_is_left_out(sides: Sides, name: str) -> None:
    here, there = sides
    change(there, name, to=9.5 if name == "runtime_s" else "other")
    assert differences(here, there) == []
    for place in ("config", "summary"):  # a program may call its own so
        change(there, place, name, to="other")
    assert differences(here, there) == [
        f"{place}.{name}: nothing here, other on the server" for place in ("config", "summary")
    ]


@pytest.mark.parametrize("name", VOLATILE_VALUES)
def test_values_that_are_volatile_are_left_out(sides: Sides, name: str) -> None:
    here, there = sides
    change(there, "summary", name, to="other")
    assert differences(here, there) == []


def test_cells_may_be_long(sides: Sides) -> None:
    here, there = sides
    for folder in sides:
        replace(folder / "metrics_history.csv", '"a,b"', "x" * 200_000)
    replace(there / "metrics_history.csv", "2.5,", "2.75,")
    assert len(differences(here, there)) == 1


steps = st.integers(0, 3)
cells = st.sampled_from(["", "1", "2"])
tables = st.lists(st.tuples(steps, cells, cells), max_size=4)


def written(folder: Path, rows: Sequence[tuple[Any, ...]]) -> bytes:
    path = folder / "metrics_history.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([("_step", "a", "b"), *rows])
    return path.read_bytes()


@pytest.mark.slow
@given(tables, tables)
@settings(max_examples=300, deadline=None)
def test_tables_are_the_same_if_their_bytes_are(
    tmp_path_factory: pytest.TempPathFactory,
    one: list[tuple[Any, ...]],
    other: list[tuple[Any, ...]],
) -> None:
    folder = tmp_path_factory.getbasetemp() / "equality"
    here, there = folder / "here", folder / "there"
    for side in (here, there):
        side.mkdir(parents=True, exist_ok=True)
        run_summary("r").write(side / "run_summary.json")
        (side / "system_metrics.csv").write_text("_timestamp\n")
    is_same = written(here, one) == written(there, other)
    assert (differences(here, there) == []) == is_same
