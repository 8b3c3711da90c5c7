"""The state of a run, read from its folder."""

from collections.abc import Sequence

from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.record import RunRecord
from caduceus.system import slurm
from caduceus.system.leases import is_held

# to do: no attempt was made. queued: a SLURM job will make one. interrupted: the next attempt
# resumes it. to export: it has ended and isn't exported yet. skipped: its sweep doesn't need it.
STATES = (
    *("finished", "skipped", "running", "queued", "to do"),
    *("interrupted", "to export", "failed"),
)


def state_of(record: RunRecord, queued: slurm.QueuedJob | None = None) -> tuple[str, str]:
    """Return the state of a run, one of `STATES`, and the reason or the place that goes with it.

    Args:
        record: the run.
        queued: the SLURM job that makes its next attempt, if there is one.

    Raises:
        ResultError: one of its files is damaged.
    """
    folder = record.folder
    is_exported = folder.manifest_json.exists()
    if record.train:
        if record.train.state == "failed":
            return "failed", record.train.error or ""
        if record.train.state not in STATES:  # of a damaged file, or of another version
            return "failed", f"its train.json has the state {record.train.state!a}"
        return record.train.state if is_exported else "to export", ""
    if is_exported:  # a remote run
        state = record.summary.state
        return state if state in STATES else "failed", ""
    attempts = read_attempts(folder.attempts)
    where = f"SLURM job {queued.job_id}" if queued else ""
    if attempts and is_held(folder.lease, folder.lock):
        return "running", where or f"on {attempts[-1].host}"
    if queued and not queued.has_failed:
        return "queued", f"{where}, {queued.state.lower()}"
    return _left(attempts) if attempts else ("to do", "")


def _left(attempts: Sequence[Attempt]) -> tuple[str, str]:
    """Return the state of a run that was started and isn't running."""
    last = attempts[-1]
    if last.state == "running":
        return "interrupted", "killed together with its supervisor"
    if last.state == "failed":
        return "interrupted", f"it will be tried again: {last.error}"
    return "interrupted" if last.state == "interrupted" else "to export", last.error or ""
