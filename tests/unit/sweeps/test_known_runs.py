"""Sweeps that start from given configurations and from runs that exist."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import ResultError
from caduceus.io.cells import to_csv
from caduceus.io.files import write_whole
from caduceus.runs.files.export import Summary
from caduceus.runs.files.trial import Trial
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.known_runs import find_known
from caduceus.sweeps.points import read_point
from caduceus.sweeps.trials import suggest_trial
from run_files import identity, sweep_plan
from told_trials import sweep

POINT: dict[str, Any] = {
    "rate": 1e-3,
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "layers": 4,
    "width": 64,
    "steps": 100.0,
    "noise": 0.0,
}
CONFIG = {
    "method": "bayes",
    "metric": {"name": "val.loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}},
}


def export(
    folder: Path, config: dict[str, Any], losses: list[Any], state: str = "finished"
) -> None:
    """An exported run with these values of `val.loss`."""
    about = identity(folder.name, config=config, experiment="old")
    summary = replace(Summary.of(about, state), config=config, summary={})
    summary.write(folder / "run_summary.json")
    rows = [{"_step": step, r"val\.loss": loss} for step, loss in enumerate(losses)]
    write_whole(folder / "metrics_history.csv", to_csv(rows, ["_step"]))


def test_a_point_may_be_nested_or_have_dotted_names_and_leaves_out_constants() -> None:
    space = sweep("bayes").space
    nested = read_point(POINT, space)
    flat = {key: value for key, value in POINT.items() if key != "optimizer"}
    dotted = flat | {"optimizer.name": "sgd", "optimizer.momentum": 0.9}
    assert read_point(dotted, space) == nested == POINT | {"kind": "fixed"}
    assert type(nested["steps"]) is int  # as the sweep itself gives it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 1.0}, "rate = 1.0 is outside the space"),
        ({"layers": 4.5}, "layers = 4.5 is outside the space"),
        ({"width": "64"}, 'width = "64" is outside the space'),
        ({"kind": "other"}, 'kind = "other" is outside the space'),
        ({"rate": True}, "rate = true is outside the space"),
        ({"raet": 1.0}, "'raet' is no parameter, did you mean 'rate'?"),
        ({"optimizer": {"name": "sgd"}}, "lacks the parameter optimizer.momentum"),
    ],
)
def test_a_point_outside_the_space_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_point(POINT | change, sweep("bayes").space)
    assert str(caught.value) == message


def test_known_runs_have_the_best_value_of_their_rows(tmp_path: Path) -> None:
    results = tmp_path / "results"
    export(results / "runs/a", {"x": 0.25, "y": 0.5, "batch": 3}, [3.0, 1.5, 2.0])
    export(results / "runs/far", {"x": 7.0, "y": 0.5}, [0.1])
    export(results / "runs/less", {"x": 0.5}, [0.1])
    export(results / "runs/bad", {"x": 0.5, "y": 0.5}, [float("nan")])
    export(results / "runs/gone", {"x": 0.5, "y": 0.5}, [0.1], state="failed")
    config = SweepFolder(results / "sweeps/tune-1")
    sweep_plan(CONFIG).write(config.plan)
    found, left_out = find_known(["old"], config.config(), results)
    assert [(run.run, run.parameters, run.objective) for run in found] == [
        ("a", {"x": 0.25, "y": 0.5}, 1.5)
    ]
    assert sorted(left_out) == [
        "1 run left out: failed",
        "1 run left out: lacks the parameter y",
        "1 run left out: no finite val.loss",
        "1 run left out: x = 7.0 is outside the space",
    ]
    elsewhere, _ = find_known([str(results / "runs")], config.config(), tmp_path / "none")
    assert elsewhere == found
    with pytest.raises(ResultError, match=r"odl: has no exported run; name an experiment"):
        find_known(["odl"], config.config(), results)


def test_a_sweep_learns_from_known_runs_and_keeps_what_it_knew(tmp_path: Path) -> None:
    """All known runs are near the optimum (0.3, 0.7), so that the first trials are as well."""
    results = tmp_path / "results"
    for number in range(12):
        x, y = 0.1 + 0.4 * (number % 4) / 3, 0.5 + 0.4 * (number // 4) / 2
        export(results / f"runs/k{number:02d}", {"x": x, "y": y}, [(x - 0.3) ** 2 + (y - 0.7) ** 2])
    points = [{"x": 0.9, "y": 0.9}]
    plan = sweep_plan(CONFIG, sampler="gp", lag=2, points=points, known=["old"])
    folder = SweepFolder(results / "sweeps/tune-1")
    plan.write(folder.plan)
    suggest_trial(folder, 0, [])
    suggest_trial(folder, 1, [])
    first = Trial.read(folder.trial("0000"))
    assert first.parameters == {"x": 0.9, "y": 0.9} and len(first.known or ()) == 12
    second = Trial.read(folder.trial("0001")).parameters or {}
    assert abs(float(str(second["x"])) - 0.3) < 0.2 and abs(float(str(second["y"])) - 0.7) < 0.2
    # A run that is exported later changes nothing.
    export(results / "runs/later", {"x": 0.5, "y": 0.5}, [-100.0])
    folder.trial("0000").unlink()
    suggest_trial(folder, 0, [])
    assert Trial.read(folder.trial("0000")) == first
