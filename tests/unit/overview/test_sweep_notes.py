"""The tool on sweeps says how confirming seeds with equal rows count."""

from pathlib import Path

import pytest
from caduceus.io.cells import to_csv
from caduceus.io.files import write_whole
from caduceus.overview.mcp.sweeps import sweep_status
from growing_runs import Results
from run_files import sweep_plan

SPACE = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"value": 1}}}


@pytest.mark.parametrize("trial", ["c8.0", "t0001"])
def test_equal_seeds_of_confirmations_are_named(tmp_path: Path, trial: str) -> None:
    """Those of trials aren't, whose objective is the mean over all of their runs."""
    results, plan = tmp_path / "results", sweep_plan(SPACE)
    folder = results / "sweeps" / plan.sweep
    plan.write(folder / "sweep.json")
    for name in ("trials", "confirmed", "importance"):
        write_whole(folder / f"{name}.csv", to_csv([], ["trial", "stopped_early"]))
    written = Results(tmp_path)
    rows = [{"loss": at**0.5} for at in (2, 3, 5, 6, 7)]
    for seed in range(2):
        run = f"{plan.sweep}-{trial}-s{seed}"
        written.finish(run, rows, variant=trial, seed=seed, rows_sha256="x")
    said = ["Seeds that logged equal rows count as one: c8.0 (seeds 0 and 1)."]
    assert sweep_status(results)["notes"] == (said if trial == "c8.0" else [])
