"""Start a training program from a process that has imported its modules, where that is the same."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from caduceus.errors import ResultError
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.preloads import AUTO, ImportedModules, Modules, Preloads
from caduceus.system.started_programs import StartedProgram
from caduceus.training import wandb_environment
from caduceus.training.declared_imports import declared_imports

# What `caduceus train` sets for each run; a module that reads one of these is imported by each.
_VARYING = (
    *("CADUCEUS_*", "WANDB_RUN_ID", "WANDB_NAME", "WANDB_TAGS", "WANDB_RUN_GROUP", "WANDB_NOTES"),
    *("WANDB_DIR", "WANDB_DATA_DIR"),
)
_REPLACED = ("wandb.init", "wandb.login")  # by the shim
FORKED = "forked"
RECORD = "CADUCEUS_RECORD_MODULES"  # known to the shim


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
    """Fork a run's program, if its experiment preloads modules.

    Args:
        folder: the run's folder.
        program: the program's path in the project.
        words: its command line.
        environment: its complete environment.
        console: receives its output and errors.
        inherited: file descriptors that the program inherits.
        should_wait: is called twice a second until the program is forked; False ends the wait.
        say: is called with the reason why the program isn't forked, the first time in a build.

    Returns:
        The program, or None, and then start it afresh; and how it starts, for the attempt's record:
        None if its experiment preloads nothing.
    """
    preloads = Preloads.from_environment()
    wanted = _wanted(folder)
    declared = _declared(folder, program) if wanted == AUTO else ()
    modules = _imported_before(folder, program) or declared if wanted == AUTO else wanted
    if not modules:
        shown = "fresh: no run of the program has shown yet what it imports"
        return None, shown if wanted == AUTO else None
    # Few experiments need it.
    from caduceus.system.preloading.requests import Hook, NotForkedError
    from caduceus.system.preloading.starting import Preload, fork

    preload = Preload(
        modules=modules,
        base=declared if modules[: len(declared)] == declared else (),
        owner=preloads.owner,
        varying=_VARYING,
        replaced=_REPLACED,
        hook=Hook(wandb_environment.SHIM, "caduceus_shim"),
    )
    with Path("/dev/null").open("rb") as nothing:
        descriptors = {0: nothing.fileno(), 1: console.fileno(), 2: console.fileno()}
        descriptors |= {number: number for number in inherited}
        try:
            forked = fork(words, folder.code, environment, descriptors, preload, should_wait)
        except NotForkedError as error:
            if error.is_new:
                say(f"{folder.path.name}: not forked from a preloaded process: {error}")
            return None, f"fresh: {error}"
    return forked, FORKED


def recording_variables(folder: RunFolder) -> dict[str, str]:
    """Return the variables by which the shim records what a program imports, if that is wanted."""
    return {RECORD: "1"} if _wanted(folder) == AUTO else {}


def remember_imports(folder: RunFolder, attempt: int, program: str) -> None:
    """Write down what a program has imported, for its next run, if the shim has recorded it.

    Known modules keep their order, and stay, so that the runs of a build have one list: with each
    other list they would start another server.
    """
    if _wanted(folder) != AUTO:
        return
    known = _imported_before(folder, program) or _declared(folder, program)
    for path in folder.used(attempt).glob("*.jsonl"):
        for line in path.read_text(errors="replace").splitlines():
            if '"modules"' in line:
                with suppress(ValueError):  # the program was killed while it wrote
                    found = ImportedModules.from_json({"modules": json.loads(line)["modules"]})
                    known = tuple(dict.fromkeys([*known, *found.modules]))
    if known != _imported_before(folder, program):
        ImportedModules(modules=known).write(ImportedModules.path(folder.results, program))


def _wanted(folder: RunFolder) -> Modules:
    return Preloads.from_environment().modules.get(Identity.read(folder.run_json).experiment, ())


def _declared(folder: RunFolder, program: str) -> tuple[str, ...]:
    return declared_imports(folder.code / program, folder.code)


def _imported_before(folder: RunFolder, program: str) -> tuple[str, ...] | None:
    with suppress(ResultError):  # the file is damaged: it is written anew after this run
        found = ImportedModules.read_if_there(ImportedModules.path(folder.results, program))
        return found.modules if found else None
    return None
