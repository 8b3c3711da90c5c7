"""List the refuted claims, and fail if there are any."""

import argparse
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.files import read_json, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("claims", type=Path, help="results/paper/claims.json")
    parser.add_argument("--out", type=Path, required=True, help="results/refuted.json")


def run(arguments: argparse.Namespace) -> None:
    claims = read_json(arguments.claims)["claims"]
    refuted = {claim["name"]: claim for claim in claims if claim["verdict"] == "refuted"}
    for name, claim in refuted.items():
        print(f"refuted: {name}: {claim['statement']} {claim['reason']}")
    if refuted:
        raise CaduceusError(
            f"refuted claims: {', '.join(refuted)}; change the paper, or set `claims: report` "
            "to build it nevertheless"
        )
    write_json(arguments.out, {"refuted": []})
