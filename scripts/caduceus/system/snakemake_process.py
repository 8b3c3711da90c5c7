"""Run Snakemake in this process."""

import importlib
import sys
from collections.abc import Sequence


def run_snakemake(arguments: Sequence[str]) -> int:
    """Run `snakemake ARGUMENTS` and return its exit status."""
    sys.argv = ["snakemake", *arguments]  # Snakemake's log shows it
    try:
        importlib.import_module("snakemake.cli").main(sys.argv[1:])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
