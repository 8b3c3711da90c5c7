"""`caduceus try` from an edit to a verdict, with runs that are computed in place of trained."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from answer_schemas import check
from caduceus.errors import CaduceusError
from caduceus.io.answers import answer_text
from caduceus.io.csv_rows import read_rows
from caduceus.io.phrases import printable
from caduceus.overview.leftovers import find_leftovers
from caduceus.overview.mcp.tries import try_ledger
from caduceus.paper.archive.contents import Contents
from caduceus.paper.archive.result_files import add_tries
from caduceus.paper.ledger import read_ledger
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.page import write_page
from caduceus.paper.report.tries import read_tries
from caduceus.project.experiments import load_experiment
from caduceus.project.listed_runs import find_runs
from caduceus.project.settings import load_settings
from caduceus.project.snapshots import take_snapshot
from caduceus.runs.files.export import Summary
from caduceus.runs.files.params import Params
from caduceus.runs.files.tries import Ledger, incumbent_of, try_tables
from caduceus.runs.files.usage import Usage
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.settings import Methods
from caduceus.system.leases import held
from caduceus.system.snakemake_lock import note_holder
from caduceus.training.train import retry
from caduceus.tries.codes import edit_between, edited_files, run_of
from caduceus.tries.gate import Wanted
from caduceus.tries.training import train_runs
from exported_runs import load
from run_files import attempt, train
from tried_edits import KilledError, TriedProject


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TriedProject:
    """A project whose program has run."""
    path = tmp_path / "project"
    found = TriedProject.create(path)
    monkeypatch.chdir(path)
    found.build()
    return found


def test_a_gain_is_kept_and_is_the_incumbent_of_the_next_try(tried: TriedProject) -> None:
    first = tried.edit(GAIN=0.05)
    answer = tried.attempt("a wider layer")
    assert (answer.verdict, answer.status, answer.is_new) == ("kept", 0, True)
    assert answer.result
    assert answer.result.phase == "confirmation"
    assert answer.result.effect == pytest.approx(0.05, abs=0.005)
    assert answer.result.p < answer.result.level
    assert not {*answer.seeds} & {0, 1, 2, 3, 4}  # fresh ones
    assert answer.incumbent == answer.code == incumbent_of(tried.folder()).id
    assert first is None
    tried.edit(GAIN=0.1)
    second = tried.attempt("a wider one still")
    assert second.verdict == "kept"
    assert tried.tries[1].against == answer.code
    assert second.result
    assert second.result.effect == pytest.approx(0.05, abs=0.005)
    assert not {*second.seeds} & {*tried.tries[0].fresh}


def test_the_incumbent_runs_on_fresh_seeds_with_its_own_code(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.attempt()
    [known] = tried.tries
    incumbents = [run for run in tried.trained if run in known.runs]
    codes = {
        (Path("results/runs") / run / "work/code/experiments/train.py").read_text()
        for run in incumbents
    }
    assert len(codes) == 2


def test_a_useless_try_is_discarded_after_few_runs(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    answer = tried.attempt("a narrower layer")
    assert (answer.verdict, answer.status, answer.reason) == (
        "discarded",
        4,
        "no_gain_in_screening",
    )
    assert len(tried.trained) == 2  # of the edit alone: the incumbent had run
    assert incumbent_of(tried.folder()).id == answer.incumbent != answer.code


def test_the_answer_says_what_it_cost_and_what_to_do_next(tried: TriedProject) -> None:
    program = tried.project.path / "experiments/train.py"
    tried.edit(GAIN=0.05)
    best = program.read_text()
    verdict, cost, step = tried.attempt().lines()
    assert verdict.startswith("try 1 kept: better on fresh seeds")
    assert re.fullmatch(
        r"cost: \d+ runs, .* s of training.*; error budget: 5 % left of 5 %, .*", cost
    )
    assert step == "next: commit the edit; the next one is compared with it"
    tried.edit(GAIN=0.03)
    answer = tried.attempt()
    assert answer.verdict == "discarded"
    assert answer.to_json()["next"] == answer.lines()[-1].removeprefix("next: ")
    # The kept edit wasn't committed, and stays.
    subprocess.run(shlex.split(answer.next.split("`")[1]), check=True)
    assert program.read_text() == best


def test_the_edit_that_renames_a_file_can_be_taken_back(
    tried: TriedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried.edit(GAIN=-0.02)
    tried.attempt()
    definition = tried.tries[0].code.definition
    folder = tmp_path / "renamed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    old, new = tmp_path / "old.py", folder / "new.py"
    old.write_text("GAIN = 0\n")
    new.write_text("GAIN = 1\n")
    diff = edit_between({"old.py": old}, {"new.py": new}, definition, definition)
    assert edited_files(diff) == {"old.py", "new.py"}
    subprocess.run(["git", "apply", "--reverse"], input=diff, text=True, check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"old.py": "GAIN = 0\n"}


def test_a_confirmation_that_keeps_nothing_spends_of_the_level(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05, CRASHES_ON=(8,))  # a fresh seed
    answer = tried.attempt()
    assert tried.tries[0].fresh
    assert answer.reason == "failed"
    assert answer.level_left == pytest.approx(0.05 * 0.85)
    assert "`caduceus retry` with the run's name" in answer.next


def test_code_that_is_edited_while_its_snapshot_is_taken_is_no_try(
    tried: TriedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried.edit(GAIN=0.05)

    def edit_then_snapshot(*arguments: Any) -> None:
        tried.edit(GAIN=0.07)
        take_snapshot(*arguments)

    with monkeypatch.context() as during:
        during.setattr("caduceus.tries.codes.take_snapshot", edit_then_snapshot)
        with pytest.raises(CaduceusError, match="was edited while its snapshot was taken"):
            tried.attempt()
    assert tried.tries == []
    assert tried.trained == []
    tried.edit(GAIN=0.05)  # what the first snapshot was to be of
    assert tried.attempt().verdict == "kept"
    assert "+GAIN = 0.05" in tried.folder().diff(1).read_text()


def test_a_second_try_names_the_first(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    folder = Path("results/tries")
    said = f"`caduceus try`, process {os.getpid()} on "
    with (
        held(folder / "lease.json", folder / "lock", None),
        pytest.raises(CaduceusError, match=said),
    ):
        tried.attempt()
    assert tried.trained == []


def test_the_same_edit_again_is_answered_from_the_ledger(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    first = tried.attempt("one reason")
    trained = len(tried.trained)
    again = tried.attempt("another reason")
    assert again.is_new is False
    assert (again.number, again.verdict, again.result) == (1, first.verdict, first.result)
    assert len(tried.trained) == trained
    assert [each.why for each in tried.tries] == ["one reason"]


def test_an_edit_that_was_kept_is_answered_too(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.attempt()
    assert tried.attempt().verdict == "kept"
    assert len(tried.tries) == 1


def test_a_comment_is_no_edit(tried: TriedProject) -> None:
    text = (tried.project.path / "experiments/train.py").read_text()
    tried.project.write("experiments/train.py", f"# a comment\n{text}")
    with pytest.raises(CaduceusError, match="the code equals the incumbent's"):
        tried.attempt()
    assert not (Path("results/tries/toy")).exists()
    assert not Path("experiments/toy.try.yaml").exists()


def test_an_edit_of_nothing_after_a_try(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    tried.attempt()
    tried.edit()
    with pytest.raises(CaduceusError, match="the code equals the incumbent's"):
        tried.attempt()


def test_a_return_to_the_first_incumbent_is_no_try(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.attempt()
    tried.edit()
    with pytest.raises(CaduceusError, match="the code is that of the first incumbent"):
        tried.attempt()


@pytest.mark.slow
@pytest.mark.parametrize("kill_after", [0, 1, 2, 5, 9, 17])
def test_a_killed_try_goes_on_and_counts_once(
    tried: TriedProject, tmp_path: Path, kill_after: int
) -> None:
    tried.edit(GAIN=0.05)
    tried.kill_after = kill_after
    with pytest.raises(KilledError):
        tried.attempt("a gain")
    assert [each.verdict for each in tried.tries] == ["running"]
    assert [row["verdict"] for row in read_rows(tried.folder().table)] == ["running"]
    tried.kill_after = None
    answer = tried.attempt("a gain")
    assert (answer.number, answer.verdict) == (1, "kept")
    assert len(tried.tries) == 1
    assert len(tried.trained) == len({*tried.trained})  # no run is trained twice
    untouched = TriedProject.create(tmp_path / "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "other")
        untouched.build()
        untouched.edit(GAIN=0.05)
        assert untouched.attempt("a gain").result == answer.result


def test_another_edit_may_come_between(tried: TriedProject) -> None:
    """A try that was left runs again against the incumbent that was kept meanwhile."""
    tried.edit(GAIN=0.04)
    tried.kill_after = 0
    with pytest.raises(KilledError):
        tried.attempt("left")
    tried.kill_after = None
    tried.edit(GAIN=0.08)
    tried.attempt("kept meanwhile")
    tried.edit(GAIN=0.04)
    answer = tried.attempt("left")
    assert (answer.number, answer.verdict) == (3, "discarded")
    assert (tried.tries[0].verdict, tried.tries[0].reason) == ("undecided", "superseded")


def test_a_failed_run_discards_the_try_with_its_reason(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05, CRASHES_ON=(0, 1, 2, 3, 4))
    answer = tried.attempt()
    assert (answer.verdict, answer.reason) == ("discarded", "failed")
    assert "exit status 1: no such layer" in answer.sentence


def test_a_metric_that_is_not_finite_is_a_failure(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05, NAN_ON=tuple(range(100)))
    answer = tried.attempt()
    assert (answer.verdict, answer.reason) == ("discarded", "failed")
    assert "acc is NaN" in answer.sentence


def test_an_unknown_metric_is_named(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    with pytest.raises(
        CaduceusError, match=r"metric: no run logged metric 'accc'; .*did you mean 'acc'"
    ):
        tried.attempt(metric="accc")
    assert not Path("experiments/toy.try.yaml").exists()  # the next try can name another


def test_another_metric_gets_its_own_goal_or_none(tried: TriedProject) -> None:
    """Never that of the experiment's own metric."""
    for run in Path("results/runs").iterdir():
        summary = Summary.read(run / "run_summary.json")
        replace(summary, summary={**summary.summary, "loss": 0.3}).write(run / "run_summary.json")
    tried.edit(GAIN=0.05)
    with pytest.raises(
        CaduceusError, match=r"missing key 'goal', .* of loss are better; add --goal"
    ):
        tried.attempt(metric="loss")
    with pytest.raises(CaduceusError, match="--goal: acc is declared to be maximized; leave"):
        tried.attempt(metric="acc", goal=Goal.MINIMIZE)
    assert not Path("experiments/toy.try.yaml").exists()
    assert not Path("results/tries/toy").exists()
    tried.kill_after = 0
    with pytest.raises(KilledError):
        tried.attempt(metric="loss", goal=Goal.MINIMIZE)
    assert Ledger.read(tried.folder().ledger).metric.goal is Goal.MINIMIZE
    assert "name: loss, goal: minimize" in Path("experiments/toy.try.yaml").read_text()


@pytest.mark.parametrize(
    "entry",
    [
        {"metrics": {"a": "acc", "l": {"name": "loss", "goal": "minimize"}}},
        {"metrics": {"l": "loss"}, "goal": "minimize"},
        {"metrics": {"a": {"name": "acc", "best_by": {"name": "loss", "goal": "minimize"}}}},
    ],
    ids=["metric", "entry", "best_by"],
)
def test_the_paper_declares_the_goal_of_a_metric(
    tried: TriedProject, entry: dict[str, Any]
) -> None:
    tried.project.change("config.yaml", paper={"tables": {"t": entry}})
    settings = {"experiment": "experiments/toy.yaml", "metric": {"name": "loss"}}
    tried.project.write_yaml("experiments/toy.try.yaml", settings)
    for run in Path("results/runs").iterdir():
        summary = Summary.read(run / "run_summary.json")
        replace(summary, summary={"loss": 0.3}).write(run / "run_summary.json")
    tried.edit(GAIN=0.05)
    tried.kill_after = 0
    with pytest.raises(KilledError):
        tried.attempt()
    assert Ledger.read(tried.folder().ledger).metric == Metric(name="loss", goal=Goal.MINIMIZE)
    # Two goals are none.
    other = {"metrics": {"l": {"name": "loss", "goal": "maximize"}}}
    tried.project.change("config.yaml", paper={"tables": {"t": entry, "u": other}})
    with pytest.raises(CaduceusError, match="missing key 'goal'"):
        tried.attempt()


def test_seeds_on_which_the_incumbent_fails_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = TriedProject.create(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    tried.edit(CRASHES_ON=(1, 6))
    tried.build()
    tried.edit(GAIN=0.05)
    answer = tried.attempt()
    assert answer.verdict == "kept"
    assert 6 in answer.left_out
    assert not {1, 6} & {*answer.seeds}


def test_protected_files_refuse_a_try(tried: TriedProject) -> None:
    tried.project.write("experiments/metric.py", "def accuracy(): ...\n")
    tried.project.write_yaml(
        "experiments/toy.try.yaml",
        {"experiment": "experiments/toy.yaml", "protected": ["experiments/metric.py"]},
    )
    tried.edit(GAIN=-0.02)
    tried.attempt()
    tried.edit(GAIN=0.05)
    tried.project.write("experiments/metric.py", "def accuracy(): return 1\n")
    trained = len(tried.trained)
    answer = tried.attempt("a better metric")
    assert (answer.verdict, answer.status) == ("refused", 6)
    assert answer.refused == ("experiments/metric.py",)
    assert len(tried.trained) == trained
    assert tried.attempt("a better metric").is_new is False
    row = read_rows(tried.folder().table)[-1]
    assert (row["verdict"], row["refused"]) == ("refused", "experiments/metric.py")
    tried.project.write("experiments/metric.py", "def accuracy(): ...\n")
    assert tried.attempt("a gain").verdict == "kept"


def test_the_first_try_is_held_to_what_the_incumbent_ran_with(tried: TriedProject) -> None:
    """The program of the metric was touched in the very first edit."""
    tried.project.write_yaml(
        "experiments/toy.try.yaml",
        {"experiment": "experiments/toy.yaml", "protected": ["experiments/train.py"]},
    )
    tried.edit(GAIN=0.05)
    assert tried.attempt().refused == ("experiments/train.py",)


def test_other_data_are_refused(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.project.write("data.csv", "x\n")
    dataset = {"name": "points", "path": "data.csv", "version": 2}
    tried.project.change("experiments/toy.yaml", dataset=dataset)
    answer = tried.attempt()
    assert answer.verdict == "refused"
    assert "experiments/toy.yaml" in answer.refused


def test_other_settings_start_a_new_ledger(
    tried: TriedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    tried.edit(GAIN=0.05)
    kept = tried.attempt()
    tried.project.change("experiments/toy.try.yaml", min_effect=0.01)
    tried.edit(GAIN=0.1)
    capsys.readouterr()
    answer = tried.attempt()
    assert "the settings in experiments/toy.try.yaml are others now" in capsys.readouterr().err
    assert answer.ledger == "results/tries/toy.2"
    assert answer.number == 1
    assert Ledger.read(tried.folder("toy.2").ledger).first.id == kept.code


def test_options_are_held_to_the_settings(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    tried.attempt(budget=9)
    tried.edit(GAIN=-0.03)
    with pytest.raises(CaduceusError, match="budget: the settings are fixed"):
        tried.attempt(budget=10)
    assert tried.attempt(budget=9).verdict == "discarded"


def test_runs_of_other_environments_are_said(tried: TriedProject) -> None:
    """As where a package was installed between the incumbent's runs and the edit."""
    tried.edit(GAIN=-0.02)
    assert tried.attempt().environment == ()
    [known] = tried.tries
    pythons = {run: "3.12.1" if run in known.trained else "3.11.7" for run in known.runs}
    for run, python in pythons.items():
        path = Path("results/runs") / run / "train.json"
        train(run, attempt(usage=Usage(python=python))).write(path)
    answer = tried.attempt()
    assert answer.environment == ("Python 3.11.7 or 3.12.1",)
    assert answer.lines()[1] == (
        "environment: the runs of these pairs differ in Python 3.11.7 or 3.12.1"
    )
    check("try", json.loads(answer_text(answer.to_json())))


def test_folds_are_no_seeds(tried: TriedProject) -> None:
    """Folds depend on each other, and there are no fresh ones."""
    tried.edit(GAIN=0.05)
    folds: dict[str, Any] = {"folds": 5}
    tried.project.change("config.yaml", paper={"statistics": folds})
    with pytest.raises(CaduceusError, match=r"paper\.statistics\.folds: each seed is a fold, so"):
        tried.attempt()
    assert not tried.folder().path.exists()
    folds["fold_parameter"] = "rate"
    tried.project.change("config.yaml", paper={"statistics": folds})
    assert tried.attempt().verdict == "kept"


def test_a_budget_that_can_show_nothing(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match="budget: 3 pairs can't show anything"):
        tried.attempt(budget=3)
    assert not Path("experiments/toy.try.yaml").exists()


def test_parameters_and_defaults_are_edits_too(tried: TriedProject) -> None:
    tried.project.change("config.yaml", defaults={"bonus": 0.05})
    answer = tried.attempt("a bonus")
    assert answer.verdict == "kept"
    assert '+    "bonus": 0.05' in Path(answer.diff).read_text()


def test_without_an_incumbent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = TriedProject.create(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    with pytest.raises(CaduceusError, match="there is no incumbent yet"):
        tried.attempt()


def test_of_several_versions_one_is_named(tried: TriedProject) -> None:
    tried.edit(GAIN=0.01)
    tried.build()
    old = next(Path("results/runs").glob("toy-*")).name
    tried.edit(GAIN=0.08)
    started = re.escape(attempt().started_at or "")
    one = rf"toy-\w+ \(of {started}\)"
    with pytest.raises(CaduceusError, match=f"2 earlier versions have run, .*: {one}, {one}$"):
        tried.attempt()
    assert tried.attempt(against=old).verdict == "kept"


def test_of_several_versions_that_of_the_last_plan_is_meant(tried: TriedProject) -> None:
    first = {path.name for path in Path("results/runs").iterdir()}
    groups = load_settings(Path("config.yaml")).wandb.groups
    plan = load_experiment("experiments/toy.yaml", {"seed": 0}, groups, Path()).plan
    tried.edit(GAIN=0.01)
    tried.build()
    plan.write(Path("results/experiments/toy.json"))  # of the build after the edit was taken back
    tried.edit(GAIN=0.08)
    assert tried.attempt().verdict == "kept"
    assert {*tried.tries[0].runs} & first
    code = Ledger.read(tried.folder().ledger).first
    assert {run_of("toy", code, seed) for seed in range(5)} == first


def test_a_variant_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = TriedProject.create(tmp_path / "project", parameters={}, matrix={"rate": [0.1, 0.2]})
    monkeypatch.chdir(tmp_path / "project")
    tried.build()
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match="several variants match"):
        tried.attempt()
    with pytest.raises(CaduceusError, match="no variant of"):
        tried.attempt(against="rate=0.3")
    assert tried.attempt(against="rate=0.2").verdict == "kept"
    assert tried.tries[0].code.definition.parameters["rate"] == 0.2


def test_the_holdout_is_opened_for_kept_code_alone(tried: TriedProject) -> None:
    tried.project.write_yaml(
        "experiments/toy.try.yaml",
        {
            "experiment": "experiments/toy.yaml",
            "holdout": {"parameters": {"split": "holdout"}, "metric": "held"},
        },
    )
    tried.edit(GAIN=-0.02)
    assert tried.attempt().holdout is None
    tried.edit(GAIN=0.05)
    answer = tried.attempt()
    assert answer.holdout
    assert answer.holdout.gap == pytest.approx(-0.1)
    assert answer.holdout.uses == 1
    assert answer.holdout.error is None
    assert "holdout: held is" in answer.lines()[1]
    check("try", json.loads(answer_text(answer.to_json())))


def test_the_runs_are_known_as_those_of_tries(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.attempt()
    tried.edit()  # or else the experiment lists some of them
    loaded = load(tried.project)
    plans = [each.plan for each in loaded.experiments.values()]
    kinds = {run.run: run.kind for run in read_ledger(Path("results"), plans)}
    assert {kinds[run] for run in tried.trained} == {"try"}
    assert {run.kind for run in find_runs(Path("results")) if run.run in tried.trained} == {"try"}
    leftovers = {each.folder.name for each in find_leftovers(loaded, Path("results"))}
    assert not leftovers & {*tried.trained}


def test_the_diff_and_the_cost_stand_in_the_table(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    answer = tried.attempt("narrower, with a comma")
    [row] = read_rows(tried.folder().table)
    assert (row["try"], row["why"]) == (1, "narrower, with a comma")
    assert row["cpu_s"] is not None
    assert row["seeds"] == " ".join(map(str, tried.tries[0].seeds))
    text = Path(answer.diff).read_text()
    assert "-GAIN = 0.0\n+GAIN = -0.02\n" in text
    assert text.startswith("--- a/experiments/train.py\n+++ b/experiments/train.py\n")


def test_answers_fit_their_schema(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05, CRASHES_ON=(0, 1, 2, 3, 4))
    check("try", json.loads(answer_text(tried.attempt().to_json())))


def test_report_and_assistants_read_the_ledger(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    tried.attempt("<b>narrower</b>")
    tried.edit(GAIN=0.05)
    tried.attempt("wider")
    shown = read_tries(tried.folder().table)["view"]
    assert [row["state"] for row in shown["tries"]] == ["discarded", "kept"]
    assert [row["why"] for row in shown["tries"]] == ["<b>narrower</b>", "wider"]
    assert [row["holdout"] for row in shown["tries"]] == [None, None]
    found = try_ledger(Path("results"))
    assert found["incumbent"] == incumbent_of(tried.folder()).id
    assert [row["why"] for row in found["tries"]] == ["wider", "<b>narrower</b>"]
    assert found["tries"][0]["effect"] == pytest.approx(0.05, abs=0.005)
    with pytest.raises(CaduceusError, match="there is no ledger 'toyy', did you mean 'toy'"):
        try_ledger(Path("results"), "toyy")
    assert try_tables(str) == ["results/tries/toy/tries.csv"]


def test_a_return_to_code_that_was_kept_earlier_is_no_try(tried: TriedProject) -> None:
    for gain in (0.05, 0.1):
        tried.edit(GAIN=gain)
        assert tried.attempt().verdict == "kept"
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match="the code is that of try 1, and a later try was kept"):
        tried.attempt()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_record_is_missed(tried: TriedProject, lost: int) -> None:
    for gain in (-0.01, -0.02, -0.03):
        tried.edit(GAIN=gain)
        tried.attempt()
    record = tried.folder().record(lost)
    text = record.read_text()
    record.unlink()
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match=f"is not the one record of try {lost}: restore it"):
        tried.attempt()
    record.write_text(text)
    assert tried.attempt().number == 4


def test_a_record_with_the_number_of_another_is_seen(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.01)
    tried.attempt()
    replace(tried.tries[0], number=7).write(tried.folder().record(1))
    tried.edit(GAIN=-0.02)
    with pytest.raises(CaduceusError, match="is not the one record of try 1"):
        tried.attempt()


def test_a_lost_ledger_does_not_start_anew(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.01)
    tried.attempt()
    tried.folder().ledger.unlink()
    tried.edit(GAIN=-0.02)
    with pytest.raises(CaduceusError, match="is gone, but its tries aren't"):
        tried.attempt(against=tried.tries[0].runs[1])


def test_a_design_changed_by_hand_is_an_error_of_one_line(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.01)
    tried.attempt()
    ledger = Ledger.read(tried.folder().ledger)
    replace(ledger, design={**ledger.design, "level": "x"}).write(tried.folder().ledger)
    tried.edit(GAIN=-0.02)
    with pytest.raises(CaduceusError, match=r"design: .*; restore it from a copy"):
        tried.attempt()


@pytest.mark.parametrize(
    "metric", [{"name": "loss"}, {"name": "acc", "goal": "minimize"}], ids=["name", "goal"]
)
def test_the_metric_of_the_experiment_stays(tried: TriedProject, metric: dict[str, str]) -> None:
    tried.edit(GAIN=-0.01)
    tried.attempt()
    tried.project.change("experiments/toy.yaml", metric=metric)
    tried.edit(GAIN=-0.02)
    with pytest.raises(CaduceusError, match="metric: was to maximize acc when the ledger started"):
        tried.attempt()
    tried.project.change("experiments/toy.try.yaml", ledger=2)
    if "goal" in metric:
        assert tried.attempt().goal == "minimize"


def test_a_run_names_its_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = TriedProject.create(tmp_path / "project", parameters={}, matrix={"rate": [0.1, 0.2]})
    monkeypatch.chdir(tmp_path / "project")
    tried.build()
    [run, *_] = [
        path.parent.name
        for path in Path("results/runs").glob("*/params.json")
        if Params.read(path).parameters["rate"] == 0.2
    ]
    tried.edit(GAIN=0.05)
    assert tried.attempt(against=run).verdict == "kept"
    assert tried.tries[0].code.definition.parameters["rate"] == 0.2


def test_two_stars_protect_the_files_below_a_folder(tried: TriedProject) -> None:
    tried.project.write("data/held/a.csv", "1\n")
    tried.project.write_yaml(
        "experiments/toy.try.yaml",
        {"experiment": "experiments/toy.yaml", "protected": ["data/**"]},
    )
    tried.edit(GAIN=-0.01)
    assert tried.attempt().verdict == "discarded"
    tried.project.write("data/held/b.csv", "1\n")
    tried.edit(GAIN=-0.02)
    assert tried.attempt().refused == ("data/held/b.csv",)
    (tried.project.path / "data/held/a.csv").unlink()
    assert tried.attempt().refused == ("data/held/a.csv", "data/held/b.csv")


def test_a_protected_module_that_the_first_edit_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = TriedProject.create(tmp_path / "project", code=["experiments/*.py"])
    monkeypatch.chdir(tmp_path / "project")
    tried.project.write("experiments/metric.py", "def accuracy(): ...\n")
    tried.build()
    tried.project.write_yaml(
        "experiments/toy.try.yaml",
        {"experiment": "experiments/toy.yaml", "protected": ["experiments/metric*.py"]},
    )
    metric = tried.project.path / "experiments/metric.py"
    metric.rename(metric.with_name("metrics.py"))
    assert "experiments/metric.py" in tried.attempt().refused


def test_runs_that_are_stale_at_once_end_in_an_error(
    tried: TriedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caduceus.tries.values.stale_files", lambda folder: ("log.txt",))
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match="has been trained, and counts as stale again at once"):
        tried.attempt()
    assert [each.verdict for each in tried.tries] == ["running"]


def test_a_try_goes_on_once_its_failed_run_is_cleared(tried: TriedProject) -> None:
    tried.edit(GAIN=0.05)
    tried.fails_once_on = 0
    failed = tried.attempt()
    assert (failed.verdict, failed.reason) == ("discarded", "failed")
    assert tried.attempt().is_new is False
    [run] = [each for each in tried.trained if each in failed.sentence]
    assert retry([Path("results/runs") / run]) == [run]
    answer = tried.attempt()
    assert (answer.number, answer.verdict, answer.is_new) == (1, "kept", True)
    assert len(tried.trained) == len({*tried.trained}) + 1


def test_a_run_that_was_cleared_before_an_edit_is_no_run(tried: TriedProject) -> None:
    """No code plans it any more, so that its folder stays without a definition."""
    tried.project.change("experiments/toy.yaml", seeds=[6])
    tried.edit(CRASHES_ON=(6,))
    before = {*Path("results/runs").iterdir()}
    tried.build()
    [failed] = {*Path("results/runs").iterdir()} - before
    assert retry([failed]) == [failed.name]
    tried.project.change("experiments/toy.yaml", seeds=[0, 1, 2, 3, 4])
    tried.edit(GAIN=0.05)
    with pytest.raises(CaduceusError, match="is no finished run of toy"):
        tried.attempt(against=failed.name)
    assert tried.attempt().verdict == "kept"
    assert tried.tries[0].fresh[0] == 7  # the cleared run has had 6
    tried.edit(GAIN=0.1)
    with pytest.raises(
        CaduceusError, match=r"params\.json: isn't there, as after `caduceus retry`"
    ):
        tried.attempt(against=failed.name)


def test_snakemake_is_asked_to_train_what_was_cleared(
    tried: TriedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trains nothing if it is asked for the export alone, and that is there."""
    tried.edit(GAIN=-0.02)
    tried.attempt()
    asked: list[str] = []
    monkeypatch.setattr(
        "caduceus.tries.training.run_here", lambda words, **options: asked.extend(words) or 0
    )
    [known] = tried.tries
    ledger = Ledger.read(tried.folder().ledger)
    run = Path("results/runs") / known.trained[0]
    wanted = [Wanted(known.code, known.seeds[:1])]
    train_runs(tried.folder(), ledger, Path("results"), [], wanted)
    assert {str(run / "train.json"), str(run / "manifest.json")} <= {*asked}


def test_a_snakemake_that_another_one_kept_out_starts_again(
    tried: TriedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build locks the folder after the try has looked whether one works there."""
    tried.edit(GAIN=-0.02)
    tried.attempt()
    lock = tried.project.path / ".snakemake/locks/0.input.lock"
    statuses = [1, 0]

    def run_here(words: list[str], **options: bool) -> int:
        if len(statuses) == 2:
            tried.project.write(".snakemake/locks/0.input.lock", "results/x")
            note_holder()
        assert lock.exists() == (len(statuses) == 2)
        return statuses.pop(0)

    monkeypatch.setattr("caduceus.tries.training.run_here", run_here)
    waits = SimpleNamespace(sleep=lambda seconds: lock.unlink())
    monkeypatch.setattr("caduceus.tries.training.time", waits)
    [known] = tried.tries
    ledger = Ledger.read(tried.folder().ledger)
    wanted = [Wanted(known.code, known.seeds[:1])]
    train_runs(tried.folder(), ledger, Path("results"), [], wanted)
    assert statuses == []


@pytest.mark.parametrize(
    "why",
    [
        "</script><script>alert(1)</script>\x1b[31m",
        "half a character \udcff, and \0",
        "=HYPERLINK(1)\r\nnext; '\u2028\u202e",
        "-1",
        "{{ 7 * 7 }} {% raw %}" + "x" * 5000,
    ],
)
def test_any_reason_is_kept_as_text(tried: TriedProject, why: str) -> None:
    tried.edit(GAIN=-0.02)
    answer = tried.attempt(why)
    check("try", json.loads(answer_text(answer.to_json())))
    [row] = read_rows(tried.folder().table)
    shown = str(row["why"])
    assert shown.lstrip("'").split() == why.encode(errors="replace").decode().split()
    [listed] = try_ledger(Path("results"))["tries"]
    [known] = tried.tries
    assert listed["why"] == known.why
    page = Path("page.html")
    write_page(read_contents("toy", Sources([], tries=[tried.folder().table]), Methods()), page)
    block = page.read_text().partition('id="ledger-0">')[2].partition("</script>")[0]
    [row] = json.loads(block)["tries"]
    assert row["why"] == (printable(known.why) if len(known.why) <= 140 else row["why"])
    assert row["why"].replace("\n", " ").isprintable()
    assert "<" not in block


def test_an_archive_has_the_code_of_every_try(tried: TriedProject) -> None:
    tried.edit(GAIN=-0.02)
    discarded = tried.attempt("narrower")
    tried.edit(GAIN=0.05)
    kept = tried.attempt("wider")
    contents = Contents()
    add_tries(contents, Path("results"), limit=1e6)
    names = contents.entries.keys()
    folder = "project/results/tries/toy"
    assert {f"{folder}/{name}" for name in ("ledger.json", "tries.csv", "0001.diff")} < names
    for code in (discarded.code, kept.code, tried.tries[0].against):
        assert f"{folder}/code/{code}/experiments/train.py" in names
        assert f"{folder}/code/{code}.yaml" in names
    small = Contents()
    add_tries(small, Path("results"), limit=5)
    assert f"{folder}/code/{kept.code}/experiments/train.py" in {row[0] for row in small.left_out}
