"""Fail for a run that has neither its whole export nor the logs to make it from."""

import argparse
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.project.deleted_files import EXPORTED
from caduceus.runs.folder import RunFolder
from caduceus.runs.lost_logs import lost_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/checked_logs")


def run(arguments: argparse.Namespace) -> None:
    # Snakemake deletes an export before it makes it again, so this comes before.
    folder = RunFolder(arguments.out.parent)
    missing = ", ".join(name for name in EXPORTED if not (folder.path / name).exists())
    lost = ((f" ({log.relative_to(folder.path)}: {how})") for log, how in lost_logs(folder))
    raise ResultError(
        f"its export lacks {missing}, and the logs to make it from are lost{next(lost, '')}; "
        f"restore either from a copy, or delete {folder.path} to have the run made again",
        str(folder.path),
    )
