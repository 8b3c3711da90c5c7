"""The commands, one module each; the command of a rule has the rule's name."""

import argparse
from collections.abc import Mapping
from typing import Protocol

# Commands that people type; Snakemake's rules start the others.
FOR_PEOPLE = (
    *("adopt", "board", "build", "check-archive", "doctor", "export", "gc", "init", "mcp", "merge"),
    *("plan", "retry", "schema", "show", "slurm-pilot", "status", "sweep", "sync", "try", "unlock"),
    *("verify", "why"),
)
PARTIAL = 3  # exit status: all that can be read is done, but something is left out or lost


def add_json(parser: argparse._ActionsContainer) -> None:
    """Declare --json, of a command whose answer `caduceus schema` describes."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; see `caduceus schema`"
    )


def print_answer(arguments: argparse.Namespace, answer: Mapping[str, object]) -> bool:
    """Print the answer of a command if it has --json, and return whether it has.

    An error that the command raises afterwards gives its exit status and a line on standard error,
    but no second object.
    """
    if not arguments.json:
        return False
    from caduceus.io.answers import answer_text

    print(answer_text(answer), flush=True)
    arguments.json = False
    return True


class Command(Protocol):
    """The functions that each module of this package defines.

    A module with `TAKES_ALL = True` gets all words after its name as `arguments.snakemake`.
    """

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int | None:
        """Run the command and return its exit status; None means 0."""
