"""Archive everything that the paper's numbers were made from, as one zip for Zenodo."""

import argparse
import json
import os
from pathlib import Path

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
    cores = arguments.cores
    made = make_archive(project, config, files, results, arguments.made, pipeline, cores)
    for failed in entry_failures(results, arguments.made):
        print(*(printable(f"failed: {line}") for line in failed.errors), sep="\n")
    megabytes = made.path.stat().st_size / 1e6
    print(f"{made.path}: {made.files} files, {megabytes:.1f} MB")
    if made.left_out:
        print(
            f"left out: {made.left_out} files of {made.left_out_bytes / 1e6:.1f} MB; left_out.csv "
            "in the archive lists them with the reason"
        )
    if made.to_read:
        print("these may name somebody, or be other words; read them before you submit:")
        print(*(printable(f"  {line}") for line in made.to_read), sep="\n")
    if megabytes > _ZENODO_GB * 1000:
        print(f"Zenodo takes {_ZENODO_GB} GB; lower archive.max_file_mb in config.yaml")
