"""Print where a result comes from: its runs, its inputs and the command that makes it.

A result is a file below results/, or a table, figure or claim by name:

    caduceus why tables/accuracy cnn selected
    caduceus why claims/cnn_wins
    caduceus why results/groups/baseline/runs.csv
"""

import argparse
from collections.abc import Iterator

from caduceus.commands import add_json
from caduceus.io.phrases import printable
from caduceus.project.snakefile import chosen_results
from caduceus.system.remembered import print_remembered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "result", nargs="+", help="a file, or tables/NAME with labels and heading of a cell"
    )
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    def find() -> Iterator[str]:
        from caduceus.overview.why import explain, why_json  # what a stamp needs none of

        if arguments.json:
            yield why_json(arguments.result, arguments.results)
        else:
            yield from map(printable, explain(arguments.result, arguments.results))

    name = "why.json" if arguments.json else "why"
    print_remembered(name, [str(arguments.results), *arguments.result], find)
