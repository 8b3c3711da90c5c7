"""Fill in the NeurIPS paper checklist, as far as the data answer it."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry, write_failed_files
from caduceus.io.files import Json, read_json, write_whole
from caduceus.paper.checklist import ChecklistData, fill_checklist
from caduceus.runs.files.plan import Plan
from caduceus.system.git import repository_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--datasets", type=Path, nargs="*", help="records of their datasets")
    parser.add_argument("--tables", type=Path, nargs="*", help="the JSON files of tables")
    parser.add_argument("--claims", type=Path, nargs="?", help="claims.json, if there are claims")
    parser.add_argument("--compute", type=Path, required=True, help="compute.json")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance.json")
    parser.add_argument("--out", type=Path, required=True, help="results/paper/checklist.md")


def run(arguments: argparse.Namespace) -> None:
    out = arguments.out
    made = Entry("checklist", out.parents[1], [out], arguments.log)
    with made.costs_only_itself(partial(write_failed_files, [out])):
        data = ChecklistData(
            plans={str(path): Plan.read(path) for path in arguments.plans},
            datasets=_by_path(arguments.datasets),
            tables=_by_path(arguments.tables),
            claims=arguments.claims and read_json(arguments.claims),
            compute=read_json(arguments.compute),
            provenance=read_json(arguments.provenance),
            remote=repository_of(Path()),
            folder=str(out.parent),
        )
        write_whole(out, fill_checklist(data))


def _by_path(paths: Sequence[Path]) -> dict[str, Mapping[str, Json]]:
    return {str(path): read_json(path) for path in paths}
