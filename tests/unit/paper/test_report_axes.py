"""The axes of the report's learning curves."""

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.exports.group_history import RunHistory, read_axes, write_history
from caduceus.io.cells import to_csv
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.curve_chunks import Curves
from caduceus.paper.report.groups import group_by_variant, joined_columns, read_group
from caduceus.paper.report.packed_curves import PackedCurves, pack_curves
from caduceus.paper.report.parts import Parts
from caduceus.runs.files.export import DefinedMetric
from caduceus.statistics.settings import Methods

DECLARED = {"return": DefinedMetric("global_step", step_sync=True)}


def write_group(
    folder: Path, defined: Mapping[str, DefinedMetric], first: Mapping[str, DefinedMetric]
) -> Path:
    """Write a group of three runs in which y = x, whose rows are apart by seed."""
    about, histories = [], []
    folder.mkdir()
    for seed in range(3):
        spacing = 5 * (1 + 4 * seed)
        rows = [
            {"_step": step, "_runtime": at / 7, "global_step": at, "return": at, "noise": -at}
            for step, at in enumerate(range(spacing, 1001, spacing))
        ]
        csv = folder / f"{seed}.csv"
        csv.write_text(to_csv(rows, ["_step"]))
        run = {"run": f"r{seed}", "experiment": "e", "variant": "v", "seed": seed}
        histories.append(RunHistory(run, csv, defined if seed else first))
        about.append(run | {"name": "", "state": "finished"})
    write_history(histories, folder / "history.parquet")
    (folder / "runs.csv").write_text(to_csv(about, ["run"]))
    return folder / "runs.csv"


def unpacked(packed: str, kind: type[Any]) -> np.ndarray:
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
    size = np.dtype(kind).itemsize
    return np.ascontiguousarray(data.reshape(size, -1).T).view(kind).ravel()


def steps_and_values(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """The steps and the values, (series, n), of the only curve."""
    [(steps, values)] = curves.chunks
    return unpacked(steps, np.float64), unpacked(values, np.float32).reshape(4, -1)


def curves_of(table: Path) -> PackedCurves:
    groups = [read_group(table)]
    return pack_curves(groups, group_by_variant(joined_columns(groups)), Methods())


def test_the_declared_axis_comes_first_and_the_mean_of_y_equals_x_is_x_there(
    tmp_path: Path,
) -> None:
    averages = curves_of(write_group(tmp_path / "g", DECLARED, DECLARED)).averages
    assert list(averages["return"]) == ["global_step", "_step", "_runtime"]
    steps, (value, low, high, n) = steps_and_values(averages["return"]["global_step"])
    np.testing.assert_allclose(value, steps, rtol=1e-6)
    np.testing.assert_allclose([low, high], [steps, steps], rtol=1e-6)
    assert (n[(steps >= 45) & (steps <= 990)] == 3).all()
    assert (n.min(), n.max()) == (1, 3)
    times, _ = steps_and_values(averages["return"]["_runtime"])
    assert times.max() == 1000 / 7


def test_no_line_joins_runs_that_dont_overlap(tmp_path: Path) -> None:
    histories, about = [], []
    for seed, places in enumerate((range(5), range(3, 8), range(20, 24))):
        csv = tmp_path / f"{seed}.csv"
        csv.write_text(to_csv([{"_step": at, "return": at} for at in places], ["_step"]))
        run = {"run": f"r{seed}", "experiment": "e", "variant": "v", "seed": seed}
        histories.append(RunHistory(run, csv, {}))
        about.append(run | {"name": "", "state": "finished"})
    write_history(histories, tmp_path / "history.parquet")
    (tmp_path / "runs.csv").write_text(to_csv(about, ["run"]))
    steps, series = steps_and_values(curves_of(tmp_path / "runs.csv").averages["return"]["_step"])
    assert steps.tolist() == [*range(8), 20, *range(20, 24)]
    assert np.isnan(series).sum(axis=1).tolist() == [1] * 4
    assert np.isnan(series[:, 8]).all()


def test_without_a_declaration_the_step_comes_first_and_counters_are_offered(
    tmp_path: Path,
) -> None:
    table = write_group(tmp_path / "g", {}, {})
    averages = curves_of(table).averages
    assert list(averages["return"]) == ["_step", "_runtime", "global_step"]
    assert list(averages["global_step"]) == ["_step", "_runtime"]
    assert read_axes(table.with_name("history.parquet")) == {}


def test_runs_that_declare_different_axes_are_first_shown_over_the_step(tmp_path: Path) -> None:
    table = write_group(tmp_path / "g", DECLARED, {})
    assert read_axes(table.with_name("history.parquet")) == {"return": ["_step", "global_step"]}
    assert next(iter(curves_of(table).averages["return"])) == "_step"


def test_a_metric_that_every_run_hides_has_no_chart(tmp_path: Path) -> None:
    hidden = {"noise": DefinedMetric(hidden=True)}
    assert "noise" not in curves_of(write_group(tmp_path / "g", hidden, hidden)).averages
    assert "noise" in curves_of(write_group(tmp_path / "h", hidden, {})).averages


def _garble(history: Path) -> None:
    """Change the rows, and leave the end of the file, which has the names of columns."""
    content = history.read_bytes()
    history.write_bytes(content[:4] + b"?" * 3000 + content[3004:])


@pytest.mark.parametrize(
    "damage", [Path.unlink, _garble, lambda path: path.write_bytes(b"PAR1 and no more")]
)
def test_a_damaged_history_costs_only_the_curves_of_its_group(tmp_path: Path, damage: Any) -> None:
    tables = [write_group(tmp_path / name, DECLARED, DECLARED) for name in "abc"]
    damage(tmp_path / "b/history.parquet")
    parts = Parts(lambda error, part: f"{part}: {error}")
    contents = read_contents("t", Sources(tables), Methods(), parts)
    blocks = contents["blocks"]["later"]
    place = contents["data"]["metrics"].index("return")
    assert json.loads(blocks[f"singles-{place}-0"])["owners"] == [0, 1, 2, 6, 7, 8]  # of nine runs
    [line] = contents["unmade"]["curves"]
    assert line.startswith(f"report: curves: {tmp_path}/b/history.parquet: can't be read as the")
    assert parts.errors == [line]
