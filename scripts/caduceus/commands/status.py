"""Print the state of each run, the progress of running ones, and the stale results.

Only files and SLURM's queue are read, so it may be called at any time, on any node.
"""

import argparse
from collections.abc import Iterator

from caduceus.commands import add_json
from caduceus.io.phrases import printable
from caduceus.project.snakefile import chosen_config, chosen_results
from caduceus.system.remembered import print_remembered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    def find() -> Iterator[str]:
        from caduceus.overview import status_report  # what a stamp needs none of

        if arguments.json:
            yield status_report.status_json(arguments.config, arguments.results)
        else:
            lines = status_report.status_text(arguments.config, arguments.results)
            yield from map(printable, lines)

    name = "status.json" if arguments.json else "status"
    print_remembered(name, [str(arguments.config), str(arguments.results)], find)
