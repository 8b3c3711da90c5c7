"""The notes of a run in W&B: its experiment's description, and what its program added or set."""

from collections.abc import Sequence

from caduceus.exports.history import read_segment
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import description_at_start
from caduceus.wandb_log import Part


def present_notes(description: str, at_start: str | None, logged: Sequence[str]) -> str:
    """Return the present description of a run with its program's own notes.

    Args:
        description: the description, which may have been edited since the run was started.
        at_start: the description with which the program was started; None if it isn't known.
        logged: the notes in each of the run's logs, as the program left them.
    """
    own = (_own_notes(description, at_start, notes) for notes in reversed(logged))
    return "\n\n".join(filter(None, dict.fromkeys([description, next(filter(None, own), "")])))


def _own_notes(description: str, at_start: str | None, logged: str) -> str:
    if at_start is None:
        at_start = description if logged.startswith(description) else logged
    return logged.removeprefix(at_start).strip()


def notes_to_send(folder: RunFolder, parts: Sequence[Part]) -> str:
    """Return the notes that a run has on a server, given its logs.

    Raises:
        LogError: a log can't be read.
    """
    runs = [read_segment(part.path).run for part in parts]
    description = Identity.read(folder.run_json).notes
    return present_notes(
        description, description_at_start(folder), [run.notes for run in runs if run]
    )
