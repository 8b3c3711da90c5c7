"""Caduceus: experiment files in, a paper's numbers out.

Public, and importable under these names for good: `caduceus.tracking`, `caduceus.data_order`,
`caduceus.analysis`, `caduceus.statistics`, `caduceus.wandb_log`, `caduceus.errors`, and the three
names below. Everything else is private.
"""

import importlib
import sys

__version__ = "0.1.0"

# The package's name on PyPI, where `caduceus` is a package of others.
DISTRIBUTION = "caduceus-ml"

# The workflow, for the Snakefile of a project of one's own: module caduceus: snakefile: SNAKEFILE
# Without pathlib, in whose import Ctrl-C would print a traceback: what comes after ends by a line.
SNAKEFILE = f"{__path__[0]}/project/pipeline/Snakefile"


def note_holder() -> None:
    """Start the process from which the commands of each run are forked: half their CPU.

    Call it in `onstart:` of a Snakefile that loads the workflow as a module. It also makes the
    environments that experiments name, and records that this Snakemake holds the folder's lock, as
    the workflow itself does by now.
    """
    # By name: every command imports this package, and a rule's digest follows import statements.
    importlib.import_module("caduceus.system.snakemake_lock").note_holder()
    importlib.import_module("caduceus.system.before_jobs").do_steps()
    importlib.import_module("caduceus.system.command_server.starting").start()


def check_config(path: str) -> None:
    """End with one line if the configuration has values that Snakemake can't read.

    Call it before `configfile:` in a Snakefile. A missing file is left to Snakemake.
    """
    from pathlib import Path

    if not Path(path).exists():
        return
    try:
        importlib.import_module("caduceus.io.yaml_files").load(Path(path), path)
    except importlib.import_module("caduceus.errors").CaduceusError as error:
        raise SystemExit(f"caduceus: {error}") from None


# Snakefiles written for earlier snapshots import `note_holder` from here.
sys.modules[f"{__name__}.locks"] = sys.modules[__name__]
