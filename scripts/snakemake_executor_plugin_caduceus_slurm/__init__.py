"""Snakemake's executor `caduceus-slurm`: each job is a SLURM job of its own.

It takes the same resources as snakemake-executor-plugin-slurm 2.8, and differs where that one loses
work: it waits for a controller that doesn't answer, it judges a job that has left the queue by its
outputs, and it adopts the jobs of a killed Snakemake. It starts Snakemake once in each job, where
that one starts it twice.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from caduceus.errors import SlurmError
from caduceus.system import slurm
from caduceus.system.schedulers.executor import (
    SETTINGS,
    SHORT_MIN,
    WARNING_S,
    ClusterExecutor,
    Ended,
)
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

common_settings = SETTINGS
_OPTIONS = {  # of sbatch, by resource
    "slurm_account": "--account",
    "slurm_partition": "--partition",
    "qos": "--qos",
    "constraint": "--constraint",
    "reservation": "--reservation",
    "runtime": "--time",
    "mem_mb": "--mem",
}


class Executor(ClusterExecutor):
    """The executor: submits jobs, and waits until they end."""

    title = "SLURM"
    log_suffix = slurm.LOG_SUFFIX

    def _submit(self, job: JobExecutorInterface, comment: str, log: Path) -> str:
        return slurm.submit(self._options(job, comment, log), self._script(job))

    def _ask(self) -> Mapping[str, slurm.QueuedJob]:
        return slurm.jobs()

    def _judge(
        self, info: SubmittedJobInfo, queue: Mapping[str, slurm.QueuedJob] | None
    ) -> Ended | None:
        if queue is None:
            return None
        found = queue.get(info.external_jobid)
        if self._is_gone(info.external_jobid, queue) or (found and found.has_finished):
            return Ended()
        if found and found.has_failed:
            return Ended(f"SLURM job {info.external_jobid} ended as {found.state}.")
        return None

    def _cancel(self, job_ids: Sequence[str]) -> None:
        slurm.cancel(job_ids)

    def _options(self, job: JobExecutorInterface, comment: str, log: Path) -> list[str]:
        """Return the options of sbatch."""
        resources = job.resources
        values = {name: resources.get(name) for name in _OPTIONS}
        values["runtime"] = self._minutes(job)
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
        if not values["runtime"] or int(values["runtime"]) > SHORT_MIN:
            # SIGTERM goes to all processes of the job, and Snakemake waits while a program saves;
            # SIGUSR1 would end Snakemake.
            options.append(f"--signal=TERM@{WARNING_S}")
        if gpus := resources.get("gpus"):
            model = resources.get("gpu_model")
            options.append(f"--gres=gpu:{model}:{gpus}" if model else f"--gres=gpu:{gpus}")
        return options + shlex.split(str(resources.get("slurm_extra") or ""))

    def _script(self, job: JobExecutorInterface) -> str:
        """Return the batch script: a step, as SLURM signals steps; `exec`, as a shell would die."""
        step = f"exec srun --ntasks=1 --cpus-per-task={job.threads} --cpu-bind=none"
        return f"#!/bin/sh\n{step} {self.format_job_exec(job)}\n"

    def _find_orphaned(self) -> dict[str, str]:
        folder = str(Path(self.workflow.workdir_init))
        return {
            queued.comment: queued.job_id
            for queued in slurm.jobs().values()
            if queued.folder == folder and queued.is_active
        }

    def _find_submitted(self, comment: str) -> str | None:
        try:
            return self._find_orphaned().get(comment)
        except SlurmError:
            return None
