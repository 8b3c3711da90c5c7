"""Print an experiment with the files that it extends laid under it, and the place of each value.

    caduceus show experiments/cnn.yaml

The output is an experiment file that extends nothing, and its runs have the same ids.
"""

import argparse

from caduceus.commands import add_json
from caduceus.io.phrases import printable
from caduceus.overview.shown_experiment import find_shown, shown_json, shown_text
from caduceus.project.snakefile import chosen_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", help="the experiment file")
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    shown = find_shown(arguments.experiment, arguments.config)
    if arguments.json:
        print(shown_json(shown))
    else:
        for line in shown_text(shown):
            print(printable(line))
