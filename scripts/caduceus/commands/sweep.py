"""Run an experiment's sweep; with --dry-run say what it would do, and what it may cost.

What follows -- goes to Snakemake as it is:

    caduceus sweep experiments/tune.yaml
    caduceus sweep experiments/tune.yaml -- --workflow-profile workflow/profiles/slurm
"""

import argparse
import sys
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import preview
from caduceus.project.experiments import load_experiment
from caduceus.project.project import load_settings
from caduceus.system import processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file")
    parser.add_argument("--dry-run", action="store_true", help="run nothing, and print")
    parser.add_argument("--cores", default="all", help="of Snakemake (all)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.set_defaults(snakemake=[])  # what follows --


def run(arguments: argparse.Namespace) -> int | None:
    settings = load_settings(arguments.config)
    groups = settings["wandb"]["groups"]
    experiment = load_experiment(arguments.experiment, settings["defaults"], groups, Path())
    if experiment.sweep is None:
        raise SpecError("there is no `sweep` in this experiment; add one", arguments.experiment)
    if arguments.dry_run:
        for line in preview(experiment, experiment.sweep, arguments.results):
            print(line)
        return None
    wanted = [arguments.results / "sweeps" / experiment.sweep.id / "trials.csv"]
    if settings["export"]["source"] == "local":
        # Snakemake doesn't miss what lies before a file that is there, such as a run to be retried.
        ended = (arguments.results / f"runs/{run.id}/train.json" for run in experiment.runs)
        wanted += [path for path in ended if not path.exists()]
    words = [sys.executable, "-m", "snakemake", *map(str, wanted), "--cores", arguments.cores]
    # What config.yaml shows of other experiments isn't there.
    words += ["--config", f"experiments={arguments.experiment}", "paper=none"]
    words += ["--rerun-incomplete", "--quiet", "host", "rules", "reason", *arguments.snakemake]
    processes.become(words)
    return None
