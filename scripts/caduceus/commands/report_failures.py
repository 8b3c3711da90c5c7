"""List the failed runs and entries, and fail if there are any."""

import argparse
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.files import Json, write_json
from caduceus.io.phrases import printable
from caduceus.overview.artifact_types import undeclared_types
from caduceus.overview.failures import MEND, entry_failures, run_failures
from caduceus.system.secret_search import is_refused, secret_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument(
        "--made", type=Path, nargs="*", default=[], help="a file of each group, sweep and entry"
    )
    parser.add_argument("--out", type=Path, required=True, help="results/failures.json")
    parser.add_argument("--notify", default="", help="the key notify of config.yaml as JSON")
    parser.add_argument("--folds", type=int, default=0, help="the folds that seeds are; 0: none")
    parser.add_argument("--secrets", choices=("warn", "refuse"), default="warn", help="(warn)")


def run(arguments: argparse.Namespace) -> None:
    runs = run_failures(arguments.plans, arguments.folds)
    secrets, trials = secret_lines(arguments.out.parent), runs.trials
    ended = [f"failed trial: {run}: {e}; its sweep goes on without it" for run, e in trials.items()]
    ended += [f"failed: {run}: {error}" for run, error in runs.failed.items()]
    entries = entry_failures(arguments.out.parent, arguments.made)
    unmade = [f"failed: {line}" for entry in entries for line in entry.errors]
    said = [*undeclared_types(arguments.plans), *runs.warnings, *secrets, *ended, *unmade]
    print("".join(f"{printable(line)}\n" for line in said), end="")
    if arguments.notify:
        from caduceus.overview.notices import notify  # which most builds don't need

        warning = notify(arguments.notify, arguments.plans, arguments.out.parent, unmade)
        print(warning and f"{printable(warning)}\n", end="")
    message = f"failed entries: {len(unmade)}; {MEND}" if unmade else ""
    if runs.failed:
        raise CaduceusError(
            f"failed runs: {len(runs.failed)}; fix the cause, type `caduceus retry`, and start "
            f"again{message and f'; {message}'}"
        )
    if message:
        raise CaduceusError(message)
    if arguments.secrets == "refuse" and any(map(is_refused, secrets)):
        raise CaduceusError("secrets are in results/, as said above; config.yaml refuses them")
    found: Json = {"damaged": runs.damaged, "failed_trials": trials, "secrets": secrets}
    write_json(arguments.out, found)
