"""Exports of one run that the real SDK logged: from its log, and from a server that has it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from caduceus.exports.run import export_logs
from caduceus.runs.files.export import Summary
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log
from caduceus.server.runs import read_state
from caduceus.system.wandb_account import Account
from wandb_server import WandbServer

SYNC = """
import shutil, sys
from pathlib import Path
from caduceus.exports.run_files import saved_files
from caduceus.system.wandb_sdk import sync_log
from caduceus.wandb_log import read_log, stitch, write_stitched
log, staged = map(Path, sys.argv[1:])
shutil.copytree(log.parent / "files", staged / "files")
files = [name for name, source in saved_files([read_log(log)], []).items() if source]
write_stitched(stitch([log]), staged / log.name, files=files)
sync_log(staged / log.name, "alice", "p", 20)
"""


@dataclass(frozen=True)
class Exports:
    """A run `abc` of the project alice/p, and its two exports."""

    server: WandbServer
    log: Path
    here: Path
    there: Path

    @property
    def both(self) -> tuple[Path, Path]:
        return self.here, self.there

    def summaries(self) -> list[Summary]:
        return [Summary.read(folder / "run_summary.json") for folder in self.both]


def client(server: WandbServer, folder: Path, *words: str | Path) -> None:
    """Run Python as a user who is logged in to the server."""
    done = subprocess.run(
        [sys.executable, *words],
        env=server.environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def connect(server: WandbServer) -> Server:
    return Server(Account(server.url, server.key, "WANDB_API_KEY"), patience_s=0)


def export_from_server(server: WandbServer, folder: Path) -> Path:
    """Download run `abc` into `folder`, and export it there."""
    state = read_state(connect(server), RunPath("alice", "p", "abc"))
    assert state is not None
    log = folder / "run-abc.wandb"
    fetch_log(connect(server), state, log)
    export_logs([log], folder / "export")
    return folder / "export"


def log_and_export(server: WandbServer, folder: Path, program: str) -> Exports:
    """Run a program that logs run `abc` offline, deliver it to the server, and export both."""
    (folder / "train.py").write_text(program)
    client(server, folder, "train.py")
    (log,) = folder.glob("wandb-dir/wandb/offline-run-*/run-abc.wandb")
    client(server, folder, "-c", SYNC, log, folder / "offline-run-abc")
    export_logs([log], folder / "here")
    return Exports(server, log, folder / "here", export_from_server(server, folder / "server"))
