"""Make the report: runs, curves, tables, figures, claims, sweeps, tries and compute."""

import argparse
import json
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry, failed_entries
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.page import write_failed_page, write_page
from caduceus.paper.report.parts import Parts
from caduceus.statistics.settings import Methods

_MANY = {
    "groups": "runs.csv of each W&B group",
    "plans": "plans of all experiments",
    "tables": "JSON of the paper's tables",
    "figures": "SVG of the paper's figures",
    "sweeps": "trials.csv of each sweep",
    "tries": "tries.csv of each ledger of tries",
}
_AT_MOST_ONE = ("claims", "compute", "verification")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--title", required=True, help="the page's title")
    for name, what in _MANY.items():
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[], help=what)
    for name in _AT_MOST_ONE:
        parser.add_argument(f"--{name}", type=Path, nargs="?", help=f"{name}.json, if it is there")
    parser.add_argument("--statistics", required=True, help="`paper.statistics`, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the page")


def run(arguments: argparse.Namespace) -> None:
    import_light_pyarrow()
    sources = Sources(**{name: getattr(arguments, name) for name in (*_MANY, *_AT_MOST_ONE)})
    methods = Methods(**json.loads(arguments.statistics))
    made = Entry("report", arguments.out.parents[1], [arguments.out], arguments.log)
    failed = {each.item: each.errors for each in failed_entries(made.results, sources.items)}
    parts = Parts(made.line, failed)
    with made.costs_only_itself(partial(write_failed_page, arguments.out)) as errors:
        write_page(read_contents(arguments.title, sources, methods, parts), arguments.out)
        errors += parts.errors
