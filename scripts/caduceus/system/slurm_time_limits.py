"""SLURM's time limit: requeue a job that was warned of it, to continue in its next allocation."""

import os
import sys
import time

from caduceus.errors import SlurmError
from caduceus.system import slurm

_NEAR_S = 300.0  # SLURM warns up to a minute early, and the program has taken its time to save
_MAX_RESTARTS = 100
_REQUEUE_S = 120.0  # within this time SLURM ends a job that it requeues


def requeue_near_time_limit(comment: str, has_saved: bool) -> None:
    """Requeue the SLURM job of this process if its time limit is near; otherwise do nothing.

    A job that is cancelled or preempted isn't in state RUNNING when it gets its signal, so it is
    left alone. SLURM itself requeues a preempted job.

    Args:
        comment: the beginning of the comment of jobs that may be requeued.
        has_saved: whether there is a checkpoint to continue from.

    Raises:
        SlurmError: the job would never finish, or SLURM refuses.
    """
    job_id = os.environ.get("SLURM_JOB_ID")
    job = slurm.show(job_id) if job_id else None
    if not job_id or job is None or not job.comment.startswith(comment):
        return
    if job.state != "RUNNING" or job.left_s > _NEAR_S:
        return
    where = f"SLURM job {job_id}"
    if not has_saved:
        raise SlurmError(
            "its time limit came before anything was saved in CADUCEUS_CHECKPOINT_DIR; save a "
            "checkpoint on SIGTERM or regularly, or raise `runtime`",
            where,
        )
    if job.restarts >= _MAX_RESTARTS:
        raise SlurmError(f"was requeued {job.restarts} times already; raise `runtime`", where)
    slurm.requeue(job_id)
    print(f"caduceus: {where} continues in its next allocation", file=sys.stderr, flush=True)
    time.sleep(_REQUEUE_S)  # until SLURM ends the job: an exit before would count as its end
