"""Send runs to the W&B server, each row once, and compare what the server then holds."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.server.client import Server
from caduceus.server.uploader import Uploader, describe, has_ended, has_nothing_to_sync, run_folders
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", help="ids of runs (all)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="(results)")
    parser.add_argument(
        "--watch", action="store_true", help="keep going, and send runs while they are being logged"
    )
    parser.add_argument("--jobs", type=int, default=4, help="runs sent at a time (4)")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to wait for a failing server (60)"
    )


def run(arguments: argparse.Namespace) -> None:
    folders = [] if arguments.watch else run_folders(arguments.results, arguments.runs)
    server = Server(find_account(), arguments.patience)
    uploader = Uploader(server, arguments.results, arguments.jobs, arguments.patience)
    if arguments.watch:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        print(f"watching {arguments.results / 'runs'}; Ctrl-C ends it", flush=True)
        uploader.watch(arguments.runs, stopped)
        return
    from tqdm import tqdm

    ended = [folder for folder in folders if has_ended(folder)]
    done = list(tqdm(uploader.sync(ended), total=len(ended), unit=" runs", disable=None))
    failed = [(folder, record) for folder, record in done if not record.is_synced]
    for folder, record in failed:
        print(describe(folder.path.name, record), file=sys.stderr)
    running = [f for f in folders if not has_ended(f) and not has_nothing_to_sync(f)]
    if running:
        print(f"still running, and left out: {len(running)}")
    print(f"synced, and equal on both sides: {len(done) - len(failed)}")
    if failed:
        raise CaduceusError(f"not synced, or not equal: {len(failed)} of {len(done)} runs")
