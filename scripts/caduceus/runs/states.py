"""The state of a run, read from its folder."""

from collections.abc import Sequence

from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.system import slurm
from caduceus.system.leases import is_held

# to do: no attempt was made. queued: a job of SLURM is to make one. interrupted: the next attempt
# goes on. to export: it has ended, and its export isn't made. skipped: its sweep doesn't need it.
STATES = (
    *("finished", "skipped", "running", "queued", "to do"),
    *("interrupted", "to export", "failed"),
)


def state_of(folder: RunFolder, queued: slurm.QueuedJob | None = None) -> tuple[str, str]:
    """The state of a run, one of `STATES`, and what is to be said about it.

    Args:
        folder: the run's.
        queued: the job of SLURM that is to make its next attempt, if there is one.
    """
    is_exported = folder.manifest_json.exists()
    if train := Train.read_if_there(folder.train_json):
        if train.state == "failed":
            return "failed", train.error or ""
        return train.state if is_exported else "to export", ""
    if is_exported:  # made elsewhere
        state = Summary.read(folder.summary_json).state
        return state if state in STATES else "failed", ""
    attempts = read_attempts(folder.attempts)
    where = f"SLURM job {queued.job_id}" if queued else ""
    if attempts and is_held(folder.lease, folder.lock):
        return "running", where or f"on {attempts[-1].host}"
    if queued and not queued.has_failed:
        return "queued", f"{where}, {queued.state.lower()}"
    return _left(attempts) if attempts else ("to do", "")


def _left(attempts: Sequence[Attempt]) -> tuple[str, str]:
    """The state of a run that somebody began and nobody is at work on."""
    last = attempts[-1]
    if last.state == "running":
        return "interrupted", "killed together with its supervisor"
    if last.state == "failed":
        return "interrupted", f"it will be tried again: {last.error}"
    return "interrupted" if last.state == "interrupted" else "to export", last.error or ""
