"""What all schedulers have in common: a job's needs, the jobs in a queue, calls of its programs."""

import getpass
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from caduceus.errors import SchedulerError
from caduceus.system import processes

State = Literal["waiting", "running", "ending", "stuck"]
_CANCELLED_AT_ONCE = 100  # jobs in one command line
# Errors of a scheduler's programs while its server can't be reached; any other is a refusal.
_OUTAGE = re.compile(
    r"unable to (contact|send)|can't (connect|reach)|cannot connect|connect(ion)? (failure|refused|"
    r"timed out|reset)|timed out|no server|server (is )?(down|not)|not responding|socket|transport|"
    r"temporarily|try again|commlib|got (send|receive) error|failed to (fetch|connect)|is down",
    re.IGNORECASE,
)


class OutageError(SchedulerError):
    """The scheduler doesn't answer at the moment."""


class LimitError(SchedulerError):
    """No more jobs may be submitted until some have ended."""


@dataclass(frozen=True)
class JobRequest:
    """The needs of a job.

    Attributes:
        name: its name in the queue.
        script: the shell script that it runs.
        folder: the project's folder.
        threads: CPUs, on one node.
        mem_mb: memory in MB, of the whole job; 0 for the site's default.
        gpus: whole GPUs.
        gpu_model: their kind, as the site calls it.
        minutes: time limit; 0 for the site's default.
        queue: the queue or partition; empty for the site's default.
        account: the account or project that pays; empty for the default.
        hardware: the options for CPUs, memory and GPUs, if the site has its own.
        extra: further options, which stand last.
    """

    name: str
    script: Path
    folder: Path
    threads: int = 1
    mem_mb: int = 0
    gpus: int = 0
    gpu_model: str = ""
    minutes: int = 0
    queue: str = ""
    account: str = ""
    hardware: tuple[str, ...] | None = None
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueuedJob:
    """A job in the queue.

    Attributes:
        job_id: its id.
        state: "ending" if it was cancelled, "stuck" if it won't run before somebody acts.
        name: its name; some schedulers shorten it.
        reason: why it is stuck, if the scheduler says so.
    """

    job_id: str
    state: State
    name: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Scheduler:
    """How to talk to a scheduler.

    Attributes:
        name: the name of its profile in workflow/profiles/.
        title: its name in messages.
        programs: those that tell it from other schedulers; the first submits jobs.
        submission: returns a command line and its standard input.
        read_id: finds the job's id in what the first command prints.
        queue: the command that lists the user's jobs.
        read_queue: reads the list.
        cancel: the command before the ids of jobs.
        find: the command that prints the ids of jobs with a name, where the list shortens names.
        limit: what it says if no more jobs may be submitted now.
        empty: what it says on standard error if the queue is empty, and fails.
    """

    name: str
    title: str
    programs: tuple[str, ...]
    submission: Callable[[JobRequest], tuple[list[str], str]]
    read_id: Callable[[str], str]
    queue: Callable[[], list[str]]
    read_queue: Callable[[str], Iterable[QueuedJob]]
    cancel: tuple[str, ...]
    find: Callable[[str], list[str]] | None = None
    limit: re.Pattern[str] = re.compile("(?!)")
    empty: re.Pattern[str] = re.compile("(?!)")

    def is_installed(self) -> bool:
        """Whether jobs can be submitted from this host."""
        return all(shutil.which(program) for program in self.programs)

    def submit(self, request: JobRequest) -> str:
        """Submit a job, and return its id.

        Raises:
            OutageError: the scheduler doesn't answer; it may have taken the job nevertheless.
            LimitError: no more jobs may be submitted until some have ended.
            SchedulerError: the scheduler refuses the job.
        """
        words, stdin = self.submission(request)
        printed = self._call(words, stdin)
        job_id = self.read_id(printed)
        if not job_id:
            said = " ".join(printed.split())[:200]
            raise SchedulerError(f"{words[0]} named no job but said: {said}", self.title)
        return job_id

    def jobs(self, time_limit_s: float = 60) -> dict[str, QueuedJob]:
        """Return the user's jobs that haven't ended, by id.

        Raises:
            SchedulerError: the scheduler doesn't answer, or there is none.
        """
        printed = self._call(self.queue(), time_limit_s=time_limit_s)
        try:
            return {job.job_id: job for job in self.read_queue(printed)}
        except ValueError as error:  # an answer that breaks off
            raise OutageError(f"its list of jobs can't be read ({error})", self.title) from None

    def find_named(self, name: str) -> str | None:
        """Return the id of a job with this name that hasn't ended; None if there is none."""
        if self.find is None:
            known = [job for job in self.jobs().values() if job.name == name]
            return next((job.job_id for job in known if job.state != "ending"), None)
        return self.read_id(self._call(self.find(name))) or None

    def cancel_jobs(self, job_ids: Sequence[str]) -> None:
        """Cancel jobs; those that have ended are ignored."""
        for start in range(0, len(job_ids), _CANCELLED_AT_ONCE):
            try:
                self._call([*self.cancel, *job_ids[start : start + _CANCELLED_AT_ONCE]])
            except OutageError:
                raise
            except SchedulerError:
                continue  # fails if any of the jobs has ended; the others are cancelled

    def _call(self, words: Sequence[str], stdin: str = "", time_limit_s: float = 60) -> str:
        try:
            answer = processes.capture(words, stdin, time_limit_s)
        except processes.StartError:
            raise SchedulerError(
                f"there is no {words[0]} here; work on a node from which jobs can be submitted, or "
                "run on this machine without the profile"
            ) from None
        if answer is None:
            raise OutageError(f"{self.title} doesn't answer")
        if answer.exit_code == 0 or self.empty.search(answer.error):
            return answer.output.strip()
        error = " ".join((answer.error.strip() or answer.output.strip()).split())[:400]
        if self.limit.search(error):
            raise LimitError(f"{self.title} takes no more jobs for now ({error}); lower --jobs")
        if _OUTAGE.search(error):
            raise OutageError(f"{self.title} doesn't answer ({error})")
        raise SchedulerError(f"{self.title} refuses: {error or 'without a reason'}", words[0])


def user() -> str:
    """Return the name of this process's user."""
    return getpass.getuser()
