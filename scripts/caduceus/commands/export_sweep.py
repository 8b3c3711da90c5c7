"""Export a sweep: its trials in one table, the best as an experiment, importances, figures."""

import argparse
from functools import partial
from pathlib import Path

from caduceus.exports.sweep import export_sweep, sweep_files
from caduceus.io.failed_entries import Entry, write_failed_files
from caduceus.paper.figures.sweep_charts import draw_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", type=Path, help="the plan of its experiment")
    parser.add_argument("--out", type=Path, required=True, help="results/sweeps/SWEEP/trials.csv")
    parser.add_argument("--folds", type=int, default=0, help="the folds that seeds are; 0: none")


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.out.parent
    made = Entry(f"sweeps/{folder.name}", folder.parents[1], sweep_files(folder), arguments.log)
    (folder / "figures").mkdir(parents=True, exist_ok=True)  # an output also of a sweep that failed
    with made.costs_only_itself(partial(write_failed_files, made.files)) as errors:
        sweep = export_sweep(arguments.plan, arguments.out, arguments.folds)
        print(sweep.message)
        errors += [f"{made.item}: {sweep.failure}"] if sweep.failure else []
        try:
            draw_sweep(sweep.trials, sweep.config, sweep.importances, folder / "figures")
        except Exception as error:  # the tables are right all the same
            errors.append(made.line(error))
