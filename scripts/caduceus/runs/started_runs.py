"""The shim's notes beside the logs of an attempt: which process started which run."""

import json
from collections.abc import Iterator
from pathlib import Path

from caduceus.runs.files.attempt import StartedRun
from caduceus.runs.folder import RunFolder


def started_runs(folder: RunFolder, attempt: int) -> list[StartedRun]:
    """Return the runs that the processes of an attempt have started, in the order of their start.

    A process that continues a run, such as a second `wandb.init` with its id, starts it again.
    """
    found = []
    for note in _notes(folder.wandb(attempt) / "started-runs.jsonl"):
        try:
            found.append(StartedRun.from_json(note))
        except ValueError:
            continue
    return found


def disabled_in_ranks(folder: RunFolder, attempt: int) -> list[str]:
    """Return the ranks of the processes in which `wandb.init` started no run, sorted."""
    notes = _notes(folder.wandb(attempt) / "disabled-runs.jsonl")
    return sorted({str(note["rank"]) for note in notes if isinstance(note, dict)})


def _notes(path: Path) -> Iterator[object]:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the process was killed while it wrote
            continue
