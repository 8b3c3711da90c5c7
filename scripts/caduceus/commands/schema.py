"""Print a JSON schema: of a file that you write, or of what a command prints with --json.

caduceus schema experiment
caduceus schema status
"""

import argparse
import json

from caduceus.errors import SpecError
from caduceus.io.schemas import find_schemas, read_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the schema; lists all of them without one")


def run(arguments: argparse.Namespace) -> None:
    known = find_schemas()
    if arguments.name is None:
        for name in known:
            print(f"{name:<12}{read_schema(known[name])['title']}")
    elif arguments.name in known:
        print(json.dumps(read_schema(known[arguments.name]), indent=2))
    else:
        raise SpecError(f"no such schema; there are {', '.join(known)}", arguments.name)
