"""List runs and sweeps that no experiment names any more; with --remove, remove them."""

import argparse
import sys
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.yaml_files import load
from caduceus.overview.leftovers import find_leftovers, remove
from caduceus.project.project import load_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--remove", action="store_true", help="remove the listed folders; asks first"
    )
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")


def run(arguments: argparse.Namespace) -> None:
    config = arguments.config
    project = load_project(load(config).value, [str(config)])
    found = list(find_leftovers(project, arguments.results))
    for leftover in found:
        megabytes, hours = leftover.size_bytes / 1e6, leftover.wall_s / 3600
        print(f"{leftover.folder}  {megabytes:,.1f} MB  {hours:.2f} h of training")
    total = f"{len(found)} folders, {sum(each.size_bytes for each in found) / 1e6:,.1f} MB"
    print(f"{total} that no experiment names")
    if not found or not arguments.remove:
        return
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise SpecError("no terminal to confirm on; add --yes", "--remove")
        if input("They can't be made again without training. Remove them? [yes/no] ") != "yes":
            return
    remove(found, arguments.results)
    print("removed; what the runs cost stays in the paper's ledger")
