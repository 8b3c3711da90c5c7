"""Grid Engine: Son of Grid Engine, Open Grid Scheduler, Univa and Altair.

Memory is a request for a host with that much free (`mem_free`), which each Grid Engine knows, and
GPUs are the resource `gpu`. Sites that call them otherwise set `hardware`.
"""

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from caduceus.system.schedulers.scheduler import JobRequest, QueuedJob, Scheduler, State, user


def _submission(request: JobRequest) -> tuple[list[str], str]:
    words = [
        *("qsub", "-terse", "-N", request.name, "-wd", str(request.folder), "-V"),
        *("-S", "/bin/sh", "-o", "/dev/null", "-j", "y"),
        *("-r", "y"),  # runs again if its node fails
        "-notify",  # SIGUSR2 before SIGKILL
    ]
    if request.minutes:
        words += ["-l", f"h_rt={request.minutes * 60}"]
    if request.queue:
        words += ["-q", request.queue]
    if request.account:
        words += ["-P", request.account]
    hardware = list(request.hardware or ())
    if request.hardware is None:
        hardware += ["-pe", "smp", str(request.threads)] if request.threads > 1 else []
        hardware += ["-l", f"mem_free={request.mem_mb}M"] if request.mem_mb else []
        hardware += ["-l", f"gpu={request.gpus}"] if request.gpus else []
        model = request.gpu_model if request.gpus else ""
        hardware += ["-l", f"gpu_model={model}"] if model else []
    return [*words, *hardware, *request.extra, str(request.script)], ""


def _state(letters: str) -> State:
    """Return the meaning of the letters in qstat's column `state`, such as qw, hqw, r, Eqw, dr."""
    if "d" in letters:
        return "ending"
    if "E" in letters:
        return "stuck"
    return "waiting" if "q" in letters else "running"


def _read_queue(printed: str) -> Iterable[QueuedJob]:
    try:
        root = ElementTree.fromstring(printed)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    for job in root.iter("job_list"):
        letters = job.findtext("state", "")
        yield QueuedJob(
            job.findtext("JB_job_number", ""),
            _state(letters),
            job.findtext("JB_name", ""),
            f"state {letters}; qstat -j says why" if "E" in letters else "",
        )


GRID_ENGINE = Scheduler(
    name="gridengine",
    title="Grid Engine",
    programs=("qsub", "qconf"),  # PBS has a qsub too
    submission=_submission,
    read_id=lambda printed: next(iter(re.findall(r"^(\d+)$", printed, re.MULTILINE)), ""),
    queue=lambda: ["qstat", "-xml", "-u", user()],
    read_queue=_read_queue,
    cancel=("qdel",),
    limit=re.compile(r"only \d+ jobs are allowed per", re.IGNORECASE),  # max_u_jobs, max_jobs
)
