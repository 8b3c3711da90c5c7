"""Check this machine and this project, and say how to fix what is wrong."""

import argparse
from pathlib import Path

from caduceus.commands import add_json
from caduceus.io.answers import answer_text
from caduceus.overview.doctor.examination import examine
from caduceus.project.snakefile import chosen_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    findings = []
    for finding in examine(Path(), arguments.config):
        findings.append(finding)
        if not arguments.json:
            print(finding, flush=True)
    if arguments.json:
        print(answer_text({"findings": findings}))
    return int(any(finding.level == "error" for finding in findings))
