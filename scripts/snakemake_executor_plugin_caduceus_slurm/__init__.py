"""Snakemake's executor `caduceus-slurm`: each job is a SLURM job of its own.

It takes the same resources as snakemake-executor-plugin-slurm 2.8, and differs where that one loses
work: a controller that doesn't answer is waited for, a job that has left the queue is judged by its
outputs, and jobs that a killed Snakemake left are taken over by the next one. Snakemake starts once
in each job where it starts twice there.
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
_OPTIONS = {  # of sbatch, by the name of the resource
    "slurm_account": "--account",
    "slurm_partition": "--partition",
    "qos": "--qos",
    "constraint": "--constraint",
    "reservation": "--reservation",
    "runtime": "--time",
    "mem_mb": "--mem",
}
_AGAIN_S = 10.0  # between two attempts to submit while the controller doesn't answer
_WARNED_S = 60  # before the time limit
_SHORT_MIN = 2  # up to here a warning, which may come a minute early, would end a job at its start
_MISSED = 2  # checks in which a job isn't in the queue, until it is taken for ended


class Executor(RemoteExecutor):  # type: ignore[misc] # Snakemake's interfaces have no types
    """Submits jobs, and waits for their ends."""

    def __post_init__(self) -> None:
        self._active: set[str] = set()
        self._missed: Counter[str] = Counter()
        self._is_out = False
        try:
            self._left = self._find_left()
        except SlurmError as error:
            raise WorkflowError(f"caduceus: {error}") from None

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a job, or take over the one that a killed Snakemake has submitted for it."""
        log = self._log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        comment = _comment(job)
        job_id = self._left.pop(comment, None)
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
                time.sleep(_AGAIN_S)
            except slurm.OutageError as error:
                self._note_outage(error)
                time.sleep(_AGAIN_S)
                job_id = self._find_submitted(comment)
            except SlurmError as error:
                self.report_job_error(SubmittedJobInfo(job), msg=f"{error}. ")
                return
        self._active.add(job_id)
        self.report_job_submission(SubmittedJobInfo(job, job_id, {"log": log}))

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that have ended; gives back those that haven't."""
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
                # Of one that is gone nobody knows how it ended: Snakemake looks at its outputs.
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
        """Cancel whatever hasn't ended, also what is just being looked at."""
        try:
            slurm.cancel(sorted(self._active))
        except SlurmError as error:
            self.logger.warning(f"caduceus: jobs aren't cancelled: {error}")

    def _options(self, job: JobExecutorInterface, comment: str, log: Path) -> list[str]:
        """The options of sbatch."""
        resources = job.resources
        values = {name: resources.get(name) for name in _OPTIONS}
        if not values["runtime"]:
            # A rule that sets it to None for this job hides the default.
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
            # TERM goes to all processes of the job, and Snakemake waits while a program saves;
            # USR1 would end Snakemake.
            options.append(f"--signal=TERM@{_WARNED_S}")
        if gpus := resources.get("gpus"):
            model = resources.get("gpu_model")
            options.append(f"--gres=gpu:{model}:{gpus}" if model else f"--gres=gpu:{gpus}")
        return options + shlex.split(str(resources.get("slurm_extra") or ""))

    def _script(self, job: JobExecutorInterface) -> str:
        """A step, since SLURM's signals go to steps; `exec`, since a shell dies of them."""
        step = f"exec srun --ntasks=1 --cpus-per-task={job.threads} --cpu-bind=none"
        return f"#!/bin/sh\n{step} {self.format_job_exec(job)}\n"

    def _log(self, job: JobExecutorInterface) -> Path:
        """Beside the rule's own log, for all attempts together."""
        folder = Path(self.workflow.workdir_init)
        for log in [] if job.is_group() else job.log:
            return (folder / str(log)).with_suffix(".slurm.log")
        return folder / ".snakemake/slurm_logs" / f"{_comment(job).replace('/', '_')}.log"

    def _find_left(self) -> dict[str, str]:
        """What is queued or runs already for this folder, by comment."""
        folder = str(Path(self.workflow.workdir_init))
        return {
            queued.comment: queued.job_id
            for queued in slurm.jobs().values()
            if queued.folder == folder and queued.is_at_work
        }

    def _find_submitted(self, comment: str) -> str | None:
        """The job of this comment: the controller may have taken it, and its answer was lost."""
        try:
            return self._find_left().get(comment)
        except SlurmError:
            return None

    def _note_outage(self, error: SlurmError) -> None:
        if not self._is_out:
            self.logger.warning(f"caduceus: {error}; what runs goes on, and it is asked again")
        self._is_out = True


def _comment(job: JobExecutorInterface) -> str:
    """One word that says which job it is, in whichever Snakemake."""
    if job.is_group():  # of which there may be many by one name
        members = digest_text(" ".join(sorted(map(_comment, job.jobs))))[:16]
        return f"caduceus:group:{job.groupid}:{members}"
    return ":".join(["caduceus", job.rule.name, *(str(value) for value in job.wildcards)])
