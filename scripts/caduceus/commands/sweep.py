"""Run an experiment's sweep; with --dry-run print what it would do, and what it may cost.

W&B's sweep file may be given in place of an experiment. Arguments after -- go to Snakemake:

    caduceus sweep sweep.yaml --count 50
    caduceus sweep experiments/tune.yaml -- --workflow-profile workflow/profiles/slurm
"""

import argparse
import sys
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import preview
from caduceus.project.experiments import load_experiment
from caduceus.project.settings import load_settings
from caduceus.project.sweep_targets import failure_status, file_to_plan, sweep_targets
from caduceus.system.foreground import run_here


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file, or a W&B sweep file")
    parser.add_argument("--count", type=int, help="trials of a sweep file (run_cap, or all)")
    parser.add_argument("--dry-run", action="store_true", help="run nothing; print the preview")
    parser.add_argument("--cores", default="all", help="cores for Snakemake (all)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> int | None:
    settings, results, count = load_settings(arguments.config), arguments.results, arguments.count
    groups = settings.wandb.groups
    found = load_experiment(arguments.experiment, settings.defaults, groups, Path(), count)
    if found.sweep is None:
        raise SpecError("this experiment has no `sweep`; add one", arguments.experiment)
    if arguments.dry_run:
        for line in preview(found, found.sweep, results):
            print(line)
        return None
    wanted = sweep_targets(found.sweep.id, found.runs, results, settings.export.is_remote)
    words = [sys.executable, "-m", "snakemake", *map(str, wanted), "--cores", arguments.cores]
    # The paper in config.yaml may show other experiments, which aren't made here.
    file = file_to_plan(found.source, count, results)
    words += ["--config", f"experiments={file}", "paper=none"]
    words += ["--rerun-incomplete", "--quiet", "host", "rules", "reason", *arguments.snakemake]
    is_plan = {"-n", "--dry-run", "--dryrun"} & {*arguments.snakemake}
    status = run_here(words)
    return status if status or is_plan else failure_status(found.sweep.id, results)
