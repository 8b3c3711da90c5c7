"""What no experiment names any more is listed, and removed only when that is confirmed."""

from dataclasses import replace
from pathlib import Path

from caduceus.io.amounts import size
from caduceus.paper.ledger import read_ledger
from projects import EXPERIMENT, Project
from run_files import attempt, identity, plan, train


def with_leftovers(project: Project) -> list[str]:
    """Two runs that no experiment names, one that an experiment planned once names, a sweep."""
    for name in ("old-1", "old-2"):
        folder = project.path / "results/runs" / name
        train(name, attempt(state="failed", wall_s=1800.0)).write(folder / "train.json")
        identity(name, experiment="old").write(folder / "run.json")
    (project.path / "results/sweeps/old-sweep").mkdir(parents=True)
    project.write_yaml("experiments/more.yaml", EXPERIMENT | {"id": "more", "seeds": [7]})
    planned = replace(plan({}), file="experiments/more.yaml")
    planned.write(project.path / "results/experiments/more.json")
    from caduceus.project.experiments import load_experiment

    groups = {"baseline": ""}
    runs = load_experiment("experiments/more.yaml", {"seed": 0}, groups, project.path).runs
    (project.path / "results/runs" / runs[0].id).mkdir(parents=True)
    return ["results/runs/old-1", "results/runs/old-2", "results/sweeps/old-sweep"]


def test_what_an_experiment_names_is_kept(project: Project) -> None:
    old = with_leftovers(project)
    kept = {path.name for path in project.runs} - {"old-1", "old-2"}
    listed = project.caduceus("gc").check().output.splitlines()
    assert [line.partition(" ")[0] for line in listed[:-1]] == old
    files = [[path for path in (project.path / each).rglob("*") if path.is_file()] for each in old]
    sizes = [sum(path.stat().st_size for path in each) for each in files]
    assert [line.split("  ", 1)[1] for line in listed[:-1]] == [
        f"{size(count)}  {took} of training"
        for count, took in zip(sizes, ("30 min", "30 min", "0 s"), strict=True)
    ]
    assert listed[-1] == f"3 folders, {size(sum(sizes))} that no experiment names"
    assert all((project.path / folder).exists() for folder in old)

    refused = project.caduceus("gc", "--remove")
    assert "--remove: no terminal to confirm on; add --yes" in refused.line("caduceus gc")
    assert all((project.path / folder).exists() for folder in old)

    project.caduceus("gc", "--remove", "--yes").check()
    ledger = read_ledger(project.path / "results", [])
    assert [(run.run, run.kind, run.state) for run in ledger] == [
        ("old-1", "abandoned", "failed"),
        ("old-2", "abandoned", "failed"),
    ]
    assert {path.name for path in project.runs} == kept
    assert project.caduceus("gc").check().output == "0 folders, 0 bytes that no experiment names\n"


def test_a_run_somebody_is_at_work_on_is_no_leftover(project: Project, tmp_path: Path) -> None:
    from caduceus.runs.folder import RunFolder
    from caduceus.system.leases import held

    with_leftovers(project)
    folder = RunFolder(project.path / "results/runs/old-1")
    folder.work.mkdir()
    with held(folder.lease, folder.lock, None):
        assert "old-1" not in project.caduceus("gc").check().output
    assert "old-1" in project.caduceus("gc").check().output
