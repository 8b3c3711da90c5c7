"""Send runs to the W&B server, each row once, and compare what the server then holds."""

import argparse
import sys

from caduceus.commands import PARTIAL, add_json, print_answer
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
    about = "seconds to wait for a failing server (60)"
    parser.add_argument("--patience", type=float, default=60, help=about)


def run(arguments: argparse.Namespace) -> int:
    names, results = arguments.runs, arguments.results
    split = split_by_state([] if arguments.watch else run_folders(results, names))
    server = Server(find_account(), arguments.patience)
    uploader = Uploader(server, results, arguments.jobs, arguments.patience)
    if arguments.watch:
        print(f"watching {results / 'runs'}; Ctrl-C ends it", flush=True)
        return 0 if uploader.watch(names, stopped_by_signal()) else PARTIAL
    from tqdm import tqdm

    total = len(split.ended)
    done = list(tqdm(uploader.sync(split.ended), total=total, unit=" runs", disable=None))
    failed = [describe(each.path.name, record) for each, record in done if not record.is_synced]
    for text in (*failed, *split.damaged):
        print(text, file=sys.stderr)
    rest = {"running": split.running, "damaged": split.damaged}
    if not print_answer(arguments, {"runs": list(map(answer_of, done)), **rest}):
        if split.running:
            print(f"still running, and left out: {len(split.running)}")
        print(f"synced, and equal on both sides: {len(done) - len(failed)}")
    if failed:
        raise CaduceusError(f"not synced, or not equal: {len(failed)} of {len(done)} runs")
    return PARTIAL if split.damaged else 0
