"""HTCondor, with a file system that all nodes share.

It has no time limit of its own: the job is removed when its time has passed. It has no queues.
"""

import re
from collections.abc import Iterable

from caduceus.errors import SchedulerError
from caduceus.system.schedulers.scheduler import JobRequest, QueuedJob, Scheduler, State

# JobStatus of a job's ClassAd. A job that its user holds (code 1) is only waiting.
_STATES: dict[str, State] = {"1": "waiting", "2": "running", "6": "running", "7": "running"}
_HELD, _REMOVED, _COMPLETED, _BY_USER = "5", "3", "4", "1"


def _submission(request: JobRequest) -> tuple[list[str], str]:
    if any("\n" in line or "=" not in line for line in request.extra):
        raise SchedulerError("cluster_extra has no line KEY=VALUE for each command", "HTCondor")
    script = str(request.script).replace("'", "''").replace('"', '""')
    lines = [
        "universe = vanilla",
        "executable = /bin/sh",
        "transfer_executable = false",
        f"arguments = \"'{script}'\"",
        f"initialdir = {request.folder}",
        f"batch_name = {request.name}",
        "getenv = true",
        "should_transfer_files = NO",
        "output = /dev/null",
        "error = /dev/null",
        "notification = never",
        "kill_sig = SIGTERM",
        "job_max_vacate_time = 60",
    ]
    if request.minutes:
        since = "time() - EnteredCurrentStatus"
        lines.append(f"periodic_remove = JobStatus == 2 && {since} > {request.minutes * 60}")
    if request.account:
        lines.append(f"accounting_group = {request.account}")
    if request.hardware is None:
        lines.append(f"request_cpus = {request.threads}")
        lines += [f"request_memory = {request.mem_mb}"] if request.mem_mb else []
        lines += [f"request_gpus = {request.gpus}"] if request.gpus else []
        model = request.gpu_model if request.gpus else ""
        lines += [f'require_gpus = DeviceName == "{model}"'] if model else []
    lines += [*(request.hardware or ()), *request.extra, "queue"]
    return ["condor_submit", "-terse", "-"], "\n".join(lines) + "\n"


def _read_queue(printed: str) -> Iterable[QueuedJob]:
    for line in printed.splitlines():
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) < 5 or fields[1] == _COMPLETED:
            continue
        number, status, name, code, reason = fields[:5]
        if status == _REMOVED:
            yield QueuedJob(number, "ending", name)
        elif status == _HELD and code != _BY_USER:
            yield QueuedJob(number, "stuck", name, f"held: {reason}")
        else:
            yield QueuedJob(number, _STATES.get(status, "waiting"), name)


HTCONDOR = Scheduler(
    name="htcondor",
    title="HTCondor",
    programs=("condor_submit", "condor_q"),
    submission=_submission,
    read_id=lambda printed: next(iter(re.findall(r"^(\d+)\.\d+", printed, re.MULTILINE)), ""),
    queue=lambda: [
        *("condor_q", "-autoformat:t"),
        *("ClusterId", "JobStatus", "JobBatchName", "HoldReasonCode", "HoldReason"),
    ],
    read_queue=_read_queue,
    cancel=("condor_rm",),
    limit=re.compile(r"MAX_JOBS_(PER_OWNER|SUBMITTED)|number of submitted jobs would exceed", re.I),
)
