"""Check an archive: that each file is what it was, and that the paper is rebuilt byte for byte.

It runs the programs in the archive that make tables and figures: check only what you trust.
Nothing is trained and no network is needed; a temporary folder takes the unpacked archive.
"""

import argparse
import os
from pathlib import Path

from caduceus.paper.archive.making import check_archive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="the zip")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="(all of the machine)")


def run(arguments: argparse.Namespace) -> None:
    check_archive(arguments.archive, arguments.cores, lambda line: print(line, flush=True))
    print(f"{arguments.archive}: whole, and its paper is rebuilt byte for byte")
