"""PBS: OpenPBS and PBS Professional; Torque with `hardware` in its own syntax."""

import re
from collections.abc import Iterable

from caduceus.system.schedulers.scheduler import JobRequest, QueuedJob, Scheduler, State, user

_ROW = re.compile(r"^(\d+)\S*\s+\S+\s+\S+\s+(\S+)\s.*\s([A-Z])\s+\S+$", re.MULTILINE)
# By the letter in the column S; any other, as Q or H, is a job that waits.
_STATES: dict[str, State] = {"R": "running", "B": "running", "E": "ending", "X": "ending"}


def _submission(request: JobRequest) -> tuple[list[str], str]:
    words = [
        *("qsub", "-N", request.name, "-V", "-S", "/bin/sh", "-o", "/dev/null", "-j", "oe"),
        *("-r", "y"),  # runs again if its node fails
    ]
    if request.minutes:
        words += ["-l", f"walltime={request.minutes // 60:02}:{request.minutes % 60:02}:00"]
    if request.queue:
        words += ["-q", request.queue]
    if request.account:
        words += ["-A", request.account]
    hardware = list(request.hardware or ())
    if request.hardware is None:
        chunk = f"select=1:ncpus={request.threads}"
        chunk += f":mem={request.mem_mb}mb" if request.mem_mb else ""
        chunk += f":ngpus={request.gpus}" if request.gpus else ""
        chunk += f":gpu_model={request.gpu_model}" if request.gpus and request.gpu_model else ""
        hardware += ["-l", chunk]
    return [*words, *hardware, *request.extra, str(request.script)], ""


def _read_queue(printed: str) -> Iterable[QueuedJob]:
    """Read `qstat -u`: it shortens names and the server's part of ids, never the number."""
    for number, name, letter in _ROW.findall(printed):
        if letter not in "FC":  # finished, completed
            yield QueuedJob(number, _STATES.get(letter, "waiting"), name)


PBS = Scheduler(
    name="pbs",
    title="PBS",
    programs=("qsub", "pbsnodes"),  # Grid Engine has a qsub too
    submission=_submission,
    read_id=lambda printed: next(iter(re.findall(r"^(\d+)(?:\.\S*)?$", printed, re.MULTILINE)), ""),
    queue=lambda: ["qstat", "-u", user()],
    read_queue=_read_queue,
    cancel=("qdel",),
    find=lambda name: ["qselect", "-u", user(), "-N", name],
    limit=re.compile(r"exceed(ed)? (the )?(maximum|limit)|would exceed|max_queued|max_user", re.I),
)
