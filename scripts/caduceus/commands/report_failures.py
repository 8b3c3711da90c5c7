"""List the runs that failed, and fail if there are any."""

import argparse
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.exports.run import damage_of
from caduceus.io.files import read_json, write_json
from caduceus.overview.missing_metrics import without_metric
from caduceus.runs.folder import RunFolder
from caduceus.server.delivery import complaint

_ELSEWHERE = "it failed where it was made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--out", type=Path, required=True, help="results/failures.json")


def run(arguments: argparse.Namespace) -> None:
    failed: dict[str, str] = {}
    trials: dict[str, str] = {}
    damaged, complaints = {}, []
    for path in arguments.plans:
        for run_id, planned in read_json(path)["runs"].items():
            folder = RunFolder.of_plan(path, run_id).path
            train_json = folder / "train.json"
            if read_json(folder / "run_summary.json")["state"] == "failed":
                was_here = train_json.exists()
                found = failed if planned["trial"] is None else trials
                found[run_id] = read_json(train_json)["error"] if was_here else _ELSEWHERE
            lost = damage_of(folder / "manifest.json")
            if lost:
                damaged[run_id] = lost
            if said := complaint(RunFolder(folder)):
                complaints.append(said)
    for run_id, lost in damaged.items():
        print(f"damaged: {run_id}: its log has lost {lost}; the rest is exported")
    for said in [*complaints, *filter(None, map(without_metric, arguments.plans))]:
        print(said)
    for run_id, error in trials.items():
        print(f"failed trial, which the sweep counts as such: {run_id}: {error}")
    for run_id, error in failed.items():
        print(f"failed: {run_id}: {error}")
    if failed:
        raise CaduceusError(
            f"failed runs: {len(failed)}; mend the cause, type `caduceus retry`, and start again"
        )
    write_json(arguments.out, {"damaged": damaged, "failed_trials": trials})
