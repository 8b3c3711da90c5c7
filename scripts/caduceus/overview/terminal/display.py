"""Shows a build: a picture on a terminal, else a line for each finished run or step."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from caduceus.io.phrases import printable
from caduceus.overview.terminal.build import Active, Build, Job
from caduceus.overview.terminal.messages import finished_line
from caduceus.overview.terminal.projects import ShownProject
from caduceus.overview.terminal.run_watch import RunWatch

if TYPE_CHECKING:  # rich takes 0.1 s, which only a picture needs
    from rich.console import RenderableType

    from caduceus.overview.terminal.picture import Snapshot
    from caduceus.overview.terminal.screen import Screen

_WATCHED = 50  # runs in a cluster's queue whose start is looked for at each picture


def is_terminal() -> bool:
    """Whether standard output and error are a terminal that can move its cursor."""
    knows_cursor = os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    return knows_cursor and sys.stdout.isatty() and sys.stderr.isatty()


class Display:
    """The display of a build.

    Args:
        projects: the projects of its jobs.
        is_live: whether to draw a picture.
        shows_steps: whether to show more than failures.
        write: prints lines where there is no picture.
    """

    def __init__(
        self,
        projects: Sequence[ShownProject],
        is_live: bool,
        shows_steps: bool,
        write: Callable[[str], None],
    ):
        self._projects = projects
        self._shows_steps = shows_steps
        self._write = write
        self._lock = threading.RLock()
        self._watches: dict[str, RunWatch] = {}
        self._remote: set[int] = set()  # jobs that ran on a cluster
        self._screen: Screen | None = None
        self._is_live = is_live and shows_steps
        self.build = Build([], time.monotonic())
        self.failures: dict[str, str] = {}  # reasons, by the name of the job or run

    def begin(self, jobs: Iterable[Job]) -> None:
        """Begin with the planned jobs."""
        usual_s: dict[str, float] = {}
        if self._is_live:
            for shown in self._projects:
                usual_s |= shown.usual_s()
        self.build = Build(jobs, time.monotonic(), usual_s)
        if self._is_live:
            from caduceus.overview.terminal.screen import Screen

            self._screen = Screen(self._picture)

    def project_of(self, run: str | None) -> ShownProject:
        """Return the project of a run; the first for a job without one."""
        return next(
            (each for each in self._projects if run in each.project.runs), self._projects[0]
        )

    def start(self, job: Job, is_queued: bool) -> None:
        """Show that a job was started or queued."""
        with self._lock:
            self.build.add(job)
            self.build.start(job.id, time.monotonic(), is_queued)
            if is_queued:
                self._remote.add(job.id)
            if self._screen and job.run and job.trains:
                shown = self.project_of(job.run)
                self._forget(job.run)
                self._watches[job.run] = RunWatch(shown.folder(job.run), shown.metric(job.run))

    def finish(self, job_id: int) -> None:
        """Show that a job has ended, and how the run that it trained did."""
        with self._lock:
            job = self.build.jobs[job_id]
            shown = self.project_of(job.run)
            training = shown.training(job.run) if job.run and job.trains else None
            state = training.state if training else "finished"
            seconds = self.build.finish(job_id, time.monotonic(), state)
            self.failures.pop(job.name, None)
            if job.run:
                self._forget(job.run)
            if training and state == "failed":
                self.fail(job.id, training.error or "", is_said=True)
            elif job.run is None and job.makes_files:
                self._step(job.name, seconds)
            elif job.run and self.build.has_ended(job.run) and not self.build.has_lost(job.run):
                training = shown.training(job.run) if job.run in self.build.ended else None
                name = shown.title(job.run) if training else job.name
                self._step(name, training.kept_s if training else seconds, shown.result(job.run))

    def fail(self, job_id: int, reason: str, is_said: bool) -> None:
        """Show that a job, or the run that it trained, has failed.

        Args:
            job_id: the job.
            reason: why, in one line.
            is_said: whether its command has written the reason to standard error, which on a
                cluster isn't this terminal.
        """
        with self._lock:
            job = self.build.jobs[job_id]
            self.build.fail(job_id)
            self.failures[job.name] = reason
            if not is_said or job_id in self._remote:
                self.say(f"failed: {job.name}: {reason}", "red")

    def retry(self, job_id: int) -> None:
        """Show that a job that failed is tried again."""
        self.say(f"tried again: {self.build.jobs[job_id].name}")

    def say(self, text: str, style: str = "") -> None:
        """Print lines, above the picture if there is one."""
        if self._screen:
            self._screen.print(text, style)
        else:
            self._write(printable(text))

    def stop(self) -> None:
        """Remove the picture."""
        if self._screen:
            self._screen.stop()
            self._screen = None
        for run in list(self._watches):
            self._forget(run)

    def _step(self, name: str, seconds: float, about: str = "") -> None:
        if self._shows_steps and not self._screen:
            at = f"[{self.build.done}/{self.build.total}]"
            self.say(f"{at} {finished_line(name, seconds, about)}")

    def _forget(self, run: str) -> None:
        if watch := self._watches.pop(run, None):
            watch.close()

    def _picture(self, width: int, height: int) -> "RenderableType":
        from caduceus.overview.terminal.picture import picture

        with self._lock:
            return picture(self._snapshot(height), width, height)

    def _snapshot(self, height: int) -> "Snapshot":
        from caduceus.overview.terminal.picture import RunningLine, Snapshot

        now, build = time.monotonic(), self.build
        self._find_started(now)
        at_work = [each for each in build.active.values() if not each.is_queued]
        at_work.sort(key=lambda each: (not each.job.trains, each.since))
        lines = [
            RunningLine(each.job.name, self._about(each) if at < height else "", now - each.since)
            for at, each in enumerate(at_work)
        ]
        return Snapshot(
            build.run_states(),
            build.done,
            build.total,
            now - build.started,
            build.left_s(now),
            lines,
            build.is_late(now),
        )

    def _about(self, active: Active) -> str:
        watch = self._watches.get(active.job.run or "") if active.job.trains else None
        return watch.look() if watch else ""

    def _find_started(self, now: float) -> None:
        """Take the queued jobs as running whose run has begun an attempt."""
        queued = [each.job for each in self.build.active.values() if each.is_queued]
        for job in queued[:_WATCHED]:
            watch = self._watches.get(job.run or "")
            if watch and watch.has_started():
                self.build.start(job.id, now)
