"""`caduceus plan` leaves unstarted runs out of Snakemake's graph, and says what Snakemake says."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from caduceus.project.run_jobs import OUTPUTS
from caduceus.system.snakemake_job_list import WHOLE
from projects import EXPERIMENT, REPOSITORY, Project

LIST = REPOSITORY / "tests/support/listed_jobs.py"
WORDS = ("--snakefile", str(REPOSITORY / "Snakefile"))
SWEEP = {
    "id": "search",
    "type": "sweep",
    "program": "experiments/train.py",
    "parameters": {"width": 4},
    "sweep": {
        "count": 2,
        "config": {
            "method": "random",
            "metric": {"name": "val/accuracy", "goal": "maximize"},
            "parameters": {"rate": {"min": 0.1, "max": 0.2}},
        },
    },
}


def listed(project: Project, graph: str, *words: str) -> list[dict[str, Any]] | None:
    """The jobs that would run, the parts of their reasons sorted; None where it isn't sure."""
    done = project.fork(LIST, graph, *WORDS, *words).check()
    lines = done.output.splitlines()
    if WHOLE in lines:
        return None
    jobs = [json.loads(line)["job"] for line in lines if line.startswith('{"job"')]
    for job in jobs:
        is_of_run = job["rule"] in OUTPUTS and "run" in job["wildcards"]
        # Of a missing file of a run the reason is never read.
        job["reason"] = [] if is_of_run else sorted(re.split("[,;:] ", job["reason"]))
    return sorted(jobs, key=lambda job: str(job["outputs"]))


def hold(project: Project, *words: str) -> list[dict[str, Any]]:
    """List the jobs in both ways, and return them."""
    whole = listed(project, "whole", *words)
    assert whole is not None
    assert listed(project, "reduced", *words) == whole
    return whole


def trained(jobs: list[dict[str, Any]]) -> list[str]:
    return sorted(job["wildcards"]["run"] for job in jobs if job["rule"] == "train")


def test_all_kinds_of_runs_are_planned_as_by_snakemake(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    bare = {key: value for key, value in EXPERIMENT.items() if key != "dataset"}
    other = bare | {"id": "other", "seeds": [0, 1, 2], "resources": {"threads": 2}}
    project.write_yaml("experiments/other.yaml", other)
    project.write_yaml("experiments/search.yaml", SWEEP)
    files = [f"experiments/{name}.yaml" for name in ("toy", "other", "search")]
    project.change("config.yaml", experiments=files)

    jobs = hold(project)

    assert len(trained(jobs)) == 4 + 6
    assert {job["threads"] for job in jobs if job["rule"] == "train"} == {1, 2}


def test_runs_beside_finished_ones_are_planned_as_by_snakemake(finished: Project) -> None:
    known = {run.name for run in finished.runs}
    finished.change("experiments/toy.yaml", seeds=[0, 1, 2])
    failed, lost, touched, _ = finished.runs
    finished.replace(f"results/runs/{failed.name}/train.json", '"finished"', '"failed"')
    shutil.rmtree(lost)
    (touched / "run.json").unlink()
    group = {"id": "new", "group": "ablation", "seeds": [5]}
    finished.write_yaml("experiments/new.yaml", EXPERIMENT | group)
    files = ["experiments/toy.yaml", "experiments/new.yaml"]
    finished.change("config.yaml", experiments=files)

    new = set(trained(hold(finished))) - known

    assert len(new) == 4


def test_where_it_is_not_sure_all_jobs_are_in_the_graph(finished: Project) -> None:
    finished.change("experiments/toy.yaml", seeds=[0, 1, 2])
    dataset = finished.path / "results/datasets/points/dataset.json"
    dataset.write_text(dataset.read_text() + "\n")  # newer than what is made from it

    assert listed(finished, "reduced") is None
    plan = json.loads(finished.caduceus("plan", "--json", "--", *WORDS).check().output)

    assert len(plan["trainings"]) == 2


def test_threads_by_the_command_line_are_those_of_snakemake(tmp_path: Path) -> None:
    jobs = hold(Project.create(tmp_path / "project"), "--cores", "4", "--set-threads", "train=2")

    assert {job["threads"] for job in jobs if job["rule"] == "train"} == {2}
