"""The executor for SLURM in what no cluster can be brought to do here.

The programs of SLURM are stood in for; tests/workflow/test_slurm.py runs on a real cluster.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from caduceus.system import slurm
from caduceus.system.schedulers.executor import comment_of
from snakemake_executor_plugin_caduceus_slurm import Executor


def test_a_job_that_is_missed_now_and_then_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    running = {"7": slurm.QueuedJob("7", "RUNNING", "caduceus:train:a", "/project")}
    answers = iter([{}, running, {}, running, {}, {}])
    monkeypatch.setattr(slurm, "jobs", lambda: next(answers))
    ended: list[Any] = []
    executor: Any = object.__new__(Executor)
    executor._active, executor._missed, executor._is_out = {"7"}, Counter(), False
    executor.report_job_success = ended.append
    info: Any = SimpleNamespace(external_jobid="7", aux={"log": Path("no.log")})

    async def look() -> int:
        return len([one async for one in executor.check_active_jobs([info])])

    assert [asyncio.run(look()) for _ in range(6)] == [1, 1, 1, 1, 1, 0]
    assert ended == [info]


def test_groups_of_one_name_are_told_apart() -> None:
    def member(name: str) -> Any:
        rule = SimpleNamespace(name="train")
        return SimpleNamespace(rule=rule, wildcards=[name], is_group=lambda: False)

    def group(*names: str) -> Any:
        jobs = [member(name) for name in names]
        return SimpleNamespace(is_group=lambda: True, groupid="t", jobs=jobs)

    assert comment_of(group("a", "b")) == comment_of(group("b", "a"))
    assert comment_of(group("a", "b")) != comment_of(group("a", "c"))


def test_a_job_that_is_being_ended_is_not_taken_over() -> None:
    states = {"PENDING": True, "RUNNING": True, "COMPLETING": False, "CANCELLED": False}
    for state, is_active in states.items():
        assert slurm.QueuedJob("7", state, "", "").is_active == is_active


def test_a_waiting_job_has_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "7|PENDING|caduceus:train:a|Priority|/a|b\\n8|RUNNING|(null)|None|/a\\n"
    (tmp_path / "squeue").write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert slurm.jobs() == {
        "7": slurm.QueuedJob("7", "PENDING", "caduceus:train:a", "/a|b", "Priority"),
        "8": slurm.QueuedJob("8", "RUNNING", "(null)", "/a"),
    }


def test_a_limit_on_jobs_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job "
    said += "violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
    (tmp_path / "sbatch").write_text(f"#!/bin/sh\ncat >&2 <<'E'\nsbatch: {said}\nE\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(slurm.LimitError, match="takes no more jobs for now"):
        slurm.submit([], "#!/bin/sh\n")
