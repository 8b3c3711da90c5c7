"""Export a run from W&B's log: summary, history, system metrics, media, artifacts."""

import argparse
import sys
from pathlib import Path

from caduceus.exports.failures import named
from caduceus.exports.run import export_run as export
from caduceus.runs.export_notes import export_notes
from caduceus.runs.files.export import Manifest
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/manifest.json")


def run(arguments: argparse.Namespace) -> None:
    for folder in with_further_runs(RunFolder(arguments.out.parent)):
        with named(folder.path.name):
            export(folder)
    report_notes(arguments.out)


def report_notes(manifest: Path) -> None:
    """Print what the log has lost, and how the export differs from the run's plan."""
    read = Manifest.read(manifest)
    damage = [f"the log is damaged: {read.lost}"] if read.lost else []
    for note in [*damage, *export_notes(read)]:
        print(f"caduceus export-run: {manifest.parent.name}: {note}", file=sys.stderr)
