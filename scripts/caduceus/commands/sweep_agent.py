"""Run a trial of a sweep, and stop it early where the sweep's rule says so."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.commands import train
from caduceus.io.files import read_json, write_json
from caduceus.sweeps.folders import skipped
from caduceus.sweeps.pruning import Rule, check_metric, note_metric, rule_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", type=Path, help="the trial's file")
    train.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int | None:
    trial = read_json(arguments.trial)
    if trial["parameters"] is None:
        write_json(arguments.out, skipped(arguments.out.parent.name))
        return None
    check_metric(arguments.trial)  # else every trial would run before Snakemake gives up
    status = train.run(arguments, rule_of(arguments.trial, _kind(trial)))
    if not status:
        note_metric(arguments.trial, read_json(arguments.out))
        check_metric(arguments.trial)
    return status


def _kind(trial: Mapping[str, Any]) -> type[Rule]:
    if not trial.get("handed_out"):
        return Rule
    from caduceus.server.sweep_agent import ServerRule  # imports requests, which no other run needs

    return ServerRule
