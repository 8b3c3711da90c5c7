"""List the failed runs, and fail if there are any."""

import argparse
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.files import write_json
from caduceus.io.phrases import printable
from caduceus.overview.artifact_types import undeclared_types
from caduceus.overview.run_notes import plan_warnings
from caduceus.runs.files.export import Manifest, Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.server.run_sync import sync_warning
from caduceus.system.secret_search import secret_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--out", type=Path, required=True, help="results/failures.json")
    parser.add_argument("--secrets", choices=("warn", "refuse"), default="warn", help="(warn)")


def run(arguments: argparse.Namespace) -> None:
    failed, trials = dict[str, str](), dict[str, str]()
    damaged, warnings = {}, undeclared_types(arguments.plans)
    for path in arguments.plans:
        for run in Plan.read(path).runs:
            folder = RunFolder.of_plan(path, run.id)
            if Summary.read(folder.summary_json).state == "failed":
                train = Train.read_if_there(folder.train_json)
                error = (train.error or "") if train else "it failed where it was run"
                (failed if run.trial is None else trials)[run.id] = error
            if lost := Manifest.read(folder.manifest_json).lost:
                damaged[run.id] = lost
                warnings.append(f"damaged: {run.id}: its log has lost {lost}; the rest is exported")
            warnings += filter(None, [sync_warning(folder)])
        warnings += plan_warnings(path)
    secrets = secret_lines(arguments.out.parent)
    ended = [f"failed trial: {run}: {e}; its sweep goes on without it" for run, e in trials.items()]
    ended += [f"failed: {run}: {error}" for run, error in failed.items()]
    print("".join(f"{printable(line)}\n" for line in [*warnings, *secrets, *ended]), end="")
    if failed:
        raise CaduceusError(
            f"failed runs: {len(failed)}; fix the cause, type `caduceus retry`, and start again"
        )
    if secrets and arguments.secrets == "refuse":
        raise CaduceusError("secrets are in results/, as said above; config.yaml refuses them")
    write_json(arguments.out, {"damaged": damaged, "failed_trials": trials, "secrets": secrets})
