"""A job's time limit: what a run that was warned of it does to go on in a next job."""

import sys

from caduceus.errors import SchedulerError
from caduceus.system.schedulers.job_files import JobFiles
from caduceus.system.slurm_time_limits import requeue_near_time_limit


def go_on_after_time_limit(has_saved: bool) -> None:
    """Have the job of this process go on later if its time limit is near; otherwise do nothing.

    SLURM requeues the job. For other schedulers the Snakemake that submitted it submits it again.

    Args:
        has_saved: whether there is a checkpoint to continue from.

    Raises:
        SchedulerError: the job would never finish, or SLURM refuses.
    """
    files = JobFiles.of_this_job()
    if files is None:
        requeue_near_time_limit("caduceus:", has_saved)
    elif files.is_at_limit() and has_saved:
        files.note_checkpoint()
        print("caduceus: the run goes on in its next job", file=sys.stderr, flush=True)
    elif files.is_at_limit():
        raise SchedulerError(
            "its time limit came before anything was saved in CADUCEUS_CHECKPOINT_DIR; save a "
            "checkpoint on SIGTERM or regularly, or raise `runtime`",
            files.base.name,
        )
