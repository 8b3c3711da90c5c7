"""Record the state of every run on the W&B server, so that changed runs are exported again."""

import argparse
import json
import sys
from pathlib import Path

from caduceus.commands import PARTIAL
from caduceus.errors import SpecError
from caduceus.io.names import quoted
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.server.refresh import planned_runs, refresh_planned, refresh_project
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="*", help="plans of the experiments to look up")
    parser.add_argument("--project", required=True, help="[ENTITY/]PROJECT of their runs")
    parser.add_argument(
        "--projects", type=json.loads, default=[], help="export.projects of config.yaml, as JSON"
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.plans and not arguments.projects:
        raise SpecError(
            "nothing is read from a server; set export.source to api, or list export.projects",
            "config.yaml",
        )
    server = Server(find_account())
    changed, total, unreadable = 0, 0, list[str]()
    if arguments.plans:
        project, ids = ProjectPath.parse(arguments.project), planned_runs(arguments.plans)
        runs = arguments.results / "runs"
        found, missing = refresh_planned(server, project, ids, runs, unreadable)
        changed, total = len(found), len(ids)
        for name in missing:
            print(f"not on the server: {name}", file=sys.stderr)
    for chosen in arguments.projects:
        folder = arguments.results / "projects" / chosen["project"]
        project = ProjectPath.parse(chosen["project"])
        found, unusable = refresh_project(server, project, chosen["groups"], folder, unreadable)
        changed += len(found)
        total += len(list((folder / "runs").glob("*")))
        for name in unusable:
            print(f"left out, as its id can't name a folder: {quoted(name)}", file=sys.stderr)
    print(f"changed on the server: {changed} of {total} runs")
    return PARTIAL if unreadable else 0
