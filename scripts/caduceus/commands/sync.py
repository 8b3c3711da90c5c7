"""Send runs to the W&B server, each row once, and compare what the server then holds."""

import argparse
import sys

from caduceus.commands import add_json, print_answer
from caduceus.errors import CaduceusError
from caduceus.project.snakefile import chosen_results
from caduceus.server.client import Server
from caduceus.server.sync_record import answer_of
from caduceus.server.uploader import Uploader, describe, run_folders, split_by_state
from caduceus.system.stop_signals import stopped_by_signal
from caduceus.system.wandb_account import find_account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", help="ids of runs (all)")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--watch", action="store_true", help="send runs while they are logged, too")
    add_json(choice)
    parser.add_argument("--jobs", type=int, default=4, help="runs sent at a time (4)")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to wait for a failing server (60)"
    )


def run(arguments: argparse.Namespace) -> None:
    names, results = arguments.runs, arguments.results
    ended, running = ([], []) if arguments.watch else split_by_state(run_folders(results, names))
    server = Server(find_account(), arguments.patience)
    uploader = Uploader(server, results, arguments.jobs, arguments.patience)
    if arguments.watch:
        print(f"watching {results / 'runs'}; Ctrl-C ends it", flush=True)
        uploader.watch(names, stopped_by_signal())
        return
    from tqdm import tqdm

    done = list(tqdm(uploader.sync(ended), total=len(ended), unit=" runs", disable=None))
    failed = [(folder, record) for folder, record in done if not record.is_synced]
    for folder, record in failed:
        print(describe(folder.path.name, record), file=sys.stderr)
    if not print_answer(arguments, {"runs": list(map(answer_of, done)), "running": running}):
        if running:
            print(f"still running, and left out: {len(running)}")
        print(f"synced, and equal on both sides: {len(done) - len(failed)}")
    if failed:
        raise CaduceusError(f"not synced, or not equal: {len(failed)} of {len(done)} runs")
