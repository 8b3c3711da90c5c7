"""Print the state of each run, the progress of running ones, and the stale results.

Only files and SLURM's queue are read, so it may be called at any time, on any node.
"""

import argparse
from pathlib import Path

from caduceus.io.phrases import printable
from caduceus.io.yaml_files import load
from caduceus.overview.changed_files import changed_lines
from caduceus.overview.environments import (
    behind_lines,
    difference_lines,
    finished_runs,
    present_environment,
)
from caduceus.overview.failures import entry_lines
from caduceus.overview.plans import read_plan
from caduceus.overview.run_notes import notes_of_states
from caduceus.overview.status import damaged_plans, read_states
from caduceus.overview.status_lines import stale_lines, state_lines
from caduceus.project.project import load_project
from caduceus.runs.record import read_records
from caduceus.system.snakemake_lock import find_holder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")


def run(arguments: argparse.Namespace) -> None:
    results = arguments.results
    project = load_project(load(arguments.config).value, [str(arguments.config)])
    lines = [f"damaged: {line}" for line in damaged_plans(results)]
    records = read_records(results)
    states = read_states(project, results, records)
    lines += state_lines(states, project.experiments, notes_of_states(states, records))
    lines += entry_lines(project, results)
    finished = finished_runs(records, project.runs)
    lines += (*changed_lines(finished), *difference_lines(finished))
    for line in (*lines, *behind_lines(finished, present_environment)):
        print(printable(line))
    if holder := find_holder():
        host, pid = holder
        print(f"snakemake is running on {host}{'' if pid is None else f', as process {pid}'}")
    else:  # a running Snakemake is about to make what is stale now
        for line in stale_lines(read_plan()):
            print(printable(line))
