"""Run an experiment's sweep; with --dry-run print what it would do, and what it may cost.

Arguments after -- go to Snakemake unchanged:

    caduceus sweep experiments/tune.yaml
    caduceus sweep experiments/tune.yaml -- --workflow-profile workflow/profiles/slurm
"""

import argparse
import sys
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import preview
from caduceus.project.experiments import load_experiment
from caduceus.project.settings import load_settings
from caduceus.system import processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file")
    parser.add_argument("--dry-run", action="store_true", help="run nothing; print the preview")
    parser.add_argument("--cores", default="all", help="cores for Snakemake (all)")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> int | None:
    settings = load_settings(arguments.config)
    experiment = load_experiment(
        arguments.experiment, settings.defaults, settings.wandb.groups, Path()
    )
    if experiment.sweep is None:
        raise SpecError("this experiment has no `sweep`; add one", arguments.experiment)
    if arguments.dry_run:
        for line in preview(experiment, experiment.sweep, arguments.results):
            print(line)
        return None
    wanted = [arguments.results / "sweeps" / experiment.sweep.id / "trials.csv"]
    if not settings.export.is_remote:
        # Snakemake doesn't look behind a file that exists, so it would miss a run to be retried.
        ended = (arguments.results / f"runs/{run.id}/train.json" for run in experiment.runs)
        wanted += [path for path in ended if not path.exists()]
    words = [sys.executable, "-m", "snakemake", *map(str, wanted), "--cores", arguments.cores]
    # The paper in config.yaml may show other experiments, which aren't made here.
    words += ["--config", f"experiments={arguments.experiment}", "paper=none"]
    words += ["--rerun-incomplete", "--quiet", "host", "rules", "reason", *arguments.snakemake]
    processes.become(words)
    return None
