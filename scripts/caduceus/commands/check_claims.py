"""Decide all claims of the paper together, since p is corrected for their number."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from caduceus.io.failed_entries import Entry
from caduceus.io.files import Json, write_json, write_whole
from caduceus.paper.claim_formats import claims_markdown
from caduceus.paper.claims import FAILED, decide_claims, failed_claim
from caduceus.project.claims import Claim
from caduceus.runs.shown_runs import note_shown
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
    given, page = json.loads(arguments.claims), arguments.out.with_suffix(".md")
    claims = {name: Claim.from_json(claim) for name, claim in given.items()}
    methods = Methods(**json.loads(arguments.statistics))
    made = Entry("claims", arguments.out.parents[1], [arguments.out, page], arguments.log)

    def write(decided: Mapping[str, Json]) -> None:
        write_json(arguments.out, decided)
        write_whole(page, claims_markdown(decided))

    def write_failed(error: str) -> None:
        failed = [failed_claim(name, claim, error) for name, claim in claims.items()]
        write({"alpha": methods.alpha, "test": methods.used_test, "claims": failed})

    def describe(name: str, error: Exception) -> str:
        return made.line(error, f"claims/{name}")

    with made.costs_only_itself(write_failed) as errors:
        decided = decide_claims(arguments.plans, claims, methods, describe)
        write(decided)
        shown = {f"claims/{each['name']}": each["runs"] for each in decided["claims"]}
        note_shown(made.results, made.item, shown)
        errors += [each["reason"] for each in decided["claims"] if each["verdict"] == FAILED]
