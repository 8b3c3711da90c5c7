"""Record how a program that ended well was tracked: its runs, and what lies outside of them."""

import os
from dataclasses import replace

from caduceus.io.phrases import listed
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt, notable_starts
from caduceus.runs.started_runs import disabled_in_ranks
from caduceus.runs.training_notes import ENVIRONMENT, elsewhere_note
from caduceus.training.usage import imported_modules
from caduceus.training.working_folder import left_files, logs_elsewhere

_SHOWN = 2


def record_tracking(folder: RunFolder, attempt: Attempt, program: str) -> Attempt:
    """Return an attempt whose program ended well with what is known of its tracking.

    It has failed if there is no log of the run and the program logged to W&B elsewhere: its
    rows would be missing in every result. A program that didn't log at all has finished.

    Args:
        folder: the run's folder.
        attempt: the attempt.
        program: the program's name, for the message.
    """
    started = tuple(notable_starts(folder, attempt.number)) or None
    attempt = replace(attempt, started_runs=started, left_files=left_files(folder.code))
    is_tracked = bool(logs_of_attempt(folder, attempt.number))
    # Other runs may write to what is linked: a log there says something only if there is no other.
    found = logs_elsewhere(folder.code, attempt.start_s, follow_links=not is_tracked)
    where = elsewhere_note([os.path.relpath(path) for path in found])
    if is_tracked:
        return replace(attempt, logged_elsewhere=where if found else None)
    if not found:
        return replace(attempt, untracked=_reason(folder, attempt.number))
    message = f"{program} ended well, but it {where}"
    return replace(attempt, state="failed", error=message, untracked=message)


def _reason(folder: RunFolder, number: int) -> str:
    """Return why a program logged nothing, as far as the shim has noted it."""
    ranks = disabled_in_ranks(folder, number)
    if not ranks and "wandb" not in imported_modules(folder.used(number)):
        return f"no process with {ENVIRONMENT} imported wandb; log by wandb.init and wandb.log"
    if not ranks:
        return f"wandb.init wasn't called by a process with {ENVIRONMENT}"
    if "0" in ranks:
        return "wandb is disabled in it, by mode='disabled', WANDB_MODE or WANDB_DISABLED"
    return f"wandb.init was called in rank {listed(ranks, _SHOWN)}, and only rank 0 is tracked"
