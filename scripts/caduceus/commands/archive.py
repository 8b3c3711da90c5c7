"""Archive everything that the paper's numbers were made from, as one zip for Zenodo."""

import argparse
import json
import os
from pathlib import Path

from caduceus.io.amounts import size
from caduceus.io.phrases import printable
from caduceus.overview.failures import entry_failures
from caduceus.paper.archive.create import make_archive
from caduceus.project.project import load_project

_ZENODO_GB = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "made", type=Path, nargs="+", help="one file of each group, sweep, table and figure"
    )
    parser.add_argument("--config", type=json.loads, required=True, help="configuration, as JSON")
    parser.add_argument(
        "--config-file", type=Path, nargs="*", default=[], help="the files it was read from"
    )
    parser.add_argument("--pipeline", type=Path, required=True, help="Caduceus's own folder")
    parser.add_argument(
        "--cores", type=int, default=1, help="cores to make an anonymous archive's paper with (1)"
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")


def run(arguments: argparse.Namespace) -> None:
    project = load_project(arguments.config, list(map(str, arguments.config_file)))
    results = Path(os.path.normpath(arguments.results))  # the rule derives it from its log's path
    config, files, pipeline = arguments.config, arguments.config_file, arguments.pipeline
    made = make_archive(project, config, files, results, arguments.made, pipeline, arguments.cores)
    for failed in entry_failures(results, arguments.made):
        print(*(printable(f"failed: {line}") for line in failed.errors), sep="\n")
    size_bytes = made.path.stat().st_size
    print(f"{made.path}: {made.files} files, {size(size_bytes)}")
    if made.left_out:
        print(
            f"left out: {made.left_out} files of {size(made.left_out_bytes)}; left_out.csv in the "
            "archive lists them with the reason"
        )
    if made.to_read:
        print("these may name somebody, or be other words; read them before you submit:")
        print(*(printable(f"  {line}") for line in made.to_read), sep="\n")
    if size_bytes > _ZENODO_GB * 10**9:
        print(f"Zenodo takes {_ZENODO_GB} GB; lower archive.max_file_mb in config.yaml")
