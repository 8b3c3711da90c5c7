"""Check an archive: the digest of every file, and that the paper is rebuilt byte for byte.

The check runs the archive's own programs, so check only archives that you trust. Nothing is
trained, and no network is needed. The archive is unpacked into a temporary folder.
"""

import argparse
import os
from pathlib import Path

from caduceus.paper.archive.check import check_archive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="the zip")
    parser.add_argument(
        "--cores", type=int, default=os.cpu_count(), help="cores to use (all of this machine)"
    )


def run(arguments: argparse.Namespace) -> None:
    check_archive(arguments.archive, arguments.cores, lambda line: print(line, flush=True))
    print(f"{arguments.archive}: whole, and its paper is rebuilt byte for byte")
