"""The commands, one module each; the command of a rule has the rule's name."""

import argparse
from typing import Protocol

# Commands that people type; Snakemake's rules start the others.
FOR_PEOPLE = (
    *(
        "build",
        "check-archive",
        "doctor",
        "export",
        "gc",
        "init",
        "mcp",
        "plan",
        "retry",
        "show",
        "slurm-pilot",
    ),
    *("status", "sweep", "sync", "unlock", "verify", "why"),
)
PARTIAL = 3  # exit status: all that can be read is done, but something is left out or lost


class Command(Protocol):
    """The functions that each module of this package defines.

    A module with `TAKES_ALL = True` gets all words after its name as `arguments.snakemake`.
    """

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int | None:
        """Run the command and return its exit status; None means 0."""
