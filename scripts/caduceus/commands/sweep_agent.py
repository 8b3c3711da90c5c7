"""Run a trial of a sweep, and stop it early where the sweep's rule says so."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.commands import train
from caduceus.io.files import read_json
from caduceus.runs.files.train import Train
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
    trial = read_json(arguments.trial)
    if trial["parameters"] is None:
        Train.skipped(arguments.out.parent.name).write(arguments.out)
        return None
    check_metric_is_logged(arguments.trial)  # else every trial would run before Snakemake gives up
    status = train.run(arguments, read_criteria(arguments.trial, _kind(trial)))
    if not status:
        record_missing_metric(arguments.trial, Train.read(arguments.out))
        check_metric_is_logged(arguments.trial)
    return status


def _kind(trial: Mapping[str, Any]) -> type[TrialCriteria]:
    if not trial.get("handed_out"):
        return TrialCriteria
    # imports requests, which no other run needs
    from caduceus.server.sweep_agent import ServerTrialCriteria

    return ServerTrialCriteria
