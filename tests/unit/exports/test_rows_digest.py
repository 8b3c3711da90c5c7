"""The digest of a run's rows, which tells equal seeds."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from caduceus.exports import history as exports_history
from caduceus.wandb_log import stitch
from wandb_logs import framed, history

LARGE = pytest.mark.parametrize("large_from", [sys.maxsize, 0])  # both ways to read a log


def digest(folder: Path, *rows: Mapping[str, str], start: float = 0.0) -> str | None:
    """The digest of a run with these rows, logged from a time on."""
    log = folder / "run-a.wandb"
    named = [
        {"_step": str(step), "_timestamp": str(start + step), "_runtime": str(step * start)} | row
        for step, row in enumerate(rows)
    ]
    found = [{(name,): text for name, text in row.items()} for row in named]
    log.write_bytes(framed(history(number, row) for number, row in enumerate(found, 1)))
    return exports_history.export_history(stitch([log]), folder).rows_sha256


@LARGE
def test_only_what_was_logged_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_from: int
) -> None:
    monkeypatch.setattr(exports_history, "_LARGE_LOG", large_from)
    rows = ({"loss": "0.5"}, {"loss": "NaN", "note": '"a,b\\nc"'}, {"acc": "-0"})
    first = digest(tmp_path, *rows, start=1000.5)
    assert first is not None
    assert digest(tmp_path, *rows, start=2000.25) == first
    assert digest(tmp_path, *rows[:2], {"acc": "0"}) == first  # a server has -0 as 0
    assert digest(tmp_path, *rows, {"acc": "1"}) != first
    assert digest(tmp_path, {"loss": "0.5000001"}, *rows[1:]) != first
    assert digest(tmp_path, {"lost": "0.5"}, *rows[1:]) != first
    usage = {"system/cpu_percent": "7"}
    assert digest(tmp_path, {"loss": "0.5"} | usage, *rows[1:]) == first


@LARGE
def test_a_clock_does_not_count_beside_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_from: int
) -> None:
    """A program that ignores its seed may log how long it takes."""
    monkeypatch.setattr(exports_history, "_LARGE_LOG", large_from)

    def of(seconds: str, loss: str = "0.5", **more: str) -> str | None:
        clocks = {
            "charts/SPS": seconds,
            "time/s": seconds,
            "samplesPerSecond": seconds,
            "seed": seconds,
        }
        return digest(tmp_path, {"a": "1", "z/loss": loss} | clocks, {"timesteps": "2"} | more)

    assert of("1.25") == of("7.5")
    assert of("1.25", "0.25") != of("1.25")
    assert of("1.25", acc="3") != of("1.25")
    assert of("1.25", loss="1") != of("7.5", loss="1")  # a benchmark of times


@LARGE
def test_rows_without_a_metric_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_from: int
) -> None:
    monkeypatch.setattr(exports_history, "_LARGE_LOG", large_from)
    assert digest(tmp_path) is None
    assert digest(tmp_path, {"system/cpu_percent": "7"}, {}) is None
