"""Run Snakemake in this process."""

import importlib
import os
import sys
from collections.abc import Sequence

PLAIN = "CADUCEUS_PLAIN"  # the variable that asks for lines in place of a picture


def run_snakemake(arguments: Sequence[str], is_plain: bool = False) -> int:
    """Run `snakemake ARGUMENTS` and return its exit status.

    Args:
        arguments: of Snakemake.
        is_plain: whether it prints lines even on a terminal; its jobs don't get the variable.
    """
    if is_plain:
        os.environ[PLAIN] = "1"
    sys.argv = ["snakemake", *arguments]  # Snakemake's log shows it
    try:
        importlib.import_module("snakemake.cli").main(sys.argv[1:])
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)  # a message, such as of an error in config.yaml
        return 1
    return 0
