"""The one door to SLURM: its command line programs, asked and understood.

Nothing here needs the accounting database, which many sites don't have: what is asked of the
controller is `squeue` and `scontrol show job`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from caduceus.errors import SlurmError
from caduceus.system import processes

# What SLURM's programs say while the controller can't be reached; anything else is a refusal.
_OUTAGE = re.compile(
    r"unable to contact|connect(ion)? (failure|refused|timed out)|timed out|zero bytes|"
    r"socket|transport|temporarily|try again|controller not responding",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"submit limit|MaxSubmit", re.IGNORECASE)
# States in which a job stays. SLURM leaves PREEMPTED only on a job that it doesn't put back.
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


class OutageError(SlurmError):
    """SLURM's controller doesn't answer just now."""


class LimitError(SlurmError):
    """No more jobs may be submitted until some have ended."""


@dataclass(frozen=True)
class Queued:
    """A job in the queue, or one that has just ended."""

    job_id: str
    state: str  # RUNNING and so on
    comment: str  # one word, by which Caduceus knows its own
    folder: str  # that it works in

    @property
    def has_finished(self) -> bool:
        """Whether it ended with exit status 0."""
        return self.state == "COMPLETED"

    @property
    def has_failed(self) -> bool:
        """Whether it ended otherwise, and SLURM doesn't put it back."""
        return self.state in _FAILED

    @property
    def is_at_work(self) -> bool:
        """Whether it waits or runs, and isn't just being ended."""
        return not self.has_finished and not self.has_failed and self.state != "COMPLETING"


@dataclass(frozen=True)
class Job:
    """What a job that runs may want to know of itself."""

    state: str
    comment: str
    restarts: int  # how often it was put back into the queue
    left_s: float  # until its time limit


def submit(options: Sequence[str], script: str) -> str:
    """Submit a batch job; returns its id.

    Raises:
        OutageError: the controller doesn't answer; the job may have reached it nevertheless.
        LimitError: no more are taken until some have ended.
        SlurmError: SLURM refuses the job.
    """
    printed = _ask(["sbatch", "--parsable", *options], script)
    # Some sites' sbatch says more than the id, before it; several clusters add ";CLUSTER".
    return printed.split()[-1].partition(";")[0]


def jobs() -> dict[str, Queued]:
    """All of the user's jobs that the controller remembers, by id."""
    words = ["squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%k|%Z"]
    rows = (line.split("|", 3) for line in _ask(words).splitlines())
    return {row[0]: Queued(*row) for row in rows if len(row) == 4}


def show(job_id: str) -> Job | None:
    """A job as the controller knows it, or None if it doesn't."""
    try:
        text = _ask(["scontrol", "--oneliner", "show", "job", job_id])
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
    """Put a running job back into the queue; SLURM ends it where it runs."""
    _ask(["scontrol", "requeue", job_id])


def cancel(job_ids: Iterable[str]) -> None:
    """Cancel jobs; those that have ended don't matter."""
    if words := list(job_ids):
        _ask(["scancel", *words])


def largest_node(partition: str | None, time_limit_s: float = 60) -> int:
    """The number of CPUs of the largest node."""
    words = [
        "sinfo",
        "--noheader",
        "--format=%c",
        *(["--partition", partition] if partition else []),
    ]
    return max(
        (int(word.rstrip("+")) for word in _ask(words, time_limit_s=time_limit_s).split()),
        default=0,
    )


def _ask(words: Sequence[str], stdin: str = "", time_limit_s: float = 60) -> str:
    """What one of SLURM's programs prints."""
    try:
        answer = processes.ask(words, stdin, time_limit_s)
    except processes.StartError:
        raise SlurmError(
            f"there is no {words[0]} here; work on a node from which jobs can be submitted, or "
            "leave the profile out to run on this machine"
        ) from None
    if answer is None:
        raise OutageError("SLURM's controller doesn't answer")
    if answer.exit_code == 0:
        return answer.output.strip()
    said = answer.error.strip().removeprefix(f"{words[0]}: ").removeprefix("error: ")
    if _LIMIT.search(said):
        raise LimitError(f"SLURM takes no more jobs for now ({said}); lower --jobs")
    if _OUTAGE.search(said):
        raise OutageError(f"SLURM's controller doesn't answer ({said})")
    raise SlurmError(f"SLURM refuses: {said}", words[0])
