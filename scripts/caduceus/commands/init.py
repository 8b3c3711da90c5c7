"""Begin a project of your own: a Snakefile, a configuration, an experiment, a program."""

import argparse
from pathlib import Path

from caduceus.project.init import begin_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the project's folder, new or with your program")
    parser.add_argument(
        "--program", type=Path, help="a training program of yours in it, taken as it is"
    )
    parser.add_argument(
        "--config",
        default="config.yaml",
        help="what its configuration is called (config.yaml), where that is there already",
    )


def run(arguments: argparse.Namespace) -> None:
    for path in begin_project(arguments.folder, arguments.program, arguments.config):
        print(arguments.folder / path)
    print("\nNow:")
    if arguments.folder.resolve() != Path.cwd():
        print(f"  cd {arguments.folder}")
    print("  snakemake --cores 2")
    if arguments.program is None:
        print("  cat results/paper/tables/results.md")
