"""Snakemake's executor `caduceus-slurm`: each job is a SLURM job of its own.

It takes the same resources as snakemake-executor-plugin-slurm 2.8, and differs where that one loses
work: it waits for a controller that doesn't answer, it judges a job that has left the queue by its
outputs, and it adopts the jobs of a killed Snakemake. It starts Snakemake once in each job, where
that one starts it twice.
"""

import asyncio
import shlex
import time
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

from caduceus.errors import SlurmError
from caduceus.io.files import digest_text
from caduceus.system import slurm
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)
_OPTIONS = {  # of sbatch, by resource
    "slurm_account": "--account",
    "slurm_partition": "--partition",
    "qos": "--qos",
    "constraint": "--constraint",
    "reservation": "--reservation",
    "runtime": "--time",
    "mem_mb": "--mem",
}
_RETRY_S = 10.0  # between two submissions while the controller doesn't answer
_WARNING_S = 60  # between SIGTERM and the time limit
_SHORT_MIN = 2  # up to this limit, a warning that comes a minute early would end a job at once
_MISSED = 2  # checks without the job in the queue, after which it counts as ended


class Executor(RemoteExecutor):  # type: ignore[misc] # Snakemake's interfaces have no types
    """The executor: submits jobs, and waits until they end."""

    def __post_init__(self) -> None:
        self._active: set[str] = set()
        self._missed: Counter[str] = Counter()
        self._is_out = False
        try:
            self._orphaned = self._find_orphaned()
        except SlurmError as error:
            raise WorkflowError(f"caduceus: {error}") from None

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a job, or adopt the one that a killed Snakemake has submitted for it."""
        log = self._log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        comment = _comment(job)
        job_id = self._orphaned.pop(comment, None)
        if job_id:
            self.logger.info(f"SLURM job {job_id} is at work on it already ({comment}).")
        while not job_id:
            try:
                job_id = slurm.submit(self._options(job, comment, log), self._script(job))
                self.logger.info(f"SLURM job {job_id}, log: {log}")
            except slurm.LimitError as error:
                if not self._active:
                    self.report_job_error(SubmittedJobInfo(job), msg=f"{error}. ")
                    return
                self._note_outage(error)
                time.sleep(_RETRY_S)
            except slurm.OutageError as error:
                self._note_outage(error)
                time.sleep(_RETRY_S)
                job_id = self._find_submitted(comment)
            except SlurmError as error:
                self.report_job_error(SubmittedJobInfo(job), msg=f"{error}. ")
                return
        self._active.add(job_id)
        self.report_job_submission(SubmittedJobInfo(job, job_id, {"log": log}))

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that have ended, and yield the others."""
        if not active_jobs:
            return
        try:
            queue = await asyncio.to_thread(slurm.jobs)
            self._is_out = False
        except SlurmError as error:
            self._note_outage(error)
            for info in active_jobs:
                yield info
            return
        for info in active_jobs:
            found = queue.get(info.external_jobid)
            missed = self._missed[info.external_jobid]
            self._missed[info.external_jobid] = missed + 1 if found is None else 0
            is_gone = self._missed[info.external_jobid] >= _MISSED
            if is_gone or (found and found.has_finished):
                # Nobody knows how a job ended that is gone, so Snakemake checks its outputs.
                self._active.discard(info.external_jobid)
                info.aux["log"].unlink(missing_ok=True)
                self.report_job_success(info)
            elif found and found.has_failed:
                self._active.discard(info.external_jobid)
                message = f"SLURM job {info.external_jobid} ended as {found.state}. "
                self.report_job_error(info, msg=message, aux_logs=[str(info.aux["log"])])
            else:
                yield info

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs that haven't ended, including those that are being checked."""
        try:
            slurm.cancel(sorted(self._active))
        except SlurmError as error:
            self.logger.warning(f"caduceus: jobs aren't cancelled: {error}")

    def _options(self, job: JobExecutorInterface, comment: str, log: Path) -> list[str]:
        """Return the options of sbatch."""
        resources = job.resources
        values = {name: resources.get(name) for name in _OPTIONS}
        if not values["runtime"]:
            # A rule may set it to None for this job, which hides the default.
            default = self.workflow.resource_settings.default_resources.get("runtime")
            values["runtime"] = None if default.is_evaluable() else default.value
        options = [
            f"--job-name={comment.removeprefix('caduceus:')}",
            f"--comment={comment}",
            f"--chdir={self.workflow.workdir_init}",
            f"--output={log}",
            "--open-mode=append",
            "--requeue",
            "--nodes=1",
            "--ntasks=1",
            f"--cpus-per-task={job.threads}",
        ]
        options += [f"{_OPTIONS[name]}={value}" for name, value in values.items() if value]
        if not values["runtime"] or int(values["runtime"]) > _SHORT_MIN:
            # SIGTERM goes to all processes of the job, and Snakemake waits while a program saves;
            # SIGUSR1 would end Snakemake.
            options.append(f"--signal=TERM@{_WARNING_S}")
        if gpus := resources.get("gpus"):
            model = resources.get("gpu_model")
            options.append(f"--gres=gpu:{model}:{gpus}" if model else f"--gres=gpu:{gpus}")
        return options + shlex.split(str(resources.get("slurm_extra") or ""))

    def _script(self, job: JobExecutorInterface) -> str:
        """Return the batch script: a step, as SLURM signals steps; `exec`, as a shell would die."""
        step = f"exec srun --ntasks=1 --cpus-per-task={job.threads} --cpu-bind=none"
        return f"#!/bin/sh\n{step} {self.format_job_exec(job)}\n"

    def _log(self, job: JobExecutorInterface) -> Path:
        """Return the log of all attempts, beside the rule's own log."""
        folder = Path(self.workflow.workdir_init)
        for log in [] if job.is_group() else job.log:
            return (folder / str(log)).with_suffix(slurm.LOG_SUFFIX)
        return folder / ".snakemake/slurm_logs" / f"{_comment(job).replace('/', '_')}.log"

    def _find_orphaned(self) -> dict[str, str]:
        """Return the jobs of this folder that are queued or running already, by comment."""
        folder = str(Path(self.workflow.workdir_init))
        return {
            queued.comment: queued.job_id
            for queued in slurm.jobs().values()
            if queued.folder == folder and queued.is_active
        }

    def _find_submitted(self, comment: str) -> str | None:
        """Return the job with this comment, if the controller took it and its answer was lost."""
        try:
            return self._find_orphaned().get(comment)
        except SlurmError:
            return None

    def _note_outage(self, error: SlurmError) -> None:
        if not self._is_out:
            self.logger.warning(f"caduceus: {error}; what runs goes on, and it is asked again")
        self._is_out = True


def _comment(job: JobExecutorInterface) -> str:
    """Return one word that identifies a job, the same in every Snakemake."""
    if job.is_group():  # several groups may have the same name
        members = digest_text(" ".join(sorted(map(_comment, job.jobs))))[:16]
        return f"caduceus:group:{job.groupid}:{members}"
    return ":".join(["caduceus", job.rule.name, *(str(value) for value in job.wildcards)])
