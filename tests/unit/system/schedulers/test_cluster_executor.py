"""The executor for clusters in what a real Grid Engine can't be brought to do at will.

The scheduler is a stand-in; tests/workflow/test_grid_engine.py runs on a real one.
"""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from caduceus.system.schedulers.executor import ClusterExecutor, Ended
from caduceus.system.schedulers.job_files import JobFiles, Submission
from caduceus.system.schedulers.scheduler import JobRequest, OutageError, QueuedJob
from snakemake_executor_plugin_caduceus_cluster import Executor

COMMENT = "caduceus:train:a"


class StandIn:
    """A scheduler that takes jobs 8, 9, ..., and doesn't answer while `is_out`."""

    title = "PBS"

    def __init__(self) -> None:
        self.submitted: list[JobRequest] = []
        self.cancelled: list[str] = []
        self.named: str | None = None
        self.is_out = False

    def submit(self, request: JobRequest) -> str:
        if self.is_out:
            raise OutageError("PBS doesn't answer")
        self.submitted.append(request)
        return str(7 + len(self.submitted))

    def find_named(self, name: str) -> str | None:
        return self.named

    def cancel_jobs(self, job_ids: list[str]) -> None:
        self.cancelled += job_ids


@pytest.fixture
def executor(tmp_path: Path) -> Any:
    executor: Any = object.__new__(Executor)
    executor._scheduler, executor.title = StandIn(), "PBS"
    executor._folder, executor._gone_since = tmp_path, {}
    executor._active, executor._missed, executor._is_out = {"7"}, Counter(), False
    executor.logger = SimpleNamespace(info=lambda _: None, warning=lambda _: None)
    executor.workflow = SimpleNamespace(
        executor_settings=SimpleNamespace(hardware=None),
        execution_settings=SimpleNamespace(latency_wait=0),
    )
    files(executor).write_submission(Submission("7", COMMENT))
    return executor


@pytest.fixture
def info() -> Any:
    job = SimpleNamespace(
        rule=SimpleNamespace(name="train"),
        wildcards=["a"],
        is_group=lambda: False,
        output=["results/runs/a/train.json"],
        threads=1,
        resources={"runtime": 5},
    )
    return SimpleNamespace(job=job, external_jobid="7")


def files(executor: Any) -> JobFiles:
    found: JobFiles = executor._files(COMMENT)
    return found


def test_the_same_job_of_another_project_has_another_name(executor: Any, tmp_path: Path) -> None:
    before = files(executor).base.name
    assert before.startswith("train.a.")
    executor._folder = tmp_path / "copy"
    assert files(executor).base.name != before


def test_the_queue_is_asked_for_only_where_there_is_something_to_do(executor: Any) -> None:
    asked = []

    def jobs() -> dict[str, QueuedJob]:
        asked.append(1)
        return {"7": QueuedJob("7", "running")}

    executor._scheduler.jobs = jobs
    for dag, orphaned in (([], {}), (["a job"], {COMMENT: "7"})):
        executor.dag = dag
        ClusterExecutor.__post_init__(executor)
        assert executor._orphaned == orphaned
    assert len(asked) == 1


def test_how_a_job_noted_its_end_counts_without_the_queue(executor: Any, info: Any) -> None:
    files(executor).write_end("finished")
    assert executor._judge(info, None) == Ended()
    files(executor).write_end("failed")
    assert executor._judge(info, {}) == Ended("PBS job 7 failed.")


def test_a_job_at_its_limit_is_submitted_again_once_whatever_the_scheduler_does(
    executor: Any, info: Any
) -> None:
    files(executor).write_end("limit")
    executor._scheduler.is_out = True
    assert executor._judge(info, None) is None
    assert executor._judge(info, {}) is None
    assert executor._scheduler.submitted == [] and info.external_jobid == "7"
    executor._scheduler.is_out = False
    assert executor._judge(info, {}) is None
    assert info.external_jobid == "8" and executor._active == {"8"}
    assert files(executor).read_submission() == Submission("8", COMMENT, 1)
    assert files(executor).read_end() is None
    assert executor._judge(info, {"8": QueuedJob("8", "waiting")}) is None
    assert len(executor._scheduler.submitted) == 1


def test_a_job_whose_submission_was_taken_without_an_answer_is_not_doubled(
    executor: Any, info: Any
) -> None:
    files(executor).write_end("limit")
    executor._scheduler.is_out = True
    executor._judge(info, {})
    executor._scheduler.is_out, executor._scheduler.named = False, "11"
    assert executor._judge(info, {}) is None
    assert info.external_jobid == "11" and executor._scheduler.submitted == []
    assert executor._active == {"11"}
    assert files(executor).read_end() is None
    assert files(executor).read_submission() == Submission("11", COMMENT, 1)


def test_a_job_does_not_go_on_for_ever(executor: Any, info: Any) -> None:
    files(executor).write_submission(Submission("7", COMMENT, 100))
    files(executor).write_end("limit")
    assert "100th that its time limit ended" in executor._judge(info, {}).failure


def test_a_job_that_cannot_run_is_cancelled_and_named(executor: Any, info: Any) -> None:
    queue = {"7": QueuedJob("7", "stuck", reason="state Eqw; qstat -j says why")}
    assert executor._judge(info, queue).failure == (
        "PBS job 7 can't run (state Eqw; qstat -j says why)."
    )
    assert executor._scheduler.cancelled == ["7"]


def test_a_job_that_is_gone_is_judged_by_its_outputs(
    executor: Any, info: Any, tmp_path: Path
) -> None:
    there = {"7": QueuedJob("7", "running")}
    assert [executor._judge(info, queue) for queue in ({}, there, {}, there)] == [None] * 4
    assert executor._judge(info, {}) is None
    assert "noted no end" in str(executor._judge(info, {}) or executor._judge(info, {}))
    output = tmp_path / "results/runs/a/train.json"
    output.parent.mkdir(parents=True)
    output.touch()
    assert executor._judge(info, {}) == Ended()


def test_an_interrupted_job_may_be_started_again_by_its_scheduler(executor: Any, info: Any) -> None:
    files(executor).write_end("interrupted")
    there = {"7": QueuedJob("7", "waiting")}
    assert [executor._judge(info, queue) for queue in (there, None, there, {})] == [None] * 4
    assert executor._judge(info, {}) == Ended("PBS job 7 was cancelled or killed.")
