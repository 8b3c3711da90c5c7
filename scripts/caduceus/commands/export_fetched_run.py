"""Export a remote run: download from the W&B server what is missing here, then export it."""

import argparse

from caduceus.commands import export_run
from caduceus.exports.failures import named
from caduceus.exports.run import export_run as export
from caduceus.exports.run import export_skipped
from caduceus.runs.files.server_state import SKIPPED, ServerState
from caduceus.runs.folder import RunFolder
from caduceus.server.logs import fetched_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    export_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.out.parent)
    state = ServerState.read(folder.server_json)
    if state.state == SKIPPED:
        export_skipped(folder)
        return
    with named(folder.path.name):
        export(folder, fetched_log(state, folder.server))
    export_run.report_notes(arguments.out)
