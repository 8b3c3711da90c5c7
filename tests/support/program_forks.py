"""Training programs of tests, as forks of one process that has imported wandb.

An import of wandb, with what `wandb.init` imports, is three quarters of a test's run: a second of
CPU. So programs of experiments that preload nothing start as those with `preload` do, from one
process for all builds of a worker of pytest, and nothing is written down of it. A program starts
afresh where it would with `preload`, in an interpreter of its own, below commands that are
themselves new interpreters, and in tests with the fixture `fresh_programs`.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from caduceus.runs.folder import RunFolder
from caduceus.system.preloading import requests
from caduceus.system.preloading.starting import Preload, fork
from caduceus.system.started_programs import StartedProgram
from caduceus.training import attempt, preloading, wandb_environment

FRESH = "FRESH_PROGRAMS"  # the variable with which programs start afresh
# `wandb.init` imports the others.
MODULES = (
    "wandb",
    "wandb.apis.public",
    "wandb.sdk.launch.sweeps.scheduler",
    "wandb.sdk.lib.gitlib",
)
# What tests and `caduceus train` set: none is read while these modules are imported.
_VARYING = (
    *preloading._VARYING,
    *("PWD", "NO_PROXY", "no_proxy", "WATCHED_READS"),
    *("WANDB_BASE_URL", "WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"),
    *("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_SWEEP_ID", "WANDB__*"),
)


def fork_programs() -> None:
    """Fork the programs that `caduceus train` starts in a fork of this process."""
    fork_listed = attempt.fork_program
    preload = Preload(
        modules=MODULES,
        owner=os.getpid(),
        varying=_VARYING,
        replaced=preloading._REPLACED,
        hook=requests.Hook(wandb_environment.SHIM, "caduceus_shim"),
    )

    def fork_program(
        folder: RunFolder,
        program: str,
        words: Sequence[str],
        environment: Mapping[str, str],
        console: IO[bytes],
        inherited: Sequence[int],
        should_wait: Callable[[], bool],
        say: Callable[[str], None],
    ) -> tuple[StartedProgram | None, str | None]:
        given = (folder, program, words, environment, console, inherited, should_wait, say)
        forked, start = fork_listed(*given)
        if start is not None or FRESH in environment:
            return forked, start
        with Path(os.devnull).open("rb") as nothing:
            descriptors = {0: nothing.fileno(), 1: console.fileno(), 2: console.fileno()}
            descriptors |= {number: number for number in inherited}
            try:
                command = requests.parse(words, environment, folder.code)
                if command.interpreter != Path(sys.executable):
                    return None, None
                forked = fork(words, folder.code, environment, descriptors, preload, should_wait)
            except requests.NotForkedError:
                return None, None
        return forked, None

    attempt.fork_program = fork_program
