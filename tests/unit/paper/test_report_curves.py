"""The curves of a report: read a part at a time, and written in chunks."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from caduceus.exports.group_history import ABOUT, RunHistory, write_history
from caduceus.io.cells import to_csv
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.curve_chunks import Curves, CurveWriter, OwnedCurve
from caduceus.paper.report.group_curves import read_curves
from caduceus.paper.report.packing import column_json, inert_json
from caduceus.paper.report.page import write_page
from caduceus.statistics.settings import Methods
from report_data import write_group

NS = 1_700_000_000_000_000_001
DRAWN = [("loss", "_step"), ("loss", "_runtime"), ("rare", "_step")]
DRAWN += [("ns", "_step"), ("mixed", "_step")]


def unpacked(packed: str, kind: type[Any]) -> np.ndarray:
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
    size = np.dtype(kind).itemsize
    return np.ascontiguousarray(data.reshape(size, -1).T).view(kind).ravel()


def history(folder: Path) -> pq.ParquetFile:
    """Three variants of two runs, one run of each after the other; `rare` in every third row.

    `ns` is a time in ns, which no float holds exactly; `mixed` has a text first, then such times
    and fractions.
    """
    runs = []
    for run in range(6):
        rows = [
            {"_step": at, "_runtime": at / 4, "loss": 10 * run + at, "ns": NS + at}
            | ({"rare": -at} if at % 3 == 0 else {})
            | {"mixed": ["warm-up", at + NS, at / 2][at and 1 + at % 2]}
            for at in range(5 + run)
        ]
        csv = folder / f"{run}.csv"
        csv.write_text(to_csv(rows, ["_step"]))
        about = {"run": f"r{run}", "experiment": "e", "variant": f"v{run % 3}", "seed": run // 3}
        runs.append(RunHistory(about, csv))
    write_history(runs, folder / "history.parquet")
    return pq.ParquetFile(folder / "history.parquet")


@pytest.mark.parametrize("most_cells", [1, 50, 10**6])
def test_curves_are_those_that_were_logged_however_few_are_read_at_once(
    tmp_path: Path, most_cells: int
) -> None:
    runs = {f"r{run}": run for run in range(6)}
    variants = {run: run % 3 for run in range(6)}
    found = list(read_curves(history(tmp_path), runs, variants, DRAWN, most_cells))
    assert sorted((each.variant, each.drawn) for each in found) == sorted(
        (variant, drawn) for variant in range(3) for drawn in DRAWN
    )
    for each in found:
        assert sorted(each.curves) == [each.variant, each.variant + 3]
        for run, (steps, values) in each.curves.items():
            first, by = {"rare": (0, 3), "mixed": (1, 1)}.get(each.drawn[0], (0, 1))
            at = np.arange(first, 5 + run, by)
            assert steps.tolist() == (at / 4 if each.drawn[1] == "_runtime" else at).tolist()
            logged = {"rare": -at, "loss": 10 * run + at, "ns": (NS + at).astype(float)}
            logged["mixed"] = np.where(at % 2, at / 2, logged["ns"])
            assert values.tolist() == logged[each.drawn[0]].tolist()


def test_the_schema_of_many_metrics_is_made_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = tmp_path / "results/groups/g", [0]
    folder.mkdir(parents=True)
    text = to_csv([{"_step": at} | {f"m{place}": at for place in range(30)} for at in (0, 1)], [])
    (folder / "run.csv").write_text(text)
    about = {"run": "r", "name": "r", "experiment": "e", "variant": "v", "seed": 0}
    (folder / "runs.csv").write_text(to_csv([about | {"state": "finished"}], []))
    run = RunHistory({name: about[name] for name in ABOUT}, folder / "run.csv")
    write_history([run], folder / "history.parquet")
    make = pq.ParquetFile.schema_arrow.fget

    def counted(file: pq.ParquetFile) -> object:
        made[0] += 1
        return make(file)

    monkeypatch.setattr(pq.ParquetFile, "schema_arrow", property(counted))
    contents = read_contents("t", Sources([folder / "runs.csv"]), Methods())
    assert len(contents["data"]["metrics"]) == 30
    assert made[0] < 10


def curves_in(written: Curves, kinds: dict[int, type[Any]]) -> list[tuple[int, list[Any]]]:
    """The curves as the page decodes them: the owner, the steps, and each series."""
    head: dict[str, Any] = written.head
    found, place = [], 0
    for (steps, values), count, size in zip(
        written.chunks, head["curves"], head["steps"], strict=True
    ):
        all_steps, all_values = unpacked(steps, kinds[size]), unpacked(values, np.float32)
        for owner, length in list(zip(head["owners"], head["lengths"], strict=True))[place:][
            :count
        ]:
            own, all_steps = all_steps[:length], all_steps[length:]
            series = all_values[: head["series"] * length].reshape(head["series"], length)
            all_values = all_values[head["series"] * length :]
            found.append((owner, [own.tolist(), *series.tolist()]))
        place += count
    return found


def test_a_chunk_ends_with_a_curve_and_large_steps_stay_exact() -> None:
    writer = CurveWriter(np.float32, points=4)
    steps = [np.array([0.0, 1]), np.array([0.0, 1, 2]), np.array([2.0**24 + 1])]
    for owner, own in enumerate(steps):
        writer.add(OwnedCurve(7 + owner, own, np.stack([own % 5, own % 3])))
    written = writer.written()
    assert (written.head["curves"], written.head["steps"]) == ([2, 1], [4, 8])
    assert curves_in(written, {4: np.float32, 8: np.float64}) == [
        (7 + owner, [own.tolist(), (own % 5).tolist(), (own % 3).tolist()])
        for owner, own in enumerate(steps)
    ]


def test_the_slider_has_the_steps_of_all_averages_and_at_most_four_thousand() -> None:
    writer = CurveWriter(np.float64, points=3)
    for start in (0, 1, 10_000):
        steps = np.arange(start, start + 6, 2.0)
        writer.add(OwnedCurve(start, steps, np.ones((4, 3))))
    assert writer.written().ticks == [0, 1, 2, 3, 4, 5, 10_000, 10_002, 10_004]
    writer.add(OwnedCurve(3, np.arange(9000.0), np.ones((4, 9000))))
    ticks = writer.written().ticks
    assert len(ticks) == 4000
    assert (ticks[0], ticks[-1]) == (0, 10_004)


def test_a_column_is_inert_and_names_each_repeated_value_once() -> None:
    hostile = "</script><!--"
    repeated = column_json([hostile, 1, hostile, hostile, 1, None])
    assert "<" not in repeated
    assert json.loads(repeated) == {"distinct": [hostile, 1, None], "codes": [0, 1, 0, 0, 1, 2]}
    assert json.loads(column_json([1, True, "1", 1.5])) == {"values": [1, True, "1", 1.5]}
    assert json.loads(column_json([1, True, 1, True])) == {
        "distinct": [1, True],
        "codes": [0, 1, 0, 1],
    }
    assert json.loads(inert_json(hostile)) == hostile


def test_runs_are_linked_by_ranges_and_the_first_failures_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "results/groups/g"
    failed = {f"toy_v{place}_s0": {"state": "failed", "error": "x"} for place in range(250)}
    write_group(folder, [str(place) for place in range(250)], 1, 2, **failed)
    contents = read_contents("t", Sources([folder / "runs.csv"]), Methods())
    assert len(contents["failed"]) == 250
    contents["compute"] = None
    contents["figures"] = [
        {"name": "f", "title": "", "caption": "", "error": "", "source": "data:,"}
        | {"runs": ["toy-v4-s0", "toy-v3-s0", "toy-v9-s0", "elsewhere"]}
    ]
    write_page(contents, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert 'data-runs="3-4 9"' in page
    assert 'data-runs="199"' in page
    assert 'data-runs="200"' not in page
    assert "These are the first 200 of 250 failed runs." in page
