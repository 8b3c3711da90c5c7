"""LSF: IBM Spectrum LSF 10.1 and later."""

import re
from collections.abc import Iterable

from caduceus.system.schedulers.scheduler import JobRequest, QueuedJob, Scheduler, State

_ID = re.compile(r"^Job <(\d+)> is submitted", re.MULTILINE)
# By the column stat; DONE and EXIT have ended.
_STATES: dict[str, State] = {
    "PEND": "waiting",
    "PSUSP": "waiting",
    "WAIT": "waiting",
    "RUN": "running",
    "PROV": "running",
    "USUSP": "running",
    "SSUSP": "running",
    "UNKWN": "running",  # its node doesn't answer
    "ZOMBI": "ending",  # it was killed while its node didn't answer
}


def _submission(request: JobRequest) -> tuple[list[str], str]:
    words = [
        *("bsub", "-J", request.name, "-cwd", str(request.folder), "-o", "/dev/null"),
        "-r",  # runs again if its node fails
    ]
    if request.minutes:
        words += ["-W", str(request.minutes)]
    if request.queue:
        words += ["-q", request.queue]
    if request.account:
        words += ["-P", request.account]
    hardware = list(request.hardware or ())
    if request.hardware is None:
        hardware += ["-n", str(request.threads), "-R", "span[hosts=1]"]
        hardware += ["-R", f"rusage[mem={request.mem_mb}MB]"] if request.mem_mb else []
        model = f":gmodel={request.gpu_model}" if request.gpu_model else ""
        hardware += ["-gpu", f"num={request.gpus}{model}"] if request.gpus else []
    return [*words, *hardware, *request.extra, "/bin/sh", str(request.script)], ""


def _read_queue(printed: str) -> Iterable[QueuedJob]:
    for line in printed.splitlines():
        number, _, rest = line.partition("|")
        state, _, name = rest.partition("|")
        if number.strip().isdigit() and state in _STATES:
            yield QueuedJob(number.strip(), _STATES[state], name.strip())


def _read_id(printed: str) -> str:
    found = _ID.search(printed)
    return found[1] if found else ""


LSF = Scheduler(
    name="lsf",
    title="LSF",
    programs=("bsub", "bjobs"),
    submission=_submission,
    read_id=_read_id,
    queue=lambda: ["bjobs", "-noheader", "-o", "jobid stat job_name delimiter='|'"],
    read_queue=_read_queue,
    cancel=("bkill",),
    limit=re.compile(r"job limit (of .* )?(has been )?(reached|exceeded)", re.IGNORECASE),
    empty=re.compile(r"No (unfinished )?job found"),
)
