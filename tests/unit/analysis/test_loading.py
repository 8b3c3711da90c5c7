"""Results as pandas tables: every value as it was logged, and clear errors."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from caduceus.analysis import load_history, load_runs, load_sweep, load_table
from caduceus.errors import ResultError
from caduceus.io.cells import to_csv
from caduceus.io.files import read_json, write_json, write_whole
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import held
from exported_runs import export_runs
from figure_exports import define_axes
from projects import Project
from run_files import attempt, write_try

BIG = 2**53 + 1  # no float holds it
ROWS: list[dict[str, Any]] = [
    {"loss": 0.1, "epoch": BIG, "is_best": True},
    {"loss": math.nan, "word": "1"},
    {"val/accuracy": 0.25},
]


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
    if parameters["rate"] == 0.2 and seed == 1:
        return None
    rng = np.random.default_rng((int(10 * parameters["rate"]), seed))
    values = rng.normal(1 - parameters["rate"], 0.01, 4)
    return [{"val/accuracy": float(v), "val/loss": float(1 - v)} for v in values]


@pytest.fixture
def exported(project: Project) -> Path:
    export_runs(project, logged)
    return project.path


@pytest.fixture
def mixed(project: Project) -> Path:
    export_runs(project, lambda parameters, seed: ROWS)
    return project.path


def test_there_is_a_row_for_each_run_with_parameters_results_and_cost(exported: Path) -> None:
    runs = load_runs(project=exported)
    assert list(runs["variant"]) == ["rate=0.1"] * 2 + ["rate=0.2"] * 2
    assert list(runs["state"]) == ["finished", "finished", "finished", "failed"]
    assert set(runs["kind"]) == {"planned"} and set(runs["group"]) == {"baseline"}
    assert runs["seed"].dtype == "int64" and runs["config.rate"].dtype == "float64"
    assert runs["summary.val/accuracy"].isna().tolist() == [False, False, False, True]
    assert runs["started_at"].dtype.tz is not None
    assert runs["wall_s"].sum() == 4 * 60
    assert runs.loc[3, "error"] == "ValueError: no"


def test_a_group_or_an_experiment_has_its_own_runs(project: Project) -> None:
    project.write_yaml(
        "experiments/other.yaml",
        {
            "id": "other",
            "type": "novel",
            "program": "experiments/train.py",
            "parameters": {"rate": 0.5},
        },
    )
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    export_runs(project, logged)
    assert set(load_runs(experiment="other", project=project.path)["config.rate"]) == {0.5}
    assert set(load_runs(group="baseline", project=project.path)["experiment"]) == {"toy"}
    assert len(load_runs(["baseline", "novel"], project=project.path)) == 5


def test_runs_on_their_way_and_runs_that_nobody_names_any_more_are_there(exported: Path) -> None:
    results = exported / "results"
    plan = read_json(results / "experiments/toy.json")
    left, running, *_ = plan["runs"]
    del plan["runs"][left]
    write_json(results / "experiments/toy.json", plan)
    for name in ("train.json", "run_summary.json"):
        (results / "runs" / running / name).unlink()
    runs = load_runs(project=exported).set_index("run")
    assert runs.loc[left, "kind"] == "abandoned"
    assert runs.loc[running, "state"] == "to do"
    assert runs.loc[running, "config.rate"] == 0.1
    folder = RunFolder(results / "runs" / running)
    attempt(state="running").write(folder.attempts / "1.json")
    with held(folder.lease, folder.lock, None):
        assert load_runs(project=exported).set_index("run").loc[running, "state"] == "running"
        with pytest.raises(ResultError, match=f"run {running}: isn't exported yet: it is running"):
            load_history(running, project=exported)
    assert running not in set(load_history(project=exported)["run"])


def test_histories_are_without_runs_of_tries(exported: Path) -> None:
    results = exported / "results"
    plan = read_json(results / "experiments/toy.json")
    tried, *others = plan["runs"]
    del plan["runs"][tried]
    write_json(results / "experiments/toy.json", plan)
    write_try(results, [tried])
    runs = load_runs(project=exported).set_index("run")
    assert runs.loc[tried, "kind"] == "try"
    finished = runs.index[runs["state"] == "finished"]
    assert {*load_history(project=exported)["run"]} == {*others} & {*finished}
    assert {*load_history(tried, project=exported)["run"]} == {tried}


def test_a_history_holds_every_value_exactly(mixed: Path) -> None:
    history = load_history(project=mixed)
    assert len(history) == 4 * len(ROWS)
    assert list(history.columns[:5]) == ["run", "experiment", "variant", "seed", "_step"]
    one = history[history["run"] == history["run"].iloc[0]]
    assert one["epoch"].tolist() == [BIG, pd.NA, pd.NA]
    assert one["is_best"].tolist() == [True, pd.NA, pd.NA]
    assert one["word"].iloc[1] == "1"
    assert one["loss"].iloc[0] == 0.1 and one["val/accuracy"].iloc[2] == 0.25
    assert history["loss"].dtype == "float64" and history["_step"].dtype == "int64"


def test_a_frame_of_runs_names_them_in_its_order(mixed: Path) -> None:
    runs = load_runs(project=mixed)

    def loaded(frame: Any) -> list[str]:
        return list(dict.fromkeys(load_history(frame, "loss", project=mixed)["run"]))

    backwards = runs.iloc[::-1]
    assert loaded(runs) == list(runs["run"])
    assert loaded(backwards) == list(backwards["run"])
    assert loaded(runs[runs["seed"] == 1]) == list(runs[runs["seed"] == 1]["run"])
    assert loaded(runs.set_index("run")) == list(runs["run"])
    assert loaded(pd.concat([runs, runs])) == list(runs["run"])
    by_seed = [*runs[runs["seed"] == 0]["run"], *runs[runs["seed"] == 1]["run"]]
    assert loaded(runs.groupby("seed")) == by_seed
    [(_, first), _] = runs.groupby("seed")
    assert loaded(first) == by_seed[:2]


def test_a_frame_that_names_no_runs_is_refused(mixed: Path) -> None:
    runs = load_runs(project=mixed)
    for frame, message in (
        (runs.drop(columns="run"), r"no column 'run', only name, .*; pass one of load_runs"),
        (runs[runs["seed"] == 7], "the frame has no row"),
        (runs[runs["seed"] == 7].groupby("seed"), "the frame has no row"),
        (runs.assign(run=[*runs["run"][:3], None]), "a row without a run"),
    ):
        with pytest.raises(ResultError, match=message):
            load_history(frame, project=mixed)


def test_of_chosen_metrics_there_are_the_rows_that_have_one(mixed: Path) -> None:
    run = load_runs(project=mixed)["run"].iloc[0]
    history = load_history(run, "loss", project=mixed)
    assert list(history.columns) == ["run", "experiment", "variant", "seed", "_step", "loss"]
    assert history["_step"].tolist() == [0, 1] and math.isnan(history["loss"].iloc[1])
    both = load_history([run], ["loss", "val/accuracy"], project=mixed)
    assert both["_step"].tolist() == [0, 1, 2]


def test_results_are_found_from_the_project_or_from_themselves(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_runs(project=exported)
    pd.testing.assert_frame_equal(load_runs(project=str(exported / "results")), expected)
    monkeypatch.chdir(exported)
    pd.testing.assert_frame_equal(load_runs(), expected)
    assert len(load_history(load_runs()["run"])) == 3 * 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("load_runs(project='nowhere')", "nowhere: holds no results/ with runs"),
        ("load_runs('basline')", "no run is of group 'basline', did you mean 'baseline'?"),
        ("load_runs(experiment='x')", "no run is of experiment 'x'; there are toy"),
        ("load_history('x')", "there is no run 'x'"),
        (
            "load_history(metrics='val/los')",
            "'val/los'; logged are: val/accuracy, val/loss; did you mean 'val/loss'?",
        ),
        ("load_sweep()", "name one of the sweeps: none"),
        ("load_sweep('x')", "there is no sweep 'x'; there are none"),
    ],
)
def test_an_error_says_what_there_is(
    exported: Path, monkeypatch: pytest.MonkeyPatch, call: str, message: str
) -> None:
    monkeypatch.chdir(exported)
    with pytest.raises(ResultError) as raised:
        eval(call)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_sweep_has_a_row_for_each_trial(tmp_path: Path) -> None:
    folder = tmp_path / "results/sweeps/tune-1a2b"
    (tmp_path / "results/runs").mkdir(parents=True)
    write_json(folder / "sweep.json", {"sweep": "tune-1a2b"})
    with pytest.raises(ResultError, match="isn't exported yet"):
        load_sweep(project=tmp_path)
    rows = [
        {"trial": 0, "runs": "a b", "state": "finished", "objective": 0.5, "stopped_early": False},
        {"trial": 1, "runs": "c d", "state": "failed", "stopped_early": True, "config.lr": 0.1},
    ]
    times = {"started_at": "2026-01-01T00:00:00+00:00", "wall_s": 2.5}
    write_whole(folder / "trials.csv", to_csv([row | times for row in rows], ["trial"]))
    trials = load_sweep("tune", project=tmp_path)
    assert trials["runs"].tolist() == [["a", "b"], ["c", "d"]]
    assert trials["trial"].dtype == "int64" and trials["stopped_early"].dtype == "bool"
    assert math.isnan(trials["objective"][1]) and trials["started_at"].dtype.tz is not None
    pd.testing.assert_frame_equal(load_sweep("tune-1a2b", project=tmp_path), trials)


def test_large_integers_of_a_configuration_stay_exact(project: Project) -> None:
    values = [2**63, 2**70 + 1, 10**30]
    project.change("experiments/toy.yaml", parameters={"big": values[0]}, seeds=[0])
    project.change("experiments/toy.yaml", matrix={"rate": [0.1], "n": values})
    export_runs(project, logged)
    runs = load_runs(project=project.path)
    assert runs["config.n"].dtype == object and list(runs["config.n"]) == values
    assert list(runs["config.big"]) == [2**63] * 3
    assert list(runs["variant"]) == [f"rate=0.1,n={value}" for value in values]


def test_the_rows_of_logged_tables_come_with_the_paths_of_their_pictures(project: Project) -> None:
    name = "media/table/predictions_0.table.json"
    cell = {"_type": "table-file", "path": name, "ncols": 3}
    export_runs(project, lambda parameters, seed: [{"predictions": cell}, {"loss": 1}])
    records = load_runs(project=project.path)
    picture = {"_type": "image-file", "path": "media/images/a.png"}
    for run, seed in zip(records["run"], records["seed"], strict=True):
        data = [[int(seed), picture, [picture]], [0.5, None, []]]
        table = {"columns": ["score", "image", "run"], "data": data}
        write_json(project.path / "results/runs" / run / name, table)
    run = records["run"][1]
    found = load_table("predictions", run, project=project.path)
    path = str(project.path / "results/runs" / run / "media/images/a.png")
    assert list(found) == [
        *("run", "experiment", "variant", "seed", "_step"),
        *("score", "image", "logged.run"),
    ]
    assert found["image"][0] == path and pd.isna(found["image"][1])
    assert found["logged.run"].tolist() == [[path], []]
    assert found["score"].tolist() == [records["seed"][1], 0.5]
    assert len(load_table("predictions", project=project.path)) == 2 * len(records)
    with pytest.raises(ResultError, match="'loss' isn't a table"):
        load_table("loss", project=project.path)


def test_a_metric_comes_with_the_axis_that_its_runs_declare(project: Project) -> None:
    rows = [{"global_step": 10, "return": 1.5}, {"global_step": 20}, {"global_step": 30, "loss": 2}]
    export_runs(project, lambda parameters, seed: rows)
    define_axes(project, {"return": "global_step"})
    found = load_history(metrics="return", project=project.path)
    assert list(found.columns[4:]) == ["_step", "global_step", "return"]
    assert found["global_step"].tolist() == [10] * 4
    assert found.attrs["axes"] == {"return": "global_step"}
    assert load_history(project=project.path).attrs["axes"] == {"return": "global_step"}
    assert "global_step" not in load_history(metrics="loss", project=project.path)
