"""The runs of a trial."""

from pathlib import Path

from caduceus.exports.sweep_trials import TrialRow, counted_objectives
from caduceus.sweeps.folders import SweepFolder
from run_files import summary


def test_runs_with_equal_rows_count_as_one(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "results/sweeps/s")
    for seed, (run, rows) in enumerate({"a": "x", "b": "x", "c": "y", "d": "y"}.items()):
        about = summary(run, experiment="s", variant="c8.0", seed=seed, rows_sha256=rows)
        about.write(folder.run(run) / "run_summary.json")
    runs, objectives = ("a", "b", "c", "d"), (1.0, 1.0, 3.0, None)
    row = TrialRow("c8.0", runs, "finished", {}, 2.0, objectives, False, None, 1.0)
    assert counted_objectives(row, folder) == [1.0, 3.0]
