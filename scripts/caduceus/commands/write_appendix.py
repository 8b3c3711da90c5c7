"""Write the appendix on the paper's artifact, for its reviewers, as Markdown and LaTeX."""

import argparse
import json
from functools import partial
from pathlib import Path

from caduceus.io.failed_entries import Entry, write_failed_files
from caduceus.io.files import write_whole
from caduceus.paper.appendix.blocks import to_latex, to_markdown
from caduceus.paper.appendix.content import TITLE, appendix
from caduceus.paper.appendix.reading import read_appendix
from caduceus.project.claims import Claim


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plans", type=Path, nargs="+", help="plans of all experiments")
    parser.add_argument("--datasets", type=Path, nargs="*", help="records of their datasets")
    parser.add_argument("--claims", required=True, help="`paper.claims` as JSON")
    parser.add_argument("--name", required=True, help="the archive's name")
    parser.add_argument("--mode", required=True, help="`wandb.mode`")
    parser.add_argument("--out", type=Path, required=True, help="appendix.md; LaTeX lies beside it")


def run(arguments: argparse.Namespace) -> None:
    out = arguments.out
    files = [out, out.with_suffix(".tex")]
    claims = {name: Claim.from_json(claim) for name, claim in json.loads(arguments.claims).items()}
    made = Entry("appendix", out.parents[1], files, arguments.log)
    with made.costs_only_itself(partial(write_failed_files, files)):
        data = read_appendix(
            arguments.plans, arguments.datasets, claims, out.parent, arguments.name, arguments.mode
        )
        sections = appendix(data)
        write_whole(out, to_markdown(TITLE, sections))
        write_whole(files[1], to_latex(TITLE, sections))
