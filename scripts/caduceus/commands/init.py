"""Start a project: write a Snakefile, a configuration, an experiment and a program."""

import argparse
from pathlib import Path

from caduceus.project.init import create_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, help="the project's folder: a new one, or the one with your program"
    )
    parser.add_argument(
        "--program", type=Path, help="your training program in that folder, used unchanged"
    )
    parser.add_argument(
        "--config",
        default="config.yaml",
        help="name of the configuration file, if config.yaml is taken (config.yaml)",
    )


def run(arguments: argparse.Namespace) -> None:
    for path in create_project(arguments.folder, arguments.program, arguments.config):
        print(arguments.folder / path)
    print("\nNow:")
    if arguments.folder.resolve() != Path.cwd():
        print(f"  cd {arguments.folder}")
    print("  snakemake --cores 2")
    if arguments.program is None:
        print("  cat results/paper/tables/results.md")
