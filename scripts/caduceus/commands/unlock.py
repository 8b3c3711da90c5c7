"""Remove the lock of a killed Snakemake, unless one is still running here."""

import argparse
from pathlib import Path

from caduceus.io.phrases import count_of
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import is_held
from caduceus.system.snakemake_lock import unlock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory", type=Path, default=Path(), help="the folder Snakemake works in (.)"
    )


def run(arguments: argparse.Namespace) -> None:
    if not unlock(arguments.directory):
        return
    runs = map(RunFolder, (arguments.directory / "results/runs").glob("*"))
    left = [run for run in runs if not (run.path / "train.json").exists()]
    at_work = sum(is_held(run.lease, run.lock) for run in left)
    print(f"removed the lock of a Snakemake that was killed: {arguments.directory.absolute()}")
    if at_work:
        print(f"still running: {count_of(at_work, 'run')}; the next Snakemake waits for it to end")
