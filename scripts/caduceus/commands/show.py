"""Print an experiment with the files that it extends laid under it, and the place of each value.

    caduceus show experiments/cnn.yaml

The output is an experiment file that extends nothing, and its runs have the same ids.
"""

import argparse
from pathlib import Path

from caduceus.io.phrases import printable
from caduceus.io.written_out import flow, lines_with_places
from caduceus.project.experiments import load_experiment
from caduceus.project.settings import key_finder, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="(config.yaml)")


def run(arguments: argparse.Namespace) -> None:
    settings = load_settings(arguments.config)
    experiment = load_experiment(
        arguments.experiment, settings.defaults, settings.wandb.groups, Path()
    )
    for line in lines_with_places(experiment.source):
        print(printable(line))
    given = experiment.source.value.get("parameters", {})
    added = {key: of for key, of in experiment.spec.parameters.items() if key not in given}
    if added:
        print("# further parameters, from `defaults`:")
    where = key_finder([str(arguments.config)])
    for key, value in added.items():
        print(printable(f"#   {flow(key)}: {flow(value)} # {where(['defaults', key])}"))
