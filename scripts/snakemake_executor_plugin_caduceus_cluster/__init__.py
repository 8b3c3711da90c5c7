"""Snakemake's executor `caduceus-cluster`: each job is a job of Grid Engine, PBS, LSF or HTCondor.

snakemake-executor-plugin-cluster-generic 1.0.9 starts a process for each job at each check, ends
Snakemake if one of them fails, and at Ctrl-C leaves the jobs running that are being checked. This
one asks once for all jobs, and knows how a job ended from a file that the job writes.
"""

import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

from caduceus.errors import SchedulerError
from caduceus.io.files import digest_text, write_whole
from caduceus.system.schedulers.executor import (
    SETTINGS,
    SHORT_MIN,
    WARNING_S,
    ClusterExecutor,
    Ended,
    comment_of,
)
from caduceus.system.schedulers.job_files import JobFiles, Submission, submissions
from caduceus.system.schedulers.known import scheduler_named
from caduceus.system.schedulers.requests import request_for
from caduceus.system.schedulers.scheduler import QueuedJob
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

common_settings = SETTINGS
_MAX_CONTINUED = 100
_LONGEST_NAME = 100


@dataclass
class ExecutorSettings(ExecutorSettingsBase):  # type: ignore[misc] # as above
    """The settings of a profile about the scheduler."""

    scheduler: Optional[str] = field(  # noqa: UP045 # Snakemake reads it for its command line
        default=None,
        metadata={"help": "gridengine, pbs, lsf or htcondor", "required": True},
    )
    hardware: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "the site's own options for CPUs, memory and GPUs, with {threads}, {mem_mb}, "
            "{mem_mb_per_thread}, {gpus} and {gpu_model}"
        },
    )


class Executor(ClusterExecutor):
    """The executor: submits jobs, and waits until they end."""

    log_suffix = ".cluster.log"

    def __post_init__(self) -> None:
        try:
            self._scheduler = scheduler_named(self.workflow.executor_settings.scheduler)
        except SchedulerError as error:
            raise WorkflowError(f"caduceus: {error}") from None
        self.title = self._scheduler.title
        self._folder = Path(self.workflow.workdir_init)
        self._gone_since: dict[str, float] = {}
        super().__post_init__()

    def _submit(self, job: JobExecutorInterface, comment: str, log: Path) -> str:
        files = self._files(comment)
        self._write_script(job, files, log)
        files.begin()
        return self._submit_script(job, files, Submission("", comment))

    def _submit_script(
        self, job: JobExecutorInterface, files: JobFiles, submission: Submission
    ) -> str:
        # Noted first: the job is found by its name if the answer is lost.
        files.write_submission(submission)
        request = request_for(
            files.base.name,
            files.script,
            self._folder,
            job.threads,
            self._minutes(job),
            job.resources,
            self.workflow.executor_settings.hardware,
        )
        job_id = self._scheduler.submit(request)
        files.write_submission(replace(submission, job=job_id))
        return job_id

    def _write_script(self, job: JobExecutorInterface, files: JobFiles, log: Path) -> None:
        minutes = int(self._minutes(job) or 0)
        words = [sys.executable, "-m", "caduceus.system.schedulers.job", f"--files={files.base}"]
        if minutes > SHORT_MIN:
            words.append(f"--warn-after={minutes * 60 - WARNING_S}")
        started = f"exec {shlex.join(words)} -- {self.format_job_exec(job)}"
        where = f"cd {shlex.quote(str(self._folder))} && exec >>{shlex.quote(str(log))} 2>&1"
        write_whole(files.script, f"#!/bin/sh\n{where} &&\n{started}\n")

    def _ask(self) -> Mapping[str, QueuedJob]:
        return self._scheduler.jobs()

    def _judge(self, info: SubmittedJobInfo, queue: Mapping[str, QueuedJob] | None) -> Ended | None:
        files, what = self._files(comment_of(info.job)), f"{self.title} job {info.external_jobid}"
        ending = files.read_end()
        if ending in ("finished", "failed"):
            files.remove()
            return Ended("" if ending == "finished" else f"{what} failed.")
        if ending == "limit":
            return self._go_on(info, files)
        found = queue.get(info.external_jobid) if queue is not None else None
        if found and found.state == "stuck":
            with suppress(SchedulerError):  # it doesn't run, so nothing is doubled
                self._scheduler.cancel_jobs([info.external_jobid])
            return Ended(f"{what} can't run ({found.reason or 'it says not why'}).")
        if queue is None:
            return None
        if not self._is_gone(info.external_jobid, queue):
            self._gone_since.pop(info.external_jobid, None)
            return None
        if ending is None and not self._has_outputs(info):
            return None if self._may_come(info.external_jobid) else self._note_lost(what, files)
        files.remove()
        return Ended(f"{what} was cancelled or killed.") if ending else Ended()

    def _has_outputs(self, info: SubmittedJobInfo) -> bool:
        return all((self._folder / str(path)).exists() for path in info.job.output)

    def _may_come(self, job_id: str) -> bool:
        """Whether outputs of a job that has left the queue may still show up on this node."""
        first = self._gone_since.setdefault(job_id, time.monotonic())
        return time.monotonic() - first < float(self.workflow.execution_settings.latency_wait)

    def _note_lost(self, what: str, files: JobFiles) -> Ended:
        files.remove()
        return Ended(f"{what} left the queue and noted no end: it was killed, or its node failed.")

    def _go_on(self, info: SubmittedJobInfo, files: JobFiles) -> Ended | None:
        """Submit a job again that its time limit has ended, and that has saved a checkpoint."""
        before = files.read_submission() or Submission("", comment_of(info.job))
        what = f"{self.title} job {info.external_jobid}"
        if before.continued >= _MAX_CONTINUED:
            files.remove()
            return Ended(f"{what} was the {_MAX_CONTINUED}th that its time limit ended.")
        try:
            job_id = None if before.job else self._scheduler.find_named(files.base.name)
            files.begin()
            again = replace(before, job="", continued=before.continued + 1)
            if job_id in (None, info.external_jobid):
                job_id = self._submit_script(info.job, files, again)
            else:  # it was taken, and the answer was lost
                files.write_submission(replace(again, job=job_id))
        except SchedulerError as error:
            files.write_submission(replace(before, job=""))
            files.write_end("limit")  # so that it is tried again
            self._note_outage(error)
            return None
        self.logger.info(f"Time limit of {what}: job {job_id} goes on from the checkpoint.")
        self._active.discard(info.external_jobid)
        self._active.add(job_id)
        info.external_jobid = job_id
        return None

    def _cancel(self, job_ids: Sequence[str]) -> None:
        self._scheduler.cancel_jobs(job_ids)

    def _find_orphaned(self) -> dict[str, str]:
        queue = self._scheduler.jobs()
        found = {}
        for name, submission in submissions(self._folder).items():
            job_id = submission.job or self._scheduler.find_named(name)
            if job_id in queue and queue[job_id].state in ("waiting", "running"):
                found[submission.comment] = job_id
        return found

    def _find_submitted(self, comment: str) -> str | None:
        files = self._files(comment)
        try:
            job_id = self._scheduler.find_named(files.base.name)
        except SchedulerError:
            return None
        if job_id:
            files.write_submission(Submission(job_id, comment))
        return job_id

    def _files(self, comment: str) -> JobFiles:
        """Return the files of a job; their name is the job's name, unique among all projects."""
        plain = re.sub(
            r"[^A-Za-z0-9_.-]+", "-", comment.removeprefix("caduceus:").replace(":", ".")
        )
        unique = digest_text(f"{self._folder}\n{comment}")[:8]
        return JobFiles.named(self._folder, f"{plain[:_LONGEST_NAME]}.{unique}")
