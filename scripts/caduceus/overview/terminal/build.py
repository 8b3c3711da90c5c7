"""The progress of a build, from the events of its jobs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

STATES = ("finished", "skipped", "running", "queued", "to do", "failed")  # of runs, as shown


@dataclass(frozen=True)
class Job:
    """A job of the build.

    Attributes:
        id: Snakemake's number of it.
        rule: its rule.
        name: its run or entry, for a reader.
        kind: jobs of one kind take about the same time.
        run: the id of the run that it belongs to; None for other jobs.
        trains: whether it trains this run.
        makes_files: whether it makes anything, unlike a target that only collects.
    """

    id: int
    rule: str
    name: str
    kind: str
    run: str | None = None
    trains: bool = False
    makes_files: bool = True


@dataclass(frozen=True)
class Active:
    """A job that was started: since when, and whether it waits in the queue of a cluster."""

    job: Job
    since: float
    is_queued: bool = False


class Build:
    """The jobs of a build and their states. Times are in seconds of one clock.

    Args:
        jobs: all planned jobs.
        now: the start of the build.
        usual_s: the seconds that a job of each kind took in earlier builds, where that is known.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        now: float,
        usual_s: Mapping[str, float] = MappingProxyType({}),
    ):
        self.jobs = {job.id: job for job in jobs}
        self.started = now
        self.active: dict[int, Active] = {}
        self.ended: dict[str, str] = {}  # runs whose training has ended: finished, failed, skipped
        self.failed: set[int] = set()  # jobs that failed and weren't started again
        self.done = 0
        self._usual_s = usual_s
        self._took_s: dict[str, list[float]] = defaultdict(list)
        self._left = Counter(job.kind for job in self.jobs.values())
        self._left_of_run = Counter(job.run for job in self.jobs.values() if job.run)
        self._most_active = 1

    @property
    def total(self) -> int:
        """The number of all jobs."""
        return len(self.jobs)

    def add(self, job: Job) -> None:
        """Add a job that wasn't planned at the start, as after a checkpoint."""
        if job.id not in self.jobs:
            self.jobs[job.id] = job
            self._left[job.kind] += 1
            if job.run:
                self._left_of_run[job.run] += 1

    def start(self, job_id: int, now: float, is_queued: bool = False) -> None:
        """Note that a job was started or, on a cluster, queued."""
        self.failed.discard(job_id)
        self.active[job_id] = Active(self.jobs[job_id], now, is_queued)
        running = sum(not each.is_queued for each in self.active.values())
        self._most_active = max(self._most_active, running)

    def finish(self, job_id: int, now: float, state: str = "finished") -> float:
        """Note that a job has ended, and return the seconds it took.

        Args:
            job_id: the job.
            now: the time.
            state: of its run, if the job trains one: finished, failed or skipped.
        """
        job, since = self.jobs[job_id], now
        if active := self.active.pop(job_id, None):
            since = active.since
            if state == "finished":
                self._took_s[job.kind].append(now - since)
        self.done += 1
        self._left[job.kind] -= 1
        if job.run:
            self._left_of_run[job.run] -= 1
        if job.run and job.trains:
            self.ended[job.run] = state
        return now - since

    def fail(self, job_id: int) -> None:
        """Note that a running job has failed; it may be started again."""
        if self.active.pop(job_id, None):
            self.failed.add(job_id)

    def has_lost(self, run: str) -> bool:
        """Whether the training of a run has failed for good."""
        return self.ended.get(run) == "failed"

    def has_ended(self, run: str) -> bool:
        """Whether all jobs of a run have ended."""
        return not self._left_of_run[run]

    def run_states(self) -> dict[str, int]:
        """Return how many of the runs to train are in each of `STATES`, without empty ones."""
        counts = Counter(self.ended.values())
        at_work = [each for each in self.active.values() if each.job.trains]
        counts["queued"] = sum(each.is_queued for each in at_work)
        counts["running"] = len(at_work) - counts["queued"]
        counts["failed"] += sum(self.jobs[job_id].trains for job_id in self.failed)
        runs = len({job.run for job in self.jobs.values() if job.trains})
        counts["to do"] = runs - counts.total()
        return {state: counts[state] for state in STATES if counts[state]}

    def left_s(self, now: float) -> float | None:
        """Return the estimated seconds until the end; None if a kind of job was never measured.

        As many jobs as ran at the same time so far are taken to go on running.
        """
        total = 0.0
        for kind, count in self._left.items():
            if count:
                seconds = self._seconds(kind)
                if seconds is None:
                    return None
                total += count * seconds
        for each in self.active.values():
            total -= min(now - each.since, self._seconds(each.job.kind) or 0.0)
        return max(0.0, total) / self._most_active

    def is_late(self, now: float) -> bool:
        """Whether a run takes so much longer than earlier ones that `left_s` says nothing.

        That is when it has gone on beyond the seconds of earlier runs for more than is left.
        """
        left = self.left_s(now)
        over = (
            now - each.since - seconds
            for each in self.active.values()
            if each.job.trains and not each.is_queued
            if (seconds := self._seconds(each.job.kind)) is not None
        )
        return left is not None and max(over, default=0.0) > left

    def _seconds(self, kind: str) -> float | None:
        """Return the mean seconds of a kind; of all jobs but training for an unmeasured rule."""
        if took := self._took_s.get(kind):
            return sum(took) / len(took)
        if kind in self._usual_s or kind.startswith("train "):
            return self._usual_s.get(kind)
        others = [
            s for kind, each in self._took_s.items() if not kind.startswith("train ") for s in each
        ]
        return sum(others) / len(others) if others else None
