"""The words that start Caduceus and Snakemake in the shell that it was started from.

pipx and `uv tool` put `caduceus` on PATH and leave `snakemake` in their environment; `uvx` and
`uv run` put neither there.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

_PASSING = "archive-v"  # how folders of environments begin that uvx makes for one command


def caduceus_words() -> str:
    """Return what starts `caduceus`: its name, its path, or a command of uv before its name."""
    if "UV_RUN_RECURSION_DEPTH" in os.environ:
        return "uv run caduceus"
    beside = _beside("caduceus")
    if "UV" in os.environ and beside.parent.parent.parent.name.startswith(_PASSING):
        return "uvx caduceus-ml"
    return "caduceus" if _is_typed("caduceus") else shlex.quote(str(beside))


def build_words() -> str:
    """Return what starts a build: `snakemake`, or `caduceus build` where that isn't on PATH."""
    words = caduceus_words()
    return "snakemake" if words == "caduceus" and _is_typed("snakemake") else f"{words} build"


def _is_typed(name: str) -> bool:
    """Whether the name alone starts the program of this environment, which may have none."""
    found, beside = shutil.which(name), _beside(name)
    if not beside.exists():
        return found is not None or name == "caduceus"
    return found is not None and Path(found).resolve() == beside.resolve()


def _beside(name: str) -> Path:
    return Path(sys.executable).with_name(name)
