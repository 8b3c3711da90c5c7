"""`caduceus doctor` in a project, and of a W&B server that answers."""

import re
import sys
from pathlib import Path

import pytest
from caduceus.overview.doctor.outside import look_at_account
from caduceus.runs.wandb_paths import ProjectPath
from projects import Project
from wandb_server import WandbServer

PROJECT = ProjectPath("", "p")


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_a_server_that_answers_is_fine(
    monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer, tmp_path: Path
) -> None:
    for name, value in wandb_server.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert [found.level for found in look_at_account(PROJECT, is_online=False)] == ["fine", "fine"]


def test_every_line_has_its_level_and_errors_fail(project: Project) -> None:
    finished = project.caduceus("doctor")
    lines = finished.output.splitlines()
    assert finished.code == 0
    assert all(re.match(r"(fine   |warning) [^:]+: .", line) for line in lines), lines
    assert "fine    project: experiments: 1, runs: 4" in lines

    project.replace("experiments/toy.yaml", "type: baseline", "type: base")
    finished = project.caduceus("doctor")
    assert finished.code == 1
    assert "error   project: experiments/toy.yaml:2: type: " in finished.output
    assert sys.executable not in finished.output
