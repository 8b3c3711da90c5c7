"""Runs whose experiment preloads modules."""

import shutil
import sys
from pathlib import Path

import pytest
from caduceus.exports.equality import differences
from projects import EXPERIMENT, EXPORTS, Project

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux"),
    pytest.mark.usefixtures("fresh_programs"),  # where they preload nothing
]

UNTIL = ("--until", "export_group")


def test_preload_forks_runs_says_once_why_not_and_reruns_nothing(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]}, preload=["wandb"])
    command = ["${interpreter}", "-O", "${program}", "${args}"]
    other = EXPERIMENT | {"id": "other", "matrix": {"rate": [0.1]}, "command": command}
    project.write_yaml("experiments/other.yaml", other | {"preload": ["wandb"]})
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    printed = project.snakemake(*UNTIL).check().output
    starts: dict[str, list[str]] = {}
    for path in project.runs:
        [attempt] = project.read_json(f"results/runs/{path.name}/train.json")["attempts"]
        starts.setdefault(path.name.partition("-")[0], []).append(attempt["start"])
    reason = "its command has options of Python"
    assert starts == {"toy": ["forked"] * 2, "other": [f"fresh: {reason}"] * 2}
    assert printed.count(reason) == 1
    assert "preload" not in (project.path / "results/experiments/toy.json").read_text()

    project.change("experiments/toy.yaml", preload=["numpy", "wandb"])
    # As after any edit of the file, even of a comment: no training and no export of a run.
    assert project.planned(*UNTIL) == {"validate_spec": 1, "export_group": 1}
    project.snakemake(*UNTIL).check()
    assert project.planned(*UNTIL) == {}

    exported = shutil.copytree(project.runs[-1], tmp_path / "forked")
    shutil.rmtree(project.runs[-1])
    project.change("experiments/toy.yaml", preload=[])
    project.snakemake(*UNTIL).check()
    lines = differences(exported, project.runs[-1], with_times=False)
    # The experiment's file, in which only `preload` differs.
    assert [line for line in lines if "spec-toy" not in line] == []


def test_auto_preloads_what_the_code_declares_and_what_runs_have_imported(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]}, preload="auto")
    project.snakemake("--cores", "1", *EXPORTS).check()
    starts = [
        project.read_json(f"{run}/train.json")["attempts"][0]["start"] for run in project.runs
    ]
    assert starts == ["forked"] * 2
    modules = project.read_json("results/preload/experiments/train.py.json")["modules"]
    assert "wandb.sdk.wandb_run" in modules
    assert not {"curve", "json", "sitecustomize", "caduceus_shim"} & {*modules}
