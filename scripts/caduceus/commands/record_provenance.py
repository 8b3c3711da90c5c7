"""Record the runs, code, packages and command behind each number of the paper."""

import argparse
import json
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.io.files import write_json, write_whole
from caduceus.paper.latex import failed_latex
from caduceus.paper.numbers import numbers_latex
from caduceus.paper.provenance import NO_PROVENANCE, trace_items


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "items", type=Path, nargs="*", help="the JSON files of tables, figures and claims"
    )
    parser.add_argument(
        "--metrics",
        type=json.loads,
        required=True,
        help="the metrics of tables and claims, as JSON",
    )
    parser.add_argument("--out", type=Path, required=True, help="results/paper/provenance.json")
    parser.add_argument("--numbers", type=Path, help="results/paper/numbers.tex")


def run(arguments: argparse.Namespace) -> None:
    out, results = arguments.out, arguments.out.parents[1]
    files = [out, *filter(None, [arguments.numbers])]
    made = Entry("provenance", results, files, arguments.log)

    def write_failed(error: str) -> None:
        write_json(out, NO_PROVENANCE | {"error": error})
        for path in files[1:]:
            write_whole(path, failed_latex("The numbers of the tables", error))

    with made.costs_only_itself(write_failed):
        write_json(out, trace_items(arguments.items, arguments.metrics, results))
        if arguments.numbers:
            tables = [path for path in arguments.items if path.parent.name == "tables"]
            write_whole(arguments.numbers, numbers_latex(tables))
