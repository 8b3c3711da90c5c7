"""The history of a run that still writes its log, read piece by piece."""

import math
from pathlib import Path

import numpy as np
import pytest
from caduceus.overview.board import columns
from caduceus.overview.board.columns import Column, join, thinned
from caduceus.overview.board.growing_history import GrowingHistory
from caduceus.runs.attempts import read_attempts
from growing_runs import Results, damage, define_metric, log_rows
from run_files import attempt


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def values(history: GrowingHistory, name: str) -> list[float]:
    return list(history.columns[name].values) if name in history.columns else []


def update(history: GrowingHistory, results: Results, run: str = "r1") -> bool:
    return history.update(read_attempts(results.folder(run).attempts))


def test_rows_are_read_once_as_they_come(results: Results) -> None:
    log = results.start("r1")
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert history.grown.rows == 0 and history.grown.step is None
    for count in range(1, 4):
        log_rows(log, [{"loss": 1 / count}], first=count - 1)
        assert update(history, results)
        assert history.grown.rows == count and history.grown.last == {"loss": 1 / count}
        assert not update(history, results)
    assert values(history, "loss") == [1, 1 / 2, 1 / 3]


def test_what_is_half_written_waits_for_its_rest(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}, {"loss": 0.5}])
    whole = log.read_bytes()
    log.write_bytes(whole[:-7])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert values(history, "loss") == [1.0]
    with log.open("ab") as stream:
        stream.write(whole[-7:])
    update(history, results)
    assert values(history, "loss") == [1.0, 0.5]
    assert not history.grown.damage


def test_numbers_that_arent_finite_are_kept_and_named(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": math.nan, "gain": -math.inf, "text": "x", "on": True, "none": None}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert sorted(history.grown.diverged) == ["gain", "loss"]
    assert math.isnan(values(history, "loss")[0]) and values(history, "gain") == [-math.inf]
    assert not {"text", "on", "none"} & history.columns.keys()


def test_a_resumed_attempt_replaces_the_rows_after_its_checkpoint(results: Results) -> None:
    first = results.start("r1")
    log_rows(first, [{"loss": float(step)} for step in range(6)])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    epoch = history.epoch
    attempt(1, state="interrupted").write(results.folder("r1").attempts / "1.json")
    second = results.start("r1", number=2)
    log_rows(second, [{"loss": 10.0}, {"loss": 11.0}], first=4)
    update(history, results)
    assert values(history, "loss") == [0, 1, 2, 3, 10, 11]
    assert history.grown.starts == [4] and history.grown.step == 5
    assert history.epoch > epoch
    log_rows(second, [{"loss": 12.0}], first=6)
    update(history, results)
    assert values(history, "loss") == [0, 1, 2, 3, 10, 11, 12]


def test_an_attempt_that_starts_afresh_replaces_all_rows(results: Results) -> None:
    log_rows(results.start("r1"), [{"loss": 1 / (step + 2)} for step in range(6)])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    attempt(1, state="failed").write(results.folder("r1").attempts / "1.json")
    second = results.start("r1", number=2)
    update(history, results)
    assert history.grown.rows == 6, "an attempt without rows replaces none"
    log_rows(second, [{"loss": 0.9}])
    update(history, results)
    assert values(history, "loss") == [0.9]


def test_a_log_that_is_cut_off_or_replaced_is_read_again(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}])
    short = log.read_bytes()
    log_rows(log, [{"loss": 2.0}], first=1)
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    epoch = history.epoch
    log.write_bytes(short)
    update(history, results)
    update(history, results)
    assert values(history, "loss") == [1.0] and history.epoch > epoch


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, bytes(100)])
def test_garbage_is_a_line(results: Results, content: bytes) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    log.write_bytes(content)
    for _ in range(3):
        update(history, results)
    assert values(history, "loss") == []
    assert bool(history.grown.damage) == content.startswith(b"garbage")


def test_a_deleted_log_is_no_crash(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    log.unlink()
    for _ in range(3):
        update(history, results)
    assert history.grown.rows == 0


def test_a_corrupt_block_costs_its_rows_and_is_counted(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": float(step), "text": "x" * 2000} for step in range(64)])
    damage(log, 40_000, b"\xff" * 50)
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert 0 < history.grown.rows < 64
    assert "is damaged" in history.grown.damage[0]
    log_rows(log, [{"loss": 1.0}], first=64)
    update(history, results)
    assert history.grown.step == 64


def test_the_axis_is_the_one_that_the_program_defines(results: Results) -> None:
    log = results.start("r1")
    define_metric(log, "loss", "epoch")
    log_rows(log, [{"loss": 1.0, "epoch": 0.5}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert history.definitions["loss"].step_metric == "epoch"


def test_dropped_columns_come_back_with_all_rows(results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    history.drop_columns()
    assert history.bytes == 0
    log_rows(log, [{"loss": 2.0}], first=1)
    update(history, results)
    assert history.grown.last == {"loss": 2.0} and history.bytes == 0
    history.restore_columns()
    update(history, results)
    assert values(history, "loss") == [1.0, 2.0]


def test_media_are_listed_and_are_no_curves(results: Results) -> None:
    log = results.start("r1")
    picture = {
        "sample._type": "image-file",
        "sample.path": "media/images/a.png",
        "sample.width": 8,
        "sample.caption": "<b>",
    }
    outside = {"bad._type": "image-file", "bad.path": "media/../../x.png"}
    log_rows(log, [{"loss": 1.0, **picture, **outside}])
    history = GrowingHistory(results.folder("r1"))
    update(history, results)
    assert history.grown.last == {"loss": 1.0}
    assert [item.path for item in history.media.items["sample"]] == ["media/images/a.png"]
    assert not history.media.items.get("bad")


def test_a_long_column_is_thinned_and_keeps_its_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MOST_POINTS", 4000)
    column, axis = Column(), Column()
    for row in range(4010):
        column.add(row, 1e9 if row == 777 else math.nan if row == 999 else row % 10)
        axis.add(row, 2.0 * row)
    assert len(column.rows) < 4000 and column.thinned == 1
    places, found = join(axis, column)
    assert np.nanmax(found) == 1e9 and places[int(np.nanargmax(found))] == 2 * 777
    assert list(places[np.isnan(found)]) == [2.0 * 999]


def test_thinning_keeps_ends_of_what_isnt_finite() -> None:
    assert list(thinned(np.full(5000, math.nan), 100)) == [0, 4999]
    half = np.repeat([0.0, math.nan], 2500)
    kept = thinned(half, 100)
    assert 2500 in kept and 4999 in kept and len(kept) < 200
