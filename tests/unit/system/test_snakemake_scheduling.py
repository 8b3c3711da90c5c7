"""The settings of Snakemake's scheduler, as real records of Snakemake."""

import asyncio
import signal
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from caduceus.system import snakemake_scheduling
from caduceus.system.snakemake_scheduling import (
    lighten_scheduling,
    look_up_sizes_once,
    take_interrupts_once,
    take_sigterm_in_a_thread,
)
from snakemake.cli import get_argument_parser
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.types import SchedulingSettings


def chosen(*words: str) -> SchedulingSettings:
    """What Snakemake makes of its arguments."""
    arguments = get_argument_parser().parse_args([*words])
    return SchedulingSettings(
        subsample=arguments.scheduler_subsample,
        max_jobs_per_timespan=arguments.max_jobs_per_timespan,
    )


def test_the_default_limit_of_starts_goes_and_a_sample_is_weighed() -> None:
    settings = chosen()
    lighten_scheduling(settings, 2)
    assert settings.max_jobs_per_timespan is None
    assert settings.subsample == 32


def test_the_sample_fills_every_slot() -> None:
    settings = chosen()
    lighten_scheduling(settings, 500)
    assert settings.subsample is not None
    assert settings.subsample >= 500


def test_what_the_user_chose_stays() -> None:
    settings = chosen("--max-jobs-per-timespan", "5/1m", "--scheduler-subsample", "7")
    lighten_scheduling(settings, 2)
    assert settings.max_jobs_per_timespan is not None
    assert settings.max_jobs_per_timespan.max_jobs == 5
    assert settings.subsample == 7


def test_a_second_call_changes_nothing() -> None:
    """Every input function of the workflow calls it."""
    settings = chosen()
    lighten_scheduling(settings, 2)
    before = vars(settings).copy()
    lighten_scheduling(settings, 2)
    assert vars(settings) == before


class _Input(str):
    """A file whose size is counted each time that it is looked up."""

    looked_up = 0

    async def exists(self) -> bool:
        return True

    async def size(self) -> int:
        self.looked_up += 1
        return len(self)


@pytest.mark.parametrize(("most", "times"), [(10_000, 1), (4, 2)])
def test_the_size_of_an_input_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch, most: int, times: int
) -> None:
    """Unless there are more than Snakemake keeps: then it knows those of the weighed jobs."""
    monkeypatch.setattr(snakemake_scheduling, "_MOST_SIZES", most)
    scheduler: Any = JobScheduler.__new__(JobScheduler)
    scheduler._input_sizes = {}
    look_up_sizes_once()
    look_up_sizes_once()
    jobs = [SimpleNamespace(input=[_Input(f"{name}{n}") for n in range(2)]) for name in "abc"]
    asyncio.run(scheduler.update_input_sizes(jobs[:2]))
    asyncio.run(scheduler.update_input_sizes(jobs[1:]))
    assert [path.looked_up for job in jobs for path in job.input] == [1, 1, times, times, 1, 1]
    assert {path: len(path) for job in jobs[1:] for path in job.input}.items() <= (
        scheduler._input_sizes.items()
    )


def test_sigterm_while_the_scheduler_has_its_lock_is_heard() -> None:
    scheduler: Any = JobScheduler.__new__(JobScheduler)  # of a workflow it needs nothing here
    scheduler._lock, scheduler._user_kill = threading.Lock(), None
    scheduler._open_jobs = threading.Semaphore(0)
    take_sigterm_in_a_thread()
    take_sigterm_in_a_thread()  # as in a process that parses two workflows
    before = signal.signal(signal.SIGTERM, scheduler.exit_gracefully)
    try:
        with scheduler._lock:
            signal.raise_signal(signal.SIGTERM)
            assert scheduler._user_kill is None
        scheduler._open_jobs.acquire()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert scheduler._user_kill == "graceful"


def test_signals_of_ctrl_c_that_come_together_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 10.5, 13.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    before, taken = signal.getsignal(signal.SIGINT), []
    signal.signal(signal.SIGINT, lambda number, frame: taken.append(number))
    try:
        take_interrupts_once()
        take_interrupts_once()
        for count in (1, 1, 2):  # that at 13 s is another one
            signal.raise_signal(signal.SIGINT)
            assert len(taken) == count
    finally:
        signal.signal(signal.SIGINT, before)
