"""Show runs, curves, sweeps and the paper as they grow, on a page in your browser.

The board only reads results/. It prints its address, which has a token; on a login node, forward
the port: ssh -L 8765:localhost:8765 NODE, then open the address on your machine.
"""

import argparse
from pathlib import Path

from caduceus.errors import ResourceError
from caduceus.project.snakefile import chosen_results, config_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", type=Path, default=Path(), help="the project's folder (.)")
    parser.add_argument("--port", type=int, default=0, help="the port (any that is free)")


def run(arguments: argparse.Namespace) -> None:
    project: Path = arguments.project
    results = chosen_results("") if project == Path() else project / "results"
    if not results.is_dir() and not config_file(project).is_file():  # else its first build comes
        raise ResourceError("holds no results/; name the project's folder", str(project))
    from caduceus.overview.board.serving import serve

    serve(results, "127.0.0.1", arguments.port)
