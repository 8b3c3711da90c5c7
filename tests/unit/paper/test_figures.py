"""Figures: what they show of the runs, and what the numbers are."""

import json
import math
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from caduceus.errors import ResultError, SpecError
from caduceus.exports.group_history import ABOUT, RunHistory, write_history
from caduceus.io.cells import csv_line
from caduceus.paper.figures.figure import draw_figure, measure_figure
from caduceus.paper.figures.history_curves import read_curves
from caduceus.paper.history_values import read_curve
from caduceus.statistics import estimate
from caduceus.statistics.curves import align
from caduceus.statistics.settings import Methods
from exported_runs import export_runs, load
from figure_exports import (
    add_predictions,
    drawn,
    entry_of,
    export_variants,
    learning,
    measured,
    plans_of,
)
from projects import Project

ACC: dict[str, Any] = {"metrics": {"accuracy": "acc"}}
PUBLISHED: list[dict[str, Any]] = [
    {"parameters": {"arch": "cnn"}, "value": 52, "interval": 2},
    {"label": "human", "value": 96},
]


def at_end(accuracies: Mapping[str, list[float | None]]) -> Any:
    """What runs have logged whose last accuracy is this, by variant and seed; None if it failed."""

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        value = accuracies[parameters["arch"]][seed]
        return None if value is None else [{"acc": 0.0}, {"acc": value, "loss": 1 - value}]

    return logged


def export(project: Project, accuracies: Mapping[str, list[float | None]]) -> None:
    seeds = len(next(iter(accuracies.values())))
    export_variants(project, list(accuracies), seeds, at_end(accuracies))


def test_curves_are_means_over_seeds_with_a_band(project: Project) -> None:
    export(project, {"cnn": [0.4, 0.6], "mlp": [0.25, None]})
    content = measured(project, "curves", **ACC, percent=True)
    [panel] = content.numbers["panels"]
    cnn, mlp = panel["lines"]

    assert panel["heading"] == "accuracy (%)"
    assert (cnn["label"], cnn["steps"], cnn["n"]) == ("cnn", [0, 1], [2, 2])
    expected = estimate([40, 60])
    assert (cnn["value"][1], cnn["low"][1]) == pytest.approx((expected.value, expected.low))
    assert (mlp["label"], mlp["value"][1], mlp["low"]) == ("mlp (1 failed)", 25, [None, None])
    assert len(content.runs) == 3
    assert content.caption == (
        "At each step: mean, 95 % interval by Student's t, over 1 to 2 runs. "
        "Failed and left out: 1 of 4 runs."
    )

    (axes,) = drawn(content, "curves").axes
    assert [list(line.get_ydata()) for line in axes.lines] == [cnn["value"], mlp["value"]]
    assert axes.collections[0].get_paths()[0].vertices[:, 1].max() == pytest.approx(cnn["high"][1])


def test_a_long_curve_is_drawn_in_part_from_its_first_step_to_its_last(project: Project) -> None:
    export_variants(project, ["cnn"], 1, lambda *_: [{"acc": n} for n in range(2_000)])
    [line] = measured(project, "curves", **ACC).numbers["panels"][0]["lines"]
    assert (line["steps"][0], line["steps"][-1], len(line["steps"])) == (0, 1_999, 500)
    assert line["value"] == line["steps"]


def test_a_caption_names_each_method_by_which_an_interval_was_made(project: Project) -> None:
    accuracies = {"cnn": [0.1 * seed for seed in range(7)], "mlp": [0.1, 0.3, *[None] * 5]}
    export(project, accuracies)
    median = {"statistic": "median", "interval": None}
    caption = measured(project, "bars", **ACC, statistics=median).caption
    assert caption.startswith(
        "Over 2 to 7 runs: median, 95 % interval by Student's t or order statistics."
    )


def test_runs_that_log_at_different_steps_are_straight_between_them() -> None:
    first = (np.array([0, 10, 20]), np.array([0.0, 1.0, 0.0]))
    second = (np.array([5, 10]), np.array([2.0, 4.0]))
    steps, values = align([first, second])
    assert list(steps) == [0, 5, 10, 20]
    assert values.tolist()[0] == [0, 0.5, 1, 0]
    assert values.tolist()[1] == pytest.approx([np.nan, 2, 4, np.nan], nan_ok=True)


def test_of_very_many_steps_some_are_chosen_evenly() -> None:
    curve = (np.arange(3, 100_003), np.arange(100_000.0))
    steps, values = align([curve], 500)
    assert (steps[0], steps[-1], len(steps)) == (3, 100_002, 500)
    assert values.tolist() == [(steps - 3).tolist()]


CELLS = ["0.5", "1", "-3", "1e-05", "NaN", "Infinity", "null", "true", "", "0.25"]


@pytest.mark.parametrize("more", [[], ['"1"', "text", "[1,2]", "two\nlines"]])
def test_a_column_read_at_once_is_the_one_read_cell_by_cell(
    tmp_path: Path, more: list[str]
) -> None:
    cells = [*CELLS, *more, "7"]
    rows = [[str(step), cell, "a,b"] for step, cell in enumerate(cells)]
    path = tmp_path / "metrics_history.csv"
    path.write_text("".join(map(csv_line, [["_step", "loss", "note"], *rows])))
    steps, values = read_curves(path, {"loss": "_step", "other": "_step"})["loss"].curve

    expected = [(at, value) for at, value in read_curve(path, "loss") if np.isfinite(value)]
    assert list(zip(steps.tolist(), values.tolist(), strict=True)) == expected
    assert len(read_curves(path, {"other": "_step"})["other"].axis) == 0


def test_a_row_may_be_longer_than_a_block_of_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "metrics_history.csv"
    rows = [["0", "0.5", "a"], ["1", "0.25", "x" * 3_000_000], ["2", "no", "c"]]
    path.write_text("".join(map(csv_line, [["_step", "loss", "note"], *rows])))
    steps, values = read_curves(path, {"loss": "_step"})["loss"].curve
    assert (steps.tolist(), values.tolist()) == ([0, 1], [0.5, 0.25])

    write_history([RunHistory(dict.fromkeys(ABOUT), path)], tmp_path / "history.parquet")
    notes = pq.read_table(tmp_path / "history.parquet").column("note").to_pylist()
    assert [len(note) for note in notes] == [1, 3_000_000, 1]


def test_bars_show_means_seeds_and_what_is_published(project: Project) -> None:
    export(project, {"cnn": [0.4, 0.6], "mlp": [0.25, None], "gru": [None, None]})
    content = measured(project, "bars", **ACC, percent=True, published=PUBLISHED, source="Theirs")
    cnn, mlp, gru = content.numbers["panels"][0]["rows"]

    assert (cnn["n"], cnn["value"], cnn["values"]) == (2, 50, {0: 40, 1: 60})
    assert cnn["published"] == {"value": 52, "interval": 2}
    assert (mlp["label"], mlp["n"], mlp["value"]) == ("mlp (1 failed)", 1, 25)
    assert gru["n"] == 0
    assert content.caption == (
        "Over 1 to 2 runs: mean, 95 % interval by Student's t. Published: Theirs. "
        "Failed and left out: 3 of 6 runs."
    )

    figure = drawn(content, "bars")
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [50, 25]
    dots = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "o"]
    assert dots == [[40, 60], [25]]
    assert any(list(line.get_xdata()) == [96, 96] for line in axes.lines)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["cnn", "mlp (1 failed)", "gru (2 failed)"]
    texts = {text.get_text() for text in figure.legends[0].get_texts()}
    assert texts == {"mean", "one run", "95 % interval", "published", "human"}


EIGHT = {
    "base": [0.50, 0.52, 0.49, 0.51, 0.50, 0.48, 0.53, 0.50],
    "good": [0.70, 0.71, 0.69, 0.72, 0.70, 0.66, 0.74, 0.71],
    "same": [0.51, 0.50, 0.50, 0.50, 0.51, 0.47, 0.54, 0.50],
    "poor": [0.30, 0.31, 0.29, 0.32, 0.30, 0.26, 0.34, 0.31],
}


def verdicts(project: Project, **keys: Any) -> dict[str, str]:
    content = measured(project, "differences", **(ACC | keys))
    return {
        row["label"]: row["verdict"] for panel in content.numbers["panels"] for row in panel["rows"]
    }


def test_differences_say_what_the_data_decide(project: Project) -> None:
    export(project, EIGHT)  # type: ignore[arg-type]
    decided = {"good": "better", "same": "within noise", "poor": "worse"}
    assert verdicts(project) == decided
    assert verdicts(project, goal="minimize") == decided | {"good": "worse", "poor": "better"}
    unknown = verdicts(project, metrics={"loss": "loss"})  # nobody says which way is better
    assert unknown == decided | {"good": "lower", "poor": "higher"}

    [panel] = measured(project, "differences", **ACC, percent=True).numbers["panels"]
    good = panel["rows"][0]
    assert panel["heading"] == "accuracy: difference to base (percentage points)"
    assert (good["effect"], good["differences"][0]) == pytest.approx((20, 20))
    assert (good["n"], good["is_paired"], good["adjusted_p"]) == (8, True, 3 * 2 / 2**8)


def test_three_seeds_decide_nothing_and_the_caption_says_how_many_would(project: Project) -> None:
    export(project, {name: values[:3] for name, values in EIGHT.items()})
    assert set(verdicts(project).values()) == {"not enough runs"}
    caption = measured(project, "differences", **ACC).caption
    assert caption == (
        "Mean difference over 3 runs with 95 % interval. Verdicts by sign-flip test by seed at "
        "0.05, corrected for 3 comparisons (Holm). With so few runs p can't be below 0.25; use 7."
    )


def test_a_baseline_of_several_variants_is_the_one_most_like_each(project: Project) -> None:
    matrix = {"arch": ["mlp", "cnn"], "shuffled": [False, True]}
    project.change("experiments/toy.yaml", matrix=matrix, baseline={"arch": "mlp"})
    export_runs(project, lambda parameters, seed: [{"acc": len(str(parameters)) + seed}])
    [panel] = measured(project, "differences", **ACC).numbers["panels"]

    pairs = [(row["label"], row["baseline"]) for row in panel["rows"]]
    assert pairs == [(f"cnn shuffled={s}", f"mlp shuffled={s}") for s in ("false", "true")]
    assert panel["heading"] == "accuracy: difference to the baseline"

    own = measured(project, "differences", **ACC, baseline={"arch": "cnn", "shuffled": True})
    assert {row["baseline"] for row in own.numbers["panels"][0]["rows"]} == {"cnn shuffled=true"}

    project.change("experiments/toy.yaml", variants={"odd": {"arch": "gru", "shuffled": "half"}})
    export_runs(project, lambda parameters, seed: [{"acc": seed}])
    with pytest.raises(SpecError, match=r"matches several variants: .*; name more parameters"):
        measured(project, "differences", **ACC)


def test_profiles_are_the_shares_of_runs_past_each_score(project: Project) -> None:
    export(project, {"cnn": [0.4, 0.6], "mlp": [0.2, 0.6]})
    [panel] = measured(project, "profiles", **ACC).numbers["panels"]
    assert panel["scores"][1:-1] == [0.2, 0.4, 0.6]
    assert [line["share"][:-1] for line in panel["lines"]] == [[100, 100, 50, 0], [100, 50, 50, 0]]
    assert panel["edge"] == "above"

    content = measured(project, "profiles", metrics={"loss": "loss"}, goal="minimize")
    [panel] = content.numbers["panels"]
    assert panel["scores"][1:-1] == [0.8, 0.6, 0.4]
    assert panel["lines"][0]["share"][:-1] == [100, 100, 50, 0]
    (axes,) = drawn(content, "profiles").axes
    assert axes.get_ylabel() == "runs below (%)"


def test_profiles_over_tasks_of_an_experiment_each(project: Project) -> None:
    matrix = {"arch": ["mlp", "cnn"]}
    experiments = {env: f"experiments/{env}.yaml" for env in ("a", "b")}
    for env, path in experiments.items():
        shutil.copy(project.path / "experiments/toy.yaml", project.path / path)
        project.change(path, id=f"on-{env}", matrix=matrix, parameters={"env": env}, baseline=None)
    project.change("config.yaml", experiments=list(experiments.values()))
    export_runs(project, lambda parameters, seed: [{"acc": seed + (parameters["env"] == "b")}])
    [panel] = measured(project, "profiles", **ACC, tasks="env").numbers["panels"]
    assert [line["label"] for line in panel["lines"]] == ["mlp", "cnn"]
    assert panel["tasks"] == ["a", "b"]


def test_profiles_over_tasks_leave_out_a_task_that_one_method_lacks(project: Project) -> None:
    matrix = {"arch": ["mlp", "cnn"], "env": ["a", "b", "c"]}
    project.change("experiments/toy.yaml", matrix=matrix)

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        if parameters["env"] == "c" and parameters["arch"] == "cnn":
            return None
        return [{"acc": {"a": 0.0, "b": 1.0, "c": 2.0}[parameters["env"]] + seed}]

    export_runs(project, logged)
    content = measured(project, "profiles", **ACC, tasks="env")
    [panel] = content.numbers["panels"]
    assert [line["label"] for line in panel["lines"]] == ["mlp", "cnn (2 failed)"]
    assert panel["tasks"] == ["a", "b"]
    assert panel["scores"][1:-1] == [0, 1, 2]  # of a: 0 and 1, of b: 1 and 2
    assert panel["lines"][0]["share"][:-1] == [100, 75, 25, 0]
    assert "Left out, because some methods have no result there: c." in content.caption

    export_runs(
        project, lambda p, s: None if (p["arch"] == "mlp") == (p["env"] == "c") else [{"acc": 1}]
    )
    with pytest.raises(ResultError, match="no task has results of all methods"):
        measured(project, "profiles", **ACC, tasks="env")


@pytest.mark.parametrize("chart", [None, "visualizations/confusion_matrix"])
def test_a_confusion_matrix_is_the_mean_of_the_runs(project: Project, chart: str | None) -> None:
    export(project, {"cnn": [0.4, 0.6], "mlp": [0.25, None]})
    add_predictions(project, ["cat", "ant", "bee"], chart)
    content = measured(project, "confusion", **({"metrics": {"confusion": chart}} if chart else {}))
    classes = content.numbers["classes"]
    cnn, mlp = content.numbers["panels"]

    assert classes == (["cat", "ant", "bee"] if chart else ["ant", "bee", "cat"])
    cat, ant = classes.index("cat"), classes.index("ant")
    assert (cnn["percent"][cat][cat], cnn["percent"][cat][ant]) == (75, 25)
    assert (len(cnn["runs"]), len(mlp["runs"])) == (2, 1)
    texts = [text.get_text() for text in drawn(content, "confusion").axes[0].texts]
    assert sorted(texts) == ["25", "25", "25", "75", "75", "75"]


def test_a_confusion_matrix_needs_predictions(project: Project) -> None:
    export(project, {"cnn": [0.4], "mlp": [0.25]})
    for folder in project.runs:
        summary = json.loads((folder / "run_summary.json").read_text()) | {"artifacts": []}
        (folder / "run_summary.json").write_text(json.dumps(summary))
    with pytest.raises(SpecError, match=r"paper.figures.f: no run has predictions.csv"):
        measured(project, "confusion")
    with pytest.raises(SpecError, match="no run has a chart 'c' by wandb"):
        measured(project, "confusion", metrics={"confusion": "c"})


@pytest.mark.parametrize("kind", ["curves", "bars", "differences", "profiles"])
def test_a_metric_that_no_run_has_is_refused(project: Project, kind: str) -> None:
    export(project, {"cnn": [0.4], "mlp": [0.25]})
    said = "paper.figures.f: metrics.loss: no run logged metric 'los'; .*; did you mean 'loss'"
    with pytest.raises(SpecError, match=said):
        measured(project, kind, metrics={"loss": "los"})


@pytest.mark.parametrize("kind", ["curves", "bars", "differences", "profiles", "confusion"])
def test_a_figure_without_a_finished_run_says_so(project: Project, kind: str) -> None:
    export(project, {"cnn": [None], "mlp": [None]})
    content = measured(project, kind, **({} if kind == "confusion" else ACC))
    assert [text.get_text() for text in drawn(content, kind).texts] == ["No run has a result."]
    assert content.caption == "Failed and left out: 2 of 2 runs."


@pytest.mark.parametrize("kind", ["curves", "bars", "differences", "profiles"])
@pytest.mark.parametrize("of_base", [None, math.nan, 0.5])
def test_what_has_no_result_is_left_out(project: Project, kind: str, of_base: float | None) -> None:
    other = 0.5 if of_base != 0.5 else math.nan
    export(project, {"base": [of_base] * 2, "other": [other] * 2, "third": [math.nan, None]})
    content = measured(project, kind, **ACC)
    drawn(content, kind)
    assert "Failed and left out" in content.caption
    if kind == "differences":
        assert "No variant has a result that can be compared." in content.caption


@pytest.mark.parametrize("kind", ["curves", "bars", "differences", "profiles"])
def test_a_figure_of_runs_that_have_all_diverged_is_a_figure(project: Project, kind: str) -> None:
    logged = [{"acc": math.nan, "loss": 0.5}, {"acc": math.nan, "loss": 0.25}]
    export_variants(project, ["base", "other"], 2, lambda parameters, seed: logged)
    content = measured(project, kind, **ACC)
    texts = [text.get_text() for text in drawn(content, kind).texts]
    assert (content.numbers, texts) == ({}, ["No run has a result."])
    both = measured(project, kind, metrics={"accuracy": "acc", "loss": "loss"})
    assert len(drawn(both, kind).axes) == len(both.numbers["panels"]) == 2


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        ({"kind": "bars"}, "missing key 'metrics'"),
        (
            {"kind": "curves", "metrics": {"a": {"name": "acc", "at": 3}}},
            "metrics.a: a curve has every step",
        ),
        (
            {"kind": "confusion", "metrics": {"a": "a", "b": "b"}},
            "a confusion matrix shows one chart",
        ),
        (
            {"kind": "bars", **ACC, "axis": "loss"},
            "axis: only figures of kind curves have an axis; leave it out",
        ),
        ({"kind": "differences", **ACC}, "toy has no baseline"),
        (
            {"kind": "differences", **ACC, "baseline": {"rate": 3}},
            "matches no variant that is shown",
        ),
        (
            {"kind": "differences", **ACC, "baseline": {"rate": 0.1}, "variants": [{"rate": 0.2}]},
            'baseline: {"rate": 0.1} matches no variant that is shown; there are rate=0.2 of toy',
        ),
        (
            {"kind": "profiles", **ACC, "tasks": "rat"},
            "no run has a parameter 'rat', did you mean 'rate'?",
        ),
        ({"kind": "sweep"}, "shows no sweep; name one sweep's experiment"),
    ],
)
def test_a_figure_that_lacks_what_its_kind_needs_is_refused_before_anything_runs(
    project: Project, figure: dict[str, Any], message: str
) -> None:
    project.change("config.yaml", paper={"figures": {"f": figure}})
    with pytest.raises(SpecError) as refused:
        load(project)
    assert "paper.figures.f" in str(refused.value)
    assert message in str(refused.value)


@pytest.mark.slow
def test_the_same_runs_give_the_same_bytes_with_fonts_as_text(project: Project) -> None:
    export_variants(project, ["cnn", "mlp"], 2, learning)
    add_predictions(project, ["ant", "bee"])
    figures = project.path / "results/paper/figures"
    for kind in ("bars", "profiles", "confusion"):
        entry = entry_of(kind, title=f"A {kind}", **({} if kind == "confusion" else ACC))
        for folder in ("one", "two"):
            out = figures / folder / f"{kind}.json"
            measure_figure(entry, plans_of(project), None, Methods(), out)
            draw_figure(out, None, 6.75, out.with_suffix(".pdf"))
        for path in sorted((figures / "one").glob(f"{kind}.*")):
            assert path.read_bytes() == (figures / "two" / path.name).read_bytes(), path.name

        pdf = (figures / f"one/{kind}.pdf").read_bytes()
        assert b"/FontFile2" in pdf
        assert b"/Type3" not in pdf
        width = float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)[1])  # type: ignore[index]
        assert width == pytest.approx(6.75 * 72)
        assert re.search(f"<!-- A {kind} -->", (figures / f"one/{kind}.svg").read_text())
        about = json.loads((figures / f"one/{kind}.json").read_text())
        assert list(about) == ["name", "kind", "title", "caption", "runs", "numbers"]
        assert len(about["runs"]) == 4
