"""Run an experiment's sweep; with --dry-run print what it would do, and what it may cost.

W&B's sweep file may be given in place of an experiment. Arguments after -- go to Snakemake:

    caduceus sweep sweep.yaml --count 50
    caduceus sweep experiments/tune.yaml -- --workflow-profile workflow/profiles/slurm
"""

import argparse
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import find_preview, preview_lines
from caduceus.overview.sweep_result import find_result
from caduceus.project.experiments import load_experiment
from caduceus.project.settings import load_settings
from caduceus.project.snakefile import chosen_config, chosen_results
from caduceus.project.sweep_targets import failure_status, snakemake_words
from caduceus.system.foreground import run_here


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file, or a W&B sweep file")
    parser.add_argument("--count", type=int, help="trials of a sweep file (run_cap, or all)")
    parser.add_argument("--dry-run", action="store_true", help="run nothing; print the preview")
    parser.add_argument("--cores", default="all", help="cores for Snakemake (all)")
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    add_json(parser)
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> int | None:
    settings, results, count = load_settings(arguments.config), arguments.results, arguments.count
    groups = settings.wandb.groups
    found = load_experiment(arguments.experiment, settings.defaults, groups, Path(), count)
    if (sweep := found.sweep) is None:
        raise SpecError("this experiment has no `sweep`; add one", arguments.experiment)
    if arguments.dry_run:
        preview = find_preview(found, sweep, results)
        if not print_answer(arguments, {"preview": preview, "result": None}):
            print(*preview_lines(preview), sep="\n")
        return None
    words = snakemake_words(found, sweep, count, results, settings.export.is_remote)
    status = run_here([*words, "--cores", arguments.cores, *arguments.snakemake], arguments.json)
    status = status or failure_status(sweep.id, results, arguments.snakemake)
    if arguments.json:
        print_answer(arguments, {"preview": None, "result": find_result(sweep, results)})
    return status
