"""Keep Snakemake's scheduler from weighing thousands of ready jobs at every step."""

from typing import Protocol

_DEFAULT_LIMIT = (100, 1.0)  # jobs, seconds: Snakemake's --max-jobs-per-timespan
_WEIGHED_PER_SLOT = 4
_FEWEST_WEIGHED = 32


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
