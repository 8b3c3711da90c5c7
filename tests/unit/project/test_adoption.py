"""Runs that take the results of earlier ones."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from answer_schemas import check
from caduceus import __main__ as command_line
from caduceus.errors import ResultError, SpecError
from caduceus.project.adoption import declare, find_pairs, read_adoptions
from caduceus.project.plan_run import plan_run
from caduceus.runs.files.params import ADOPTED_FILE, Params
from exported_runs import export_runs, load
from projects import Project


@pytest.fixture
def renamed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose experiment toy has run and is called other now, with another program."""
    monkeypatch.chdir(project.path)
    export_runs(project, lambda parameters, seed: [{"acc": seed}])
    project.change("experiments/toy.yaml", id="other")
    program = yaml.safe_load((project.path / "experiments/toy.yaml").read_text())["program"]
    path = project.path / program
    path.write_text(path.read_text() + "\nSPEED = 1\n")
    return project


def adopt(project: Project, old: str, new: str) -> tuple[list[Any], list[str]]:
    plans = [each.plan for each in load(project).experiments.values()]
    pairs, without = find_pairs(old, new, plans, project.path / "results")
    return declare(pairs, "renamed", project.path), without


def test_runs_with_equal_parameters_and_seeds_are_taken(renamed: Project) -> None:
    before = {
        (str(params.parameters), params.seed): (folder.name, params)
        for folder in renamed.runs
        for params in [Params.read(folder / "params.json")]
    }
    adopted, without = adopt(renamed, "toy", "other")
    assert len(adopted) == len(before) == 4 and without == []
    runs = load(renamed).experiments["other"].runs
    for run in runs:
        name, params = before[str(run.definition.parameters), run.seed]
        assert run.id == name
        assert run.definition.code != params.code == run.definition.ran_code
        assert run.definition.adopted is not None and run.definition.adopted.why == "renamed"
    # They aren't adopted again, and without its entry a run has its own id.
    again, without = adopt(renamed, "toy", "other")
    assert again == [] and all(line.endswith("has results of its own") for line in without)
    (renamed.path / ADOPTED_FILE).unlink()
    assert not {run.id for run in load(renamed).experiments["other"].runs} & {
        name for name, _ in before.values()
    }


def test_other_parameters_or_seeds_are_named(renamed: Project) -> None:
    renamed.change("experiments/toy.yaml", seeds=[1, 2])
    adopted, without = adopt(renamed, "toy", "other")
    assert len(adopted) == 2 and len(without) == 2
    assert without[0].endswith("no run of toy has its parameters, seed and dataset")


def test_absent_parameters_may_be_missing(renamed: Project) -> None:
    spec = yaml.safe_load((renamed.path / "experiments/toy.yaml").read_text())
    parameters = spec.get("parameters", {}) | {"dropout": 0.0}
    renamed.change("experiments/toy.yaml", parameters=parameters, absent={"dropout": 0.0})
    adopted, _ = adopt(renamed, "toy", "other")
    assert len(adopted) == 4


def test_two_single_runs_may_differ_in_everything(renamed: Project) -> None:
    renamed.change("experiments/toy.yaml", matrix={"rate": [0.7]}, seeds=[9])
    old = renamed.runs[0].name
    [new] = [run.id for run in load(renamed).experiments["other"].runs]
    [adopted], _ = adopt(renamed, old, new)
    assert (adopted.run, adopted.of) == (new, old)


def test_what_is_refused(renamed: Project) -> None:
    with pytest.raises(SpecError, match=r"othre: no planned experiment .*, did you mean 'other'?"):
        adopt(renamed, "toy", "othre")
    with pytest.raises(ResultError, match="toi: no finished run of it, beside planned ones, is in"):
        adopt(renamed, "toi", "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: a\n", "adopted.yaml:1: isn't a list"),
        ("- {run: a, of: b}\n", "adopted.yaml:1: by is missing; correct or remove the entry"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / ADOPTED_FILE).write_text(text)
    with pytest.raises(SpecError) as caught:
        read_adoptions(tmp_path)
    assert str(caught.value).startswith(message)


def test_one_run_is_taken_once(renamed: Project) -> None:
    adopt(renamed, "toy", "other")
    path = renamed.path / ADOPTED_FILE
    entries = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump([*entries, entries[0]]))
    with pytest.raises(SpecError, match="is in two entries; remove one"):
        read_adoptions(renamed.path)


def test_a_run_whose_results_are_gone_isnt_trained_under_its_name(renamed: Project) -> None:
    adopt(renamed, "toy", "other")
    run = load(renamed).experiments["other"].runs[0]
    folder = Path("results/runs") / run.id
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    spec = load(renamed).experiments["other"].spec
    with pytest.raises(SpecError, match=r"was adopted as .*, but has no results here; restore its"):
        plan_run(run.definition, spec.code, Path("experiments/toy.yaml"), folder / "params.json")


def test_the_command_prints_what_it_adopted(
    renamed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["adopt", "toy", "other", "--why", "renamed", "--json"]) == 0
    found = check("adopt", json.loads(capsys.readouterr().out))
    assert len(found["adopted"]) == 4 and found["adopted"][0]["why"] == "renamed"
