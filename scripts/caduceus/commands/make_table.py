"""Make a table of the paper as CSV, Markdown, LaTeX and JSON."""

import argparse
import json
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.paper.exported_runs import ExportedRuns, read_results
from caduceus.paper.table_formats import table_files, write_failed_table, write_table
from caduceus.paper.tables import build_table
from caduceus.project.paper import TableEntry
from caduceus.runs.shown_runs import note_shown
from caduceus.statistics.settings import Methods


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "plans",
        type=Path,
        nargs="+",
        help="results/experiments/ID.json of the experiments it shows",
    )
    parser.add_argument("--spec", required=True, help="its entry in `paper.tables`, as JSON")
    parser.add_argument("--statistics", required=True, help="`paper.statistics`, as JSON")
    parser.add_argument(
        "--formulas", choices=("keep", "escape"), default="keep", help="`csv_formulas` (keep)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the CSV file; the others lie beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    name, folder = arguments.out.stem, arguments.out.parent
    entry = TableEntry.from_json(json.loads(arguments.spec))
    methods = Methods(**json.loads(arguments.statistics))
    made = Entry(f"tables/{name}", folder.parents[1], table_files(folder, name), arguments.log)
    with made.costs_only_itself(partial(write_failed_table, folder, name, entry.title)):
        runs = ExportedRuns(arguments.plans, methods)
        variants = read_results(runs, entry, f"paper.tables.{name}")
        experiments = [plan.spec for plan in runs.plans]
        table = build_table(name, entry, methods, variants, experiments)
        write_table(table, folder, escapes_formulas=arguments.formulas == "escape")
        shown = {run for row in table.rows for cell in row.cells.values() for run in cell.runs}
        note_shown(made.results, made.item, {made.item: shown})
