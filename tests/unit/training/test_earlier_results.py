"""Seeds that are added after a look at the results are known by what had been shown."""

from dataclasses import replace
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.io.files import write_json
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.shown_runs import note_shown, shown_runs
from caduceus.training.earlier_results import shown_before
from exported_runs import export_runs, load
from paper_tables import make_again
from projects import Project
from run_files import identity, params, plan


def show(results: Path, runs: list[str]) -> None:
    """A table and a claim that show these runs."""
    rows = [{"cells": {"accuracy": {"runs": [run]}}} for run in runs]
    write_json(results / "paper/tables/t.json", {"name": "t", "rows": rows})
    write_json(results / "paper/claims.json", {"claims": [{"name": "c", "runs": runs}]})


def test_a_seed_is_late_if_others_were_shown_without_it(tmp_path: Path) -> None:
    path = tmp_path / "experiments/toy.json"
    planned = plan({"a-0": None, "a-1": None, "b-0": None, "t-0": "0000"})
    runs = [replace(run, variant=run.id[0]) for run in planned.runs]
    replace(planned, runs=tuple(runs)).write(path)

    def late(run: str, experiment: str = "toy") -> tuple[str, ...] | None:
        folder = RunFolder(tmp_path / "runs" / run)
        params(parameters={"of": run}).write(folder.params_json)
        sweep = "tune" if run == "t-0" else None
        return shown_before(folder, identity(run, experiment=experiment, sweep=sweep))

    assert late("a-1") is None
    show(tmp_path, ["a-0", "t-0"])
    assert late("a-1") == ("tables/t", "claims/c")
    assert late("a-0") is None  # it trains again
    assert late("b-0") is None  # of another variant
    assert late("t-0") is None
    assert late("a-1", "other") is None
    (tmp_path / "paper/claims.json").write_text("")
    assert late("a-1") == ("tables/t",)


def test_a_late_seed_is_known_before_its_plan_is_made(tmp_path: Path) -> None:
    """As in a build up to `train`, for which nothing makes the plan."""
    plan({"a-0": None}).write(tmp_path / "experiments/toy.json")
    runs: dict[str, tuple[str, dict[str, object]]] = {
        "a-0": ("toy", {"seed": 0}),
        "a-1": ("toy", {"seed": 1}),
        "b-0": ("toy", {"seed": 0, "parameters": {"rate": 0.1}}),
        "c-0": ("other", {"seed": 0}),
    }
    for run, (experiment, definition) in runs.items():
        params(**definition).write(tmp_path / "runs" / run / "params.json")
        identity(run, experiment=experiment).write(tmp_path / "runs" / run / "run.json")

    def late(run: str) -> bool:
        folder = RunFolder(tmp_path / "runs" / run)
        return shown_before(folder, Identity.read(folder.run_json)) is not None

    show(tmp_path, ["a-0", "gone"])
    assert [run for run in runs if late(run)] == ["a-1"]
    show(tmp_path, ["b-0", "c-0"])
    assert not any(map(late, runs))
    show(tmp_path, ["a-0"])
    (tmp_path / "runs/a-0/run.json").write_text("{")
    assert not late("a-1")
    (tmp_path / "experiments/toy.json").unlink()
    assert not late("a-1")


def test_what_was_shown_survives_an_edit_and_its_undo(project: Project) -> None:
    """Seeds 2 and 3 of code A, then code B with seed 4, and A again: seed 4 of A is late too."""
    results, program = project.path / "results", project.path / "experiments/train.py"
    code = program.read_text()
    project.change("experiments/toy.yaml", matrix={"rate": [0.1, 0.2]})
    late: dict[str, tuple[str, ...] | None] = {}

    def note_of(edit: str, seeds: int) -> str:
        """The note of the table that a build makes of this code with this number of seeds."""
        program.write_text(code + edit)
        project.change("experiments/toy.yaml", seeds=list(range(seeds)))
        experiment = load(project).experiments["toy"]
        experiment.plan.write(results / "experiments/toy.json")
        for run in experiment.runs:
            if run.id not in late:
                folder = RunFolder(results / "runs" / run.id)
                run.definition.write(folder.params_json)
                late[run.id] = shown_before(folder, identity(run.id))
        export_runs(project, lambda parameters, seed: [{"accuracy": parameters["rate"] + seed}])
        for run in experiment.runs:
            path = results / "runs" / run.id / "train.json"
            first = replace(Train.read(path).attempts[0], shown_before=late[run.id])
            replace(Train.read(path), attempts=(first,)).write(path)
        return make_again(project).note

    def added(seeds: str) -> str:
        return f"Added after tables/t had shown other seeds of rate=0.1, rate=0.2: {seeds}. No p"

    project.change("config.yaml", paper={"tables": {"t": {"metrics": {"accuracy": "accuracy"}}}})
    assert "Added" not in note_of("", 2)
    assert added("seeds 2, 3") in note_of("", 4)
    edit = "\nEDITED = True\n"
    assert "Added" not in note_of(edit, 4)
    assert added("seed 4") in note_of(edit, 5)
    undone = note_of("", 5)
    assert added("seeds 2, 3, 4") in undone
    assert undone.count("Added") == 1


def test_runs_shown_at_once_are_noted_once(tmp_path: Path) -> None:
    for runs in (["a-0"], ["a-1", "a-0"], ["a-0"], [], ["b-0"], ["a-0", "a-1"]):
        note_shown(tmp_path, "tables/t", {"tables/t": runs})
    note_shown(tmp_path, "claims", {"claims/c": ["a-0"], "claims/d": []})
    assert list(shown_runs(tmp_path)) == [
        ("claims/c", {"a-0"}),
        ("tables/t", {"a-0", "a-1"}),
        ("tables/t", {"b-0"}),
    ]
    (tmp_path / "shown/claims.json").write_text("[")
    with pytest.raises(ResultError, match="delete it; seeds added after"):
        note_shown(tmp_path, "claims", {"claims/c": ["a-0"]})
    assert len(list(shown_runs(tmp_path))) == 2
