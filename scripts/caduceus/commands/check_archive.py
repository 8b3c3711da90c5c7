"""Check an archive: the digest of every file, and that the paper is rebuilt byte for byte.

The check runs the archive's own programs, so check only archives that you trust. Nothing is
trained, and no network is needed. The archive is unpacked into a temporary folder.
"""

import argparse
import os
import sys
from pathlib import Path

from caduceus.commands import add_json, print_answer
from caduceus.io.phrases import printable
from caduceus.paper.archive.check import check_archive
from caduceus.paper.archive.zips import Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="the zip")
    parser.add_argument(
        "--cores", type=int, default=os.cpu_count(), help="cores to use (all of this machine)"
    )
    parser.add_argument(
        "--max-gb", type=float, default=Limits.gb, help="10^9 bytes that it may unpack to (20)"
    )
    parser.add_argument(
        "--max-files", type=int, default=Limits.files, help="files that it may contain (200,000)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    lines = list[str]()

    def say(line: str) -> None:
        lines.append(line)
        print(printable(line), file=sys.stderr if arguments.json else sys.stdout, flush=True)

    limits = Limits(arguments.max_gb, arguments.max_files)
    check_archive(arguments.archive, arguments.cores, limits, say)
    if not print_answer(arguments, {"archive": arguments.archive, "lines": lines}):
        print(f"{arguments.archive}: whole, and its paper is rebuilt byte for byte")
