"""List runs and sweeps that no experiment names any more; with --remove, remove them."""

import argparse
import sys

from caduceus.commands import add_json
from caduceus.errors import SpecError
from caduceus.io.amounts import duration, size
from caduceus.io.answers import answer_text
from caduceus.io.yaml_files import load
from caduceus.overview.leftovers import Leftover, find_leftovers, remove
from caduceus.project.project import load_project
from caduceus.project.snakefile import chosen_config, chosen_results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remove", action="store_true", help="remove what is listed; asks first")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    project = load_project(load(arguments.config).value, [str(arguments.config)])
    found = list(find_leftovers(project, arguments.results))
    if not arguments.json:
        _print(found)
    is_removed = bool(found and arguments.remove) and (arguments.yes or _is_confirmed(arguments))
    if is_removed:
        remove(found, arguments.results)
    if arguments.json:
        print(answer_text({"leftovers": found, "is_removed": is_removed}))
    elif is_removed:
        print("removed; what the runs cost stays in the paper's ledger")


def _print(found: list[Leftover]) -> None:
    for leftover in found:
        room, time = size(leftover.size_bytes), duration(leftover.wall_s)
        print(f"{leftover.folder}  {room}  {time} of training")
    total = size(sum(each.size_bytes for each in found))
    print(f"{len(found)} folders, {total} that no experiment names")


def _is_confirmed(arguments: argparse.Namespace) -> bool:
    if arguments.json or not sys.stdin.isatty():
        raise SpecError("no terminal to confirm on; add --yes", "--remove")
    return input("They can't be made again without training. Remove them? [yes/no] ") == "yes"
