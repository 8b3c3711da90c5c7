"""The interface to SLURM: calls its command line programs and parses their output.

Job states come from the controller, by `squeue` and `scontrol show job`. The accounting database
isn't needed, as many sites have none.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from caduceus.errors import SlurmError
from caduceus.system import processes
from caduceus.system.schedulers import scheduler

# Errors of SLURM's programs while the controller can't be reached; any other is a refusal.
_OUTAGE = re.compile(
    r"unable to contact|connect(ion)? (failure|refused|timed out)|timed out|zero bytes|"
    r"socket|transport|temporarily|try again|controller not responding",
    re.IGNORECASE,
)
LOG_SUFFIX = ".slurm.log"  # of a job's log, in place of the suffix of its rule's own
_LIMIT = re.compile(r"submit limit|MaxSubmit", re.IGNORECASE)
# Final states. A job that SLURM requeues after a preemption doesn't stay PREEMPTED.
_FAILED = [
    "BOOT_FAIL",
    "CANCELLED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
]


class OutageError(SlurmError, scheduler.OutageError):
    """SLURM's controller doesn't answer at the moment."""


class LimitError(SlurmError, scheduler.LimitError):
    """No more jobs may be submitted until some have ended."""


def is_installed() -> bool:
    """Whether jobs can be submitted from this host."""
    return shutil.which("sbatch") is not None


@dataclass(frozen=True)
class QueuedJob:
    """A job in the queue, or one that has just ended."""

    job_id: str
    state: str  # such as RUNNING
    comment: str  # one word, by which Caduceus recognizes its own jobs
    folder: str  # its working directory
    reason: str = ""  # why it waits, such as Priority; empty while it runs

    @property
    def has_finished(self) -> bool:
        """Whether it ended with exit status 0."""
        return self.state == "COMPLETED"

    @property
    def has_failed(self) -> bool:
        """Whether it ended in another way, and SLURM doesn't requeue it."""
        return self.state in _FAILED

    @property
    def is_active(self) -> bool:
        """Whether it is pending or running, and not being ended."""
        return not self.has_finished and not self.has_failed and self.state != "COMPLETING"


@dataclass(frozen=True)
class Job:
    """The properties of a job that runs."""

    state: str
    comment: str
    restarts: int  # how often it was requeued
    left_s: float  # until its time limit


def submit(options: Sequence[str], script: str) -> str:
    """Submit a batch job, and return its id.

    Raises:
        OutageError: the controller doesn't answer; it may have received the job nevertheless.
        LimitError: no more jobs may be submitted until some have ended.
        SlurmError: SLURM refuses the job.
    """
    printed = _call(["sbatch", "--parsable", *options], script)
    # At some sites sbatch prints more lines before the id. With several clusters, ";CLUSTER"
    # follows the id.
    return printed.split()[-1].partition(";")[0]


def jobs() -> dict[str, QueuedJob]:
    """Return the user's jobs that the controller still knows, by id."""
    words = ["squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%k|%r|%Z"]
    rows = (line.split("|", 4) for line in _call(words).splitlines())
    return {
        job: QueuedJob(job, state, comment, folder, "" if reason == "None" else reason)
        for job, state, comment, reason, folder in (row for row in rows if len(row) == 5)
    }


def show(job_id: str) -> Job | None:
    """Return a job; None if the controller doesn't know it."""
    try:
        text = _call(["scontrol", "--oneliner", "show", "job", job_id])
    except OutageError:
        raise
    except SlurmError:
        return None
    fields = dict(re.findall(r"(?:^|\s)(\w+)=(\S*)", text))
    try:
        left_s = (datetime.fromisoformat(fields["EndTime"]) - datetime.now()).total_seconds()
    except ValueError:
        left_s = float("inf")  # "Unknown": no time limit
    restarts = int(fields.get("Restarts", 0))
    return Job(fields["JobState"], fields.get("Comment", ""), restarts, left_s)


def requeue(job_id: str) -> None:
    """Requeue a running job; SLURM ends it and starts it again later."""
    _call(["scontrol", "requeue", job_id])


def cancel(job_ids: Iterable[str]) -> None:
    """Cancel jobs; those that have ended already are ignored."""
    if words := list(job_ids):
        _call(["scancel", *words])


def largest_node(partition: str | None, time_limit_s: float = 60) -> int:
    """Return the number of CPUs of the largest node; 0 if there is no such partition."""
    words = [
        "sinfo",
        "--noheader",
        "--format=%c",
        *(["--partition", partition] if partition else []),
    ]
    return max(
        (int(word.rstrip("+")) for word in _call(words, time_limit_s=time_limit_s).split()),
        default=0,
    )


def _call(words: Sequence[str], stdin: str = "", time_limit_s: float = 60) -> str:
    """Call one of SLURM's programs, and return its output.

    Raises:
        OutageError: the controller doesn't answer.
        LimitError: no more jobs may be submitted until some have ended.
        SlurmError: the program is missing, or SLURM refuses.
    """
    try:
        answer = processes.capture(words, stdin, time_limit_s)
    except processes.StartError:
        raise SlurmError(
            f"there is no {words[0]} here; work on a node from which jobs can be submitted, or run "
            "on this machine without the profile"
        ) from None
    if answer is None:
        raise OutageError("SLURM's controller doesn't answer")
    if answer.exit_code == 0:
        return answer.output.strip()
    error = answer.error.strip().removeprefix(f"{words[0]}: ").removeprefix("error: ")
    if _LIMIT.search(error):
        raise LimitError(f"SLURM takes no more jobs for now ({error}); lower --jobs")
    if _OUTAGE.search(error):
        raise OutageError(f"SLURM's controller doesn't answer ({error})")
    raise SlurmError(f"SLURM refuses: {error}", words[0])
