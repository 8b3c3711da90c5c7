"""The files of a sweep's trials, and what they are chosen by."""

import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import ResultError, SpecError
from caduceus.io.files import read_json, write_json
from caduceus.runs import source_code
from caduceus.runs.files.train import TrialOutcome
from caduceus.runs.goal import Goal
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.hyperband import HyperbandSettings, RungValue
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.pruning import TrialCriteria, check_metric_is_logged, record_missing_metric
from caduceus.sweeps.suggestions import SEARCH, suggest
from caduceus.sweeps.trials import confirm_trial, start_sweep, suggest_trial
from caduceus.wandb_log import stitch
from run_files import attempt, params, sweep_plan, train
from wandb_logs import framed, history

LAG = 3
PLAN = sweep_plan(
    {
        "method": "bayes",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}},
    },
    lag=LAG,
    sampler="gp",
)


def results_for(folder: SweepFolder, number: int) -> list[Path]:
    """What the job of a trial is given."""
    return folder.run_results(PLAN, number - LAG) if number >= LAG else []


def finish(folder: SweepFolder, number: int, objective: float) -> None:
    (path,) = folder.run_results(PLAN, number)
    outcome = TrialOutcome(objective=objective, stopped_at=None)
    train(path.parent.name, trial=outcome).write(path)


def run_trials(results: Path, count: int, waiting: int = 1) -> SweepFolder:
    """A sweep of so many trials, each of which ended `waiting` trials before it was needed."""
    folder = SweepFolder(results / "sweeps/tune-1")
    PLAN.write(folder.plan)
    for number in range(count):
        suggest_trial(folder, number, results_for(folder, number))
        ended = number - LAG + waiting
        if ended >= 0:
            at = read_json(folder.trial(f"{ended:04d}"))["parameters"]
            finish(folder, ended, math.hypot(at["x"] - 0.3, at["y"] - 0.7))
    return folder


def trials_of(folder: SweepFolder) -> list[Any]:
    return [read_json(path) for path in sorted((folder.path / "trials").iterdir())]


def test_trials_are_the_same_whether_chosen_ahead_or_when_due(tmp_path: Path) -> None:
    late = run_trials(tmp_path / "late", 19, waiting=1)
    early = run_trials(tmp_path / "early", 19, waiting=LAG)
    assert not list(late.path.glob("work/ahead/*"))
    assert list(early.path.glob("work/ahead/*"))
    assert trials_of(late) == trials_of(early)


def test_what_was_chosen_ahead_is_taken_without_a_model(tmp_path: Path) -> None:
    folder = run_trials(tmp_path, 19, waiting=LAG)
    (ahead, *_) = sorted(folder.path.glob("work/ahead/*"))
    number, chosen = int(ahead.stem), read_json(ahead)["trial"]
    words = ["suggest-trial", *map(str, results_for(folder, number))]
    words += ["--out", str(folder.trial(ahead.stem))]
    code = (
        f"import sys; from caduceus.__main__ import main; assert main({words!r}) == 0\n"
        "print({'numpy', 'optuna'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
    assert read_json(folder.trial(ahead.stem)) == chosen
    assert not ahead.exists()


@pytest.mark.parametrize("search", [None, 1])
def test_a_sweep_keeps_the_search_that_it_was_started_with(
    search: int | None, tmp_path: Path
) -> None:
    """Its later trials are those of that version, or of Optuna's search."""
    new = run_trials(tmp_path / "new", 14)
    assert [trial["search"] for trial in trials_of(new)] == [SEARCH] * 14
    old = SweepFolder(tmp_path / "old/sweeps/tune-1")
    PLAN.write(old.plan)
    config = old.config()
    first = suggest(config, PLAN.sampler, PLAN.seed, 0, [], search)
    started = {"trial": 0, "parameters": first, "told": None}
    write_json(old.kept_copy("0000"), started | ({"search": search} if search else {}))
    run_trials(tmp_path / "old", 14)
    trials = trials_of(old)
    assert [trial.get("search") for trial in trials] == [search] * 14
    told = {trial["told"]["trial"]: trial["told"]["objective"] for trial in trials if trial["told"]}
    earlier = [
        Observation(each["parameters"], told.get(each["trial"]), "finished")
        if each["trial"] in told
        else Observation(each["parameters"], None, "running")
        for each in trials[:13]
    ]
    expected = suggest(config, PLAN.sampler, PLAN.seed, 13, earlier, search)
    assert trials[13]["parameters"] == expected
    assert expected != suggest(config, "gp", PLAN.seed, 13, earlier)


def test_a_sweep_of_a_later_version_is_not_continued(tmp_path: Path) -> None:
    folder = run_trials(tmp_path, 1)
    trial = trials_of(folder)[0] | {"search": 99}
    write_json(folder.trial("0000"), trial)
    with pytest.raises(ResultError, match=r"0000\.json: was suggested by search 99 of a later"):
        suggest_trial(folder, 1, [])


def test_what_was_chosen_by_another_result_is_chosen_anew(tmp_path: Path) -> None:
    folder = run_trials(tmp_path, 19, waiting=LAG)
    (ahead, *_) = sorted(folder.path.glob("work/ahead/*"))
    number = int(ahead.stem)
    finish(folder, number - LAG, -100.0)
    suggest_trial(folder, number, results_for(folder, number))
    found = read_json(folder.trial(ahead.stem))
    assert found["told"]["objective"] == -100.0
    folder.kept_copy(ahead.stem).unlink()
    ahead.unlink()
    suggest_trial(folder, number, results_for(folder, number))
    assert found == read_json(folder.trial(ahead.stem))
    finish(folder, number - LAG, 100.0)  # by which nothing is chosen any more
    suggest_trial(folder, number, results_for(folder, number))
    assert found == read_json(folder.trial(ahead.stem))


def test_a_trial_that_has_been_run_keeps_its_parameters(tmp_path: Path) -> None:
    """Also if its file is deleted after results have changed, as by a retry."""
    folder = run_trials(tmp_path, 19)
    chosen = trials_of(folder)
    for trial in chosen:
        run = folder.run(f"tune-1-t{trial['trial']:04d}")
        params(parameters=trial["parameters"]).write(run / "params.json")
        attempt().write(run / "work/attempts/1.json")
    finish(folder, 0, -100.0)
    shutil.rmtree(folder.path / "trials")
    shutil.rmtree(folder.path / "work", ignore_errors=True)
    for number in range(19):
        suggest_trial(folder, number, results_for(folder, number))
    again = trials_of(folder)
    assert [trial["parameters"] for trial in again] == [trial["parameters"] for trial in chosen]
    assert again[LAG]["told"]["objective"] == -100.0


def test_each_configuration_is_confirmed_once(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweeps/tune-1")
    PLAN.write(folder.plan)
    for number, x in enumerate((0.1, 0.2, 0.1, 0.3)):
        trial = {"trial": number, "parameters": {"x": x, "y": 0.0}, "told": None}
        write_json(folder.trial(f"{number:04d}"), trial)
        finish(folder, number, x)
    assert [confirm_trial(folder, 4, rank).trial for rank in range(4)] == [0, 1, 3, None]


def test_a_sweep_whose_start_was_killed_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import wandb\n")
    (tmp_path / "tune.yaml").write_text("id: tune\n")
    code: source_code.CodeSpec = {"include": [], "exclude": []}
    files = source_code.code_files(Path("train.py"), code, Path())
    identity = source_code.code_identity(files, code, Path())
    definition = replace(PLAN.definition, program="train.py", code=identity)
    plan = replace(PLAN, definition=definition)
    folder = SweepFolder(tmp_path / "results/sweeps/tune-1")
    folder.code.mkdir(parents=True)  # and nothing in it yet
    start_sweep(plan, code, Path("tune.yaml"), folder.plan)
    assert (folder.code / "train.py").exists()


def test_a_metric_may_be_written_with_its_dot(tmp_path: Path) -> None:
    criteria = TrialCriteria("val.loss", Goal.MINIMIZE, "worst", None, [])
    assert criteria.metric_values({r"val\.loss": "0.5", "val.other": "1"}) == [0.5]
    assert criteria.metric_values({"val.loss": "NaN"}) == [pytest.approx(math.nan, nan_ok=True)]
    assert criteria.metric_values({"loss": "0.5"}) == []


def test_a_run_without_the_metric_stops_a_sweep_only_if_no_other_has_it(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "results/sweeps/tune-1")
    (tmp_path / "tune.yaml").write_text("sweep:\n  config:\n    metric:\n      name: loss\n")
    replace(PLAN, file=str(tmp_path / "tune.yaml")).write(folder.plan)
    trial = folder.trial("0000")
    outcome = TrialOutcome(objective=None, stopped_at=None, is_logged=False, logged=("los",))
    ended = train("tune-1-t0000", trial=outcome)
    ended.write(folder.run("tune-1-t0000") / "train.json")
    record_missing_metric(trial, ended)
    with pytest.raises(SpecError, match=r"no run logged metric 'loss'; .*you mean 'los'"):
        check_metric_is_logged(trial)
    finish(folder, 1, 0.5)
    check_metric_is_logged(trial)


def outcome_of(folder: Path, axis: str) -> TrialOutcome:
    """The outcome of a run with loss = 100 - global_step, stopped where others had less than 50."""
    rows = [
        {("_step",): str(n), ("loss",): str(100 - at), ("global_step",): str(at)}
        for n, at in enumerate(range(0, 100, 20))
    ]
    log = folder / "run-r.wandb"
    log.write_bytes(framed(history(n, row) for n, row in enumerate(rows, 1)))
    settings = HyperbandSettings(min_iter=50, axis=axis)
    others = [{50: RungValue(value, value)} for value in (1.0, 2.0, 3.0)]
    criteria = TrialCriteria("loss", Goal.MINIMIZE, "worst", settings, others)
    return criteria.outcome(stitch([log]), has_finished=True)


def test_a_run_is_evaluated_at_a_value_of_the_axis(tmp_path: Path) -> None:
    found = outcome_of(tmp_path, "global_step")
    assert (found.stopped_at, found.objective, found.is_logged) == (50, 40, True)
    assert found.bands == {"50": (40, 40)}


def test_a_run_that_never_logs_the_axis_counts_as_one_without_the_metric(tmp_path: Path) -> None:
    found = outcome_of(tmp_path, "globl_step")
    assert (found.stopped_at, found.is_logged) == (None, False)
    assert found.logged == ("global_step", "loss")


def test_a_sweep_whose_runs_lack_the_axis_is_refused(tmp_path: Path) -> None:
    rule = {"type": "hyperband", "min_iter": 50, "axis": "globl_step"}
    plan = sweep_plan(PLAN.to_json()["config"] | {"early_terminate": rule})
    folder = SweepFolder(tmp_path / "results/sweeps/tune-1")
    config = "sweep:\n  config:\n    early_terminate:\n      axis: globl_step\n"
    (tmp_path / "tune.yaml").write_text(config)
    replace(plan, file=str(tmp_path / "tune.yaml")).write(folder.plan)
    ended = train("tune-1-t0000", trial=outcome_of(tmp_path, "globl_step"))
    ended.write(folder.run("tune-1-t0000") / "train.json")
    record_missing_metric(folder.trial("0000"), ended)
    with pytest.raises(SpecError) as caught:
        check_metric_is_logged(folder.trial("0000"))
    assert str(caught.value).endswith(
        "tune.yaml:4: early_terminate.axis: experiments/train.py logs no number 'globl_step' in a "
        "row with 'loss'; logged are: global_step, loss; did you mean 'global_step'?"
    )
