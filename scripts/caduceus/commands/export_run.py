"""Export a run from W&B's log: summary, history, system metrics, media, artifacts."""

import argparse
import sys
from pathlib import Path

from caduceus.exports.run import damage_of, export_run, export_skipped
from caduceus.io.files import read_json
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import with_further_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        choices=["local", "api"],
        default="local",
        help="its logs, or the server (local)",
    )
    parser.add_argument("--out", type=Path, required=True, help="results/runs/RUN/manifest.json")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.out.parent)
    log = None
    if arguments.source == "api":
        from caduceus.server.logs import fetched_log
        from caduceus.server.refresh import SKIPPED
        from caduceus.server.runs import RunState

        state = RunState.from_json(read_json(folder.path / "server.json"))
        if state.state == SKIPPED:
            export_skipped(folder)
            return
        log = fetched_log(state, folder.server)
    for each in with_further_runs(folder) if log is None else [folder]:
        export_run(each, log)
    lost = damage_of(arguments.out)
    if lost:
        print(
            f"caduceus export-run: {arguments.out.parent.name}: the log is damaged: {lost}",
            file=sys.stderr,
        )
