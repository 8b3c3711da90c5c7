"""The runs of a trial."""

from pathlib import Path

import pytest
from caduceus.exports.sweep import sweep_line
from caduceus.exports.sweep_trials import TrialRow, counted_objectives
from caduceus.io.cells import to_csv
from caduceus.io.files import write_whole
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.folders import SweepFolder
from run_files import summary


@pytest.mark.parametrize(
    ("metric", "folds", "counted"),
    [
        ("loss", None, [1.0, 3.0]),
        ("accuracy", None, [1.0, 1.0, 3.0]),
        ("loss", 4, [1.0, 1.0, 3.0]),
    ],
)
def test_equal_seeds_count_as_in_the_paper(
    tmp_path: Path, metric: str, folds: int | None, counted: list[float]
) -> None:
    folder = SweepFolder(tmp_path / "results/sweeps/s")
    for seed, (run, rows) in enumerate({"a": "x", "b": "x", "c": "y", "d": "y"}.items()):
        values = [{metric: at ** (0.5 if rows == "x" else 0.25)} for at in (2, 3, 5, 6, 7)]
        write_whole(folder.run(run) / "metrics_history.csv", to_csv(values, []))
        about = summary(run, experiment="s", variant="c8.0", seed=seed, rows_sha256=rows)
        about.write(folder.run(run) / "run_summary.json")
    runs, objectives = ("a", "b", "c", "d"), (1.0, 1.0, 3.0, None)
    row = TrialRow("c8.0", runs, "finished", {}, 2.0, objectives, False, None, 1.0)
    assert counted_objectives(row, folder, folds) == counted


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (("a",), "loss 0.5, the best value that its run logged, with x=1"),
        (("a", "b"), "loss 0.5, the mean of the best values that its 2 runs logged, with x=1"),
    ],
)
def test_the_line_of_a_sweep_says_that_its_best_is_no_last_value(
    runs: tuple[str, ...], said: str
) -> None:
    row = TrialRow("0000", runs, "finished", {"x": 1}, 0.5, (0.5,) * len(runs), False, None, 1.0)
    space = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"value": 1}}}
    config = read_config(space, str)
    assert sweep_line("s", [row], [], row, config) == f"s: 1 trials; best: {said}"
