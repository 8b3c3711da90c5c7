"""How each attempt at a run went on from the earlier ones, for the manifest."""

from collections.abc import Iterator, Sequence

from caduceus.exports.history import run_steps
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import ResumedAttempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import (
    has_lost_log,
    logs_of_attempt,
    resumption,
    stitch_attempt,
    stitch_attempts,
)
from caduceus.wandb_log import has_rows


def resumptions(folder: RunFolder, attempts: Sequence[Attempt]) -> Iterator[ResumedAttempt]:
    """Yield how each attempt with rows went on from the rows before, but for the first.

    An attempt after one whose rows are all lost has no rows before it, and is yielded too.

    Args:
        folder: the run's folder.
        attempts: its attempts, oldest first.

    Raises:
        LogError: a log can't be read.
    """
    steps: list[int] = []  # of the run's rows up to the attempt
    is_after_lost = False
    for place, attempt in enumerate(attempts if len(attempts) > 1 else ()):
        logs = logs_of_attempt(folder, attempt.number)
        if not logs or not has_rows(logs[0]):
            is_after_lost |= has_lost_log(folder, attempt.number)
            continue
        start, by, metric = attempt.resumed_from, attempt.resumed_by, attempt.resumed_metric
        if folder.is_further:
            found = resumption(folder, attempt, stitch_attempts(folder, attempts[:place]))
            start, by, metric = found.step, found.by, found.metric
        kept = [] if start is None else [step for step in steps if step < start]
        if steps or is_after_lost:
            yield ResumedAttempt(
                attempt=attempt.number,
                resumed_from=start,
                by=by,
                metric=metric,
                kept=len(kept),
                replaced=len(steps) - len(kept),
            )
        is_after_lost = False
        parts = stitch_attempt(folder, attempt, start)
        steps = kept + run_steps(parts, max(kept, default=None))
