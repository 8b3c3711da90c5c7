"""Run a trial of a sweep, and stop it early where the sweep's rule says so."""

import argparse
from pathlib import Path

from caduceus.commands import train
from caduceus.runs.files.train import Train
from caduceus.runs.files.trial import Trial
from caduceus.sweeps.pruning import (
    TrialCriteria,
    check_metric_is_logged,
    read_criteria,
    record_missing_metric,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", type=Path, help="the trial's file")
    train.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int | None:
    trial = Trial.read(arguments.trial)
    if trial.is_skipped:
        Train.skipped(arguments.out.parent.name).write(arguments.out)
        return None
    check_metric_is_logged(arguments.trial)  # else every trial would run before Snakemake gives up
    status = train.run(arguments, read_criteria(arguments.trial, _kind(trial)))
    if not status:
        record_missing_metric(arguments.trial, Train.read(arguments.out))
        check_metric_is_logged(arguments.trial)
    return status


def _kind(trial: Trial) -> type[TrialCriteria]:
    if not trial.handed_out:
        return TrialCriteria
    # imports requests, which no other run needs
    from caduceus.server.sweep_agent import ServerTrialCriteria

    return ServerTrialCriteria
