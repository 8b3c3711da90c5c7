"""One run out of several segments, and one log out of them."""

import json
from pathlib import Path

import pytest
from caduceus.exports.run import export_logs
from caduceus.io.files import read_json
from caduceus.wandb_log import (
    LogError,
    find_logs,
    gaps,
    group_by_run,
    iter_run,
    read_log,
    stitch,
    write_stitched,
)
from caduceus.wandb_log.segments import Row
from caduceus.wandb_log.stitching import Part
from caduceus.wandb_log.summaries import must_be_replayed, replay, summary_of
from wandb_logs import field as wire
from wandb_logs import framed, history, record, summary


def segment(
    path: Path,
    steps: range | list[int],
    started: int = 0,
    resume: bool = False,
    starting_step: int = 0,
    run: str = "abc",
    **values: str,
) -> Path:
    """A segment of rows with metric `a`, the file's name in it."""
    about = wire(1, run) + wire(14, starting_step) + wire(17, wire(1, started)) + wire(24, resume)
    records = [record(1, 17, about)]
    for number, step in enumerate(steps, 2):
        row = {("_step",): str(step), ("a",): json.dumps(path.stem), ("b", "c"): "1"}
        records.append(history(number, row))
    last = {("a",): json.dumps(path.stem)} | {(name,): text for name, text in values.items()}
    records.append(summary(len(records) + 1, last))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(framed(records))
    return path


def rows_of(parts: list[Part]) -> list[Row]:
    return list(iter_run(parts))


def whose(rows: list[Row]) -> list[tuple[int, str]]:
    return [(int(row["_step"]), json.loads(row["a"])) for row in rows]


def test_a_resumed_segment_replaces_the_steps_from_where_it_goes_on(tmp_path: Path) -> None:
    one = segment(tmp_path / "one.wandb", range(5))
    two = segment(tmp_path / "two.wandb", range(3, 6))
    parts = stitch([one, two], {one: None, two: 3})

    assert whose(rows_of(parts)) == [(n, "one") for n in range(3)] + [
        (n, "two") for n in range(3, 6)
    ]
    assert [(part.rule, part.rows, part.dropped) for part in parts] == [
        ("fresh", 3, 2),
        ("given", 3, 0),
    ]


def test_a_fresh_segment_replaces_everything(tmp_path: Path) -> None:
    one = segment(tmp_path / "one.wandb", range(5))
    two = segment(tmp_path / "two.wandb", range(2))
    assert whose(rows_of(stitch([one, two], {one: None, two: None}))) == [(0, "two"), (1, "two")]


def test_a_segment_that_counts_from_zero_is_shifted_to_where_it_goes_on(tmp_path: Path) -> None:
    one = segment(tmp_path / "one.wandb", range(5))
    two = segment(tmp_path / "two.wandb", range(2))
    parts = stitch([one, two], {one: None, two: 4})
    assert whose(rows_of(parts)) == [(n, "one") for n in range(4)] + [(4, "two"), (5, "two")]
    assert parts[1].shift == 4


def test_what_is_not_given_is_told_by_start_steps_and_the_run_record(tmp_path: Path) -> None:
    logs = [
        segment(tmp_path / "e.wandb", range(30, 32), started=5, starting_step=30, resume=True),
        segment(tmp_path / "a.wandb", range(3), started=1),
        segment(tmp_path / "b.wandb", range(10), started=2),
        segment(tmp_path / "d.wandb", range(3), started=4, resume=True),
        segment(tmp_path / "c.wandb", range(8, 20), started=3),
        segment(tmp_path / "f.wandb", [], started=6, resume=True),
    ]
    parts = stitch(logs)
    rows = whose(rows_of(parts))

    assert [(part.path.stem, part.rule) for part in parts] == [
        ("b", "fresh"),
        ("c", "steps"),
        ("d", "append"),
        ("e", "server"),
        ("f", "append"),
    ]
    assert rows == (
        [(n, "b") for n in range(8)]
        + [(n, "c") for n in range(8, 20)]
        + [(n, "d") for n in range(20, 23)]
        + [(30, "e"), (31, "e")]
    )
    assert gaps(parts) == [(22, 30)]


def test_a_stride_of_the_program_is_no_gap(tmp_path: Path) -> None:
    parts = stitch(
        [
            segment(tmp_path / "a.wandb", range(0, 1000, 250), started=1),
            segment(tmp_path / "b.wandb", range(1000, 2000, 250), started=2),
        ]
    )
    rows_of(parts)
    assert gaps(parts) == []


def test_logs_are_found_once_and_grouped_by_run(tmp_path: Path) -> None:
    first = segment(tmp_path / "wandb/run-1/run-abc.wandb", range(2))
    second = segment(tmp_path / "wandb/run-2/run-abc.wandb", range(2))
    other = segment(tmp_path / "wandb/run-3/run-xyz.wandb", range(2), run="xyz")
    (tmp_path / "wandb/latest-run").symlink_to("run-3")
    broken = tmp_path / "wandb/run-4/run-bad.wandb"
    broken.parent.mkdir()
    broken.write_bytes(b"nothing of the kind")
    found = find_logs(tmp_path)

    assert found == [first, second, other, broken]
    runs, unreadable = group_by_run(found)
    assert runs == {"abc": [first, second], "xyz": [other]}
    assert unreadable == [f"{broken}: the file isn't a .wandb log"]
    with pytest.raises(LogError):
        stitch([broken])


@pytest.mark.parametrize(("extra", "is_replayed"), [("c", False), ("d", True)])
def test_a_summary_that_needs_no_replay_is_the_one_that_a_replay_gives(
    tmp_path: Path, extra: str, is_replayed: bool
) -> None:
    """A replay reads every row: here only where a replaced row may have brought a value."""
    logs = []
    for log, steps, name in (("one", range(5), extra), ("two", range(3, 7), "c")):
        records = [record(1, 17, wire(1, "abc"))]
        for step in steps:
            row = {("_timestamp",): "1.5", ("_step",): str(step), ("b", "x"): f"{step}"}
            row |= {(name,): json.dumps(log)} if step == 4 else {}
            records += [summary(len(records) + 1, row), history(len(records) + 2, row)]
        logs.append(tmp_path / f"{log}.wandb")
        logs[-1].write_bytes(framed(records))
    parts = stitch(logs, {logs[0]: None, logs[1]: 3})
    rows_of(parts)  # counts them
    summaries = [read_log(log).summary for log in logs]

    found = summary_of(parts, [read_log(log) for log in logs])
    assert found == replay(parts).values
    assert found == {"_timestamp": 1.5, "_step": 6, "b": {"x": 6}, "c": "two"}
    assert must_be_replayed(parts, summaries) == is_replayed


@pytest.mark.parametrize("text", ["{nope", "[" * 100_000])
def test_damage_costs_a_summary_what_is_damaged_alone(tmp_path: Path, text: str) -> None:
    one = segment(tmp_path / "one.wandb", range(5))
    two = segment(tmp_path / "two.wandb", range(3, 6), bad=text)
    export_logs([one, two], tmp_path)
    assert read_json(tmp_path / "run_summary.json")["summary"] == {"_step": 5, "a": "two"}
    assert read_json(tmp_path / "manifest.json")["damage"]["unreadable_records"] == 1


def whose_steps(rows: list[Row]) -> list[int]:
    return [int(row["_step"]) for row in rows]


def test_a_shifted_segment_is_written_under_its_new_steps(tmp_path: Path) -> None:
    one = segment(tmp_path / "one.wandb", range(3))
    two = segment(tmp_path / "two.wandb", range(3), started=1, resume=True, x="NaN")
    write_stitched(stitch([one, two]), tmp_path / "out.wandb")
    stitched = read_log(tmp_path / "out.wandb")

    assert stitched.history == rows_of(stitch([one, two]))
    assert whose_steps(stitched.history) == list(range(6))
    assert stitched.summary["a"] == "two"
    assert stitched.summary["x"] != stitched.summary["x"]  # NaN stays itself
    assert stitched.exit_code is None
