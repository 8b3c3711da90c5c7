"""Mend Snakemake's scheduler: how long its queues may be, and what signals do to it."""

import _thread
import importlib
import signal
import time
from collections.abc import Iterable
from types import FrameType
from typing import Any, Protocol

_DEFAULT_LIMIT = (100, 1.0)  # jobs, seconds: Snakemake's --max-jobs-per-timespan
_WEIGHED_PER_SLOT = 4
_FEWEST_WEIGHED = 32
_TOGETHER_S = 2.0
_MOST_SIZES = 10_000  # that Snakemake keeps


class Limit(Protocol):
    """Snakemake's `MaxJobsPerTimespan`."""

    max_jobs: int
    timespan: float


class Scheduling(Protocol):
    """The used part of Snakemake's `SchedulingSettings`."""

    max_jobs_per_timespan: Limit | None
    subsample: int | None


def lighten_scheduling(settings: Scheduling, slots: int) -> None:
    """Change Snakemake's defaults for long queues; what the user chose otherwise stays.

    The limit of 100 started jobs a second goes. With any limit Snakemake 9 sets a timer each time
    that it looks at the queue, and looks again when the timer ends. So every finished job adds one
    more look a second, for as long as any job waits: after some hundred runs Snakemake takes a
    whole core. No start here is that frequent.

    Of the jobs that are ready, a random sample is weighed, since each look reads the sizes of all
    inputs of the weighed jobs.

    Args:
        settings: those of a workflow that Snakemake is about to execute, changed in place.
        slots: how many jobs can run at a time: cores, or jobs of a cluster.
    """
    limit = settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == _DEFAULT_LIMIT:
        settings.max_jobs_per_timespan = None
    if settings.subsample is None:
        settings.subsample = max(_FEWEST_WEIGHED, _WEIGHED_PER_SLOT * slots)


def look_up_sizes_once() -> None:
    """Make Snakemake's scheduler look up the sizes of a ready job's inputs once.

    A ready job's inputs are made. It looks at those of all weighed jobs each time that a job has
    ended, which was a sixth of what it did for each job.
    """
    scheduler: Any = importlib.import_module("snakemake.scheduling.job_scheduler").JobScheduler
    look_up = scheduler.update_input_sizes
    if getattr(look_up, "is_once", False):
        return

    async def update_input_sizes(self: Any, jobs: Iterable[Any]) -> None:
        known, weighed = self._input_sizes, list(jobs)
        unknown = [job for job in weighed if not all(path in known for path in job.input)]
        if len(known) + sum(len(job.input) for job in unknown) > _MOST_SIZES:
            unknown = weighed  # it forgets those of all other jobs
        await look_up(self, unknown)

    update_input_sizes.is_once = True  # type: ignore[attr-defined]
    scheduler.update_input_sizes = update_input_sizes


def take_sigterm_in_a_thread() -> None:
    """Make Snakemake's handler of SIGTERM wait for the scheduler's lock in a thread of its own.

    A handler runs in the main thread, which may have the lock, as while it notes that jobs have
    ended. Both then wait for ever; a signal to all processes of a build ends jobs at that moment.
    """
    scheduler: Any = importlib.import_module("snakemake.scheduling.job_scheduler").JobScheduler
    handler = scheduler.exit_gracefully
    if getattr(handler, "has_thread", False):
        return

    def exit_gracefully(self: object, *_: object) -> None:
        # `threading` has locks of its own, which the main thread may have as well.
        _thread.start_new_thread(handler, (self,))

    exit_gracefully.has_thread = True  # type: ignore[attr-defined]
    scheduler.exit_gracefully = exit_gracefully


def take_interrupts_once() -> None:
    """Make this process take signals of Ctrl-C that come together for one.

    The group of `caduceus try` gets one and passes it on. A second one breaks off the end of
    Snakemake, which waits for its jobs then; one that comes later is meant to.
    """
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual) or getattr(usual, "is_once", False):
        return
    taken_at = -_TOGETHER_S

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal taken_at
        before, taken_at = taken_at, time.monotonic()
        if taken_at - before >= _TOGETHER_S:
            usual(number, frame)

    take.is_once = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGINT, take)
