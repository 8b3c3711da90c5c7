"""The commands, one module each; a rule's command has the rule's name."""

import argparse
from typing import Protocol

# Those that people type; all others are started by Snakemake's rules.
FOR_PEOPLE = (
    *("check-archive", "doctor", "export", "gc", "init", "mcp", "plan", "retry", "slurm-pilot"),
    *("status", "sweep", "sync", "unlock", "verify", "why"),
)


class Command(Protocol):
    """What a module of this package holds."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int | None:
        """Do it; the exit status, 0 if None."""
