"""Answer questions about results/ to a client of the Model Context Protocol.

A client, such as an editor or an assistant, starts this server as .mcp.json says, and talks to it
on standard input and output. The server only reads.
"""

import argparse
import importlib.util
import os
from pathlib import Path

from caduceus.errors import ResourceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", type=Path, default=Path(), help="the project's folder (.)")


def run(arguments: argparse.Namespace) -> None:
    if not arguments.project.is_dir():
        raise ResourceError("no such folder; name the project's folder", str(arguments.project))
    if importlib.util.find_spec("mcp") is None:
        raise ResourceError("needs the package mcp: pip install 'mcp>=2,<3'")
    from caduceus.overview.mcp.sdk import serve
    from caduceus.overview.mcp.toolbox import INSTRUCTIONS, tools

    os.chdir(arguments.project)  # provenance has paths from there
    serve(tools(Path("results")), INSTRUCTIONS)
