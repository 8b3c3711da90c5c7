"""How far a run is that is at work, by its growing log."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from caduceus.io.files import read_json
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt
from caduceus.wandb_log import RowWatch, has_rows


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: of its last row; None before the first.
        steps: how many it will have, by those of its variant that have finished; None if none has.
        elapsed_s: since its attempt began.
        left_s: until it has finished, by its own pace if it is known, else by the time others took,
            of which it may have had more already.
    """

    step: int | None
    steps: int | None
    elapsed_s: float
    left_s: float | None


def last_step(folder: RunFolder, attempt: Mapping[str, Any]) -> int | None:
    """The step of the last row that an attempt has logged so far; None before the first."""
    logs = [path for path in logs_of_attempt(folder, attempt["attempt"]) if has_rows(path)]
    if not logs:
        return None
    with closing(RowWatch(logs[-1])) as watch:
        return watch.last_step()


def usual_steps(finished: Iterable[RunFolder]) -> int | None:
    """The last step of the first of some runs that tells it, and one more; None if none does."""
    for folder in finished:
        summary = folder.path / "run_summary.json"
        step = read_json(summary)["summary"].get("_step") if summary.exists() else None
        if step is not None:
            return int(step) + 1
    return None


def progress_of(
    folder: RunFolder,
    attempt: Mapping[str, Any],
    steps: int | None,
    usual_s: float | None,
    now: datetime | None = None,
) -> Progress:
    """How far a run is.

    Args:
        folder: the run's.
        attempt: the one at work.
        steps: how many it will have, if that is known.
        usual_s: how long such a run takes, in seconds, if that is known.
        now: the time; None for that of the clock.
    """
    begun = datetime.fromisoformat(attempt["started_at"])
    elapsed_s = ((now or datetime.now(UTC)) - begun).total_seconds()
    step = last_step(folder, attempt)
    note = folder.restored(attempt["attempt"])
    first = (read_json(note)["resumed_from"] or 0) if note.exists() else 0
    left_s = None
    if step is not None and steps is not None and step >= first:
        left_s = max(0.0, elapsed_s * (steps - step - 1) / (step + 1 - first))
    elif usual_s is not None:
        left_s = usual_s - elapsed_s
    return Progress(step, steps, elapsed_s, left_s)
