"""Start a project: write a Snakefile, a configuration, an experiment and a program."""

import argparse
import shlex
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.project.guesses import described
from caduceus.project.init import create_project
from caduceus.system.own_programs import build_words, caduceus_words


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
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    folder = arguments.folder
    new = create_project(folder, arguments.program, arguments.config)
    commands = [f"cd {shlex.quote(str(folder))}"] if folder.resolve() != Path.cwd() else []
    if new.guesses:
        commands.append(f"{caduceus_words()} plan")
    commands.append(f"{build_words()} --cores 2")
    if not new.guesses or new.guesses.metric:
        commands.append("cat results/paper/tables/results.md")
    answer = {"folder": folder, "files": new.files, "next": commands}
    if not print_answer(arguments, answer):
        print(*(folder / file for file in new.files), sep="\n")
        if new.guesses:
            print(f"\nGuessed from {arguments.program}, so check experiments/first.yaml:")
            print(*(f"  {line}" for line in described(new.guesses)), sep="\n")
        print("\nNow:", *(f"  {command}" for command in commands), sep="\n")
