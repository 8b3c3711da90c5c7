"""Decide all claims of the paper together, since p is corrected for their number."""

import argparse
import json
from pathlib import Path

from caduceus.io.files import write_json, write_whole
from caduceus.paper.claim_formats import claims_markdown
from caduceus.paper.claims import decide_claims
from caduceus.project.paper import Claim
from caduceus.statistics.settings import Methods


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "plans", type=Path, nargs="+", help="plans of the experiments that the claims name"
    )
    parser.add_argument("--claims", required=True, help="`paper.claims` as JSON")
    parser.add_argument("--statistics", required=True, help="`paper.statistics` as JSON")
    parser.add_argument(
        "--out", type=Path, required=True, help="claims.json; the page claims.md lies beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    given = json.loads(arguments.claims)
    claims = {name: Claim.from_json(claim) for name, claim in given.items()}
    decided = decide_claims(arguments.plans, claims, Methods(**json.loads(arguments.statistics)))
    write_json(arguments.out, decided)
    write_whole(arguments.out.with_suffix(".md"), claims_markdown(decided))
