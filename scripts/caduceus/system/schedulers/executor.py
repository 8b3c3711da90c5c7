"""What Caduceus's executors for Snakemake have in common: submit, wait, adopt and cancel jobs.

Snakemake's own executors forget jobs if their status can't be had, and submit a second job for each
one that a killed Snakemake has left. These wait for a scheduler that doesn't answer, judge a job
that has left the queue by its outputs, and adopt the jobs of a killed Snakemake.
"""

import asyncio
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings

from caduceus.errors import SchedulerError
from caduceus.io.files import digest_text
from caduceus.system.schedulers.scheduler import LimitError, OutageError

SETTINGS = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)
WARNING_S = 60  # between SIGTERM and the time limit
SHORT_MIN = 2  # up to this limit, a warning that comes a minute early would end a job at once
_RETRY_S = 10.0  # between two submissions while the scheduler doesn't answer
_MISSED = 2  # checks without the job in the queue, after which it counts as ended


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        failure: why it failed; empty if its outputs decide.
    """

    failure: str = ""


class ClusterExecutor(RemoteExecutor):  # type: ignore[misc] # Snakemake's interfaces have no types
    """Submits jobs, and waits until they end."""

    title = ""  # the scheduler's name in messages
    log_suffix = ""  # of a job's log, in place of the suffix of its rule's own

    def __post_init__(self) -> None:
        self._active: set[str] = set()
        self._missed: Counter[str] = Counter()
        self._is_out = False
        self._orphaned: dict[str, str] = {}
        if not len(self.dag):  # of the jobs to run: without one, no stamp needs to know the queue
            return
        try:
            self._orphaned = self._find_orphaned()
        except SchedulerError as error:
            raise WorkflowError(f"caduceus: {error}") from None

    @abstractmethod
    def _find_orphaned(self) -> dict[str, str]:
        """Return the jobs of this folder that are queued or running already, by comment."""

    @abstractmethod
    def _submit(self, job: JobExecutorInterface, comment: str, log: Path) -> str:
        """Submit a job, and return its id."""

    @abstractmethod
    def _find_submitted(self, comment: str) -> str | None:
        """Return the job with this comment, if it was taken and the answer was lost."""

    @abstractmethod
    def _ask(self) -> Mapping[str, Any]:
        """Return the user's jobs in the queue, by id."""

    @abstractmethod
    def _judge(self, info: SubmittedJobInfo, queue: Mapping[str, Any] | None) -> Ended | None:
        """Return how a job ended; None if it goes on.

        Args:
            info: the job.
            queue: what `_ask` returned; None if the scheduler doesn't answer.
        """

    @abstractmethod
    def _cancel(self, job_ids: Sequence[str]) -> None:
        """Cancel jobs; those that have ended already are ignored."""

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a job, or adopt the one that a killed Snakemake has submitted for it."""
        log = self._log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        comment = comment_of(job)
        job_id = self._orphaned.pop(comment, None)
        if job_id:
            self.logger.info(f"{self.title} job {job_id} is at work on it already ({comment}).")
        while not job_id:
            try:
                job_id = self._submit(job, comment, log)
                self.logger.info(f"{self.title} job {job_id}, log: {log}")
            except LimitError as error:
                if not self._active:
                    self.report_job_error(SubmittedJobInfo(job), msg=f"{error}. ")
                    return
                self._note_outage(error)
                time.sleep(_RETRY_S)
            except OutageError as error:
                self._note_outage(error)
                time.sleep(_RETRY_S)
                job_id = self._find_submitted(comment)
            except SchedulerError as error:
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
        queue: Mapping[str, Any] | None = None
        try:
            queue = await asyncio.to_thread(self._ask)
            self._is_out = False
        except SchedulerError as error:
            self._note_outage(error)
        for info in active_jobs:
            ended = self._judge(info, queue)
            if ended is None:
                yield info
                continue
            self._active.discard(info.external_jobid)
            if ended.failure:
                log = [str(info.aux["log"])]
                self.report_job_error(info, msg=f"{ended.failure} ", aux_logs=log)
            else:
                # Nobody knows how a job ended that is gone, so Snakemake checks its outputs.
                info.aux["log"].unlink(missing_ok=True)
                self.report_job_success(info)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs that haven't ended, including those that are being checked."""
        try:
            self._cancel(sorted(self._active))
        except SchedulerError as error:
            self.logger.warning(f"caduceus: jobs aren't cancelled: {error}")

    def _is_gone(self, job_id: str, queue: Collection[str]) -> bool:
        """Whether a job wasn't in the queue several times in a row."""
        self._missed[job_id] = 0 if job_id in queue else self._missed[job_id] + 1
        return self._missed[job_id] >= _MISSED

    def _minutes(self, job: JobExecutorInterface) -> Any:
        """Return a job's time limit, or what stands for none."""
        minutes = job.resources.get("runtime")
        if minutes:
            return minutes
        # A rule may set it to None for this job, which hides the default.
        default = self.workflow.resource_settings.default_resources.get("runtime")
        return None if default.is_evaluable() else default.value

    def _log(self, job: JobExecutorInterface) -> Path:
        """Return the log of all attempts, beside the rule's own log."""
        folder = Path(self.workflow.workdir_init)
        for log in [] if job.is_group() else job.log:
            return (folder / str(log)).with_suffix(self.log_suffix)
        name = comment_of(job).replace("/", "_")
        return folder / f".snakemake/{self.log_suffix.split('.')[1]}_logs" / f"{name}.log"

    def _note_outage(self, error: SchedulerError) -> None:
        if not self._is_out:
            self.logger.warning(f"caduceus: {error}; what runs goes on, and it is asked again")
        self._is_out = True


def comment_of(job: JobExecutorInterface) -> str:
    """Return one word that identifies a job, the same in every Snakemake."""
    if job.is_group():  # several groups may have the same name
        members = digest_text(" ".join(sorted(map(comment_of, job.jobs))))[:16]
        return f"caduceus:group:{job.groupid}:{members}"
    return ":".join(["caduceus", job.rule.name, *(str(value) for value in job.wildcards)])
