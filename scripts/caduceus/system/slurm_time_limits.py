"""SLURM's time limit: a job that was warned of it goes on in a next allocation."""

import os
import sys
import time

from caduceus.errors import SlurmError
from caduceus.system import slurm

_NEAR_S = 300.0  # SLURM warns up to a minute early, and what was warned has taken its time to end
_MOST_RESTARTS = 100
_ENDS_S = 120.0  # within which SLURM ends what it has put back


def go_on_later(comment: str, has_saved: bool) -> None:
    """Put the SLURM job in which we run back into the queue, if its time is nearly up.

    Nothing happens to any other job: one that is cancelled or preempted isn't running any more when
    it is asked to stop, and SLURM puts a preempted one back itself.

    Args:
        comment: how the comments of jobs begin that may be put back.
        has_saved: whether there is anything to go on from.

    Raises:
        SlurmError: it would never end, or SLURM refuses.
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
    if job.restarts >= _MOST_RESTARTS:
        raise SlurmError(f"started {job.restarts} times already; raise `runtime`", where)
    slurm.requeue(job_id)
    print(f"caduceus: {where} goes on in its next allocation", file=sys.stderr, flush=True)
    time.sleep(_ENDS_S)  # an exit status of ours would come before SLURM's own end of the job
