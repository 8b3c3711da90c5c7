"""Print a JSON schema: of a file that you write, or of what a command prints with --json.

caduceus schema experiment
caduceus schema status
"""

import argparse
import json

from caduceus.commands import add_json, print_answer
from caduceus.errors import SpecError
from caduceus.io.schemas import find_schemas, read_schema, whole_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the schema; lists all of them without one")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    known = find_schemas()
    if arguments.name is None:
        titles = {name: read_schema(path)["title"] for name, path in known.items()}
        if not print_answer(arguments, {"schemas": titles}):
            print(*(f"{name:<15}{title}" for name, title in titles.items()), sep="\n")
    elif arguments.name in known:
        print(json.dumps(whole_schema(arguments.name), indent=2))
    else:
        raise SpecError(f"no such schema; there are {', '.join(known)}", arguments.name)
