"""Tables with tasks: methods as rows, tasks as columns, and aggregates over tasks."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.paper.numbers import numbers_latex
from caduceus.paper.provenance import trace_items
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.filters import FILTERS
from caduceus.paper.report.page import write_page
from caduceus.statistics import estimate_over_tasks, improvement_over_tasks
from caduceus.statistics.ranks import task_ranks
from caduceus.statistics.ratios import relative_change
from caduceus.statistics.settings import Methods
from exported_runs import load
from paper_tables import Made, make_of
from projects import Project

Scores = Mapping[tuple[str, str], Sequence[float | None]]  # by method and task, a run each
SPEC: dict[str, Any] = {
    "metrics": {"accuracy": "val/accuracy"},
    "tasks": "dataset",
    "goal": "maximize",
    "decimals": 3,
    "baseline": {"model": "knn"},
    "aggregates": ["mean", "iqm", "rank", "improvement"],
}
SCORES: Scores = {
    ("knn", "iris"): [0.90, 0.92, 0.94],
    ("svm", "iris"): [0.95, 0.96, 0.97],
    ("tree", "iris"): [0.91, 0.90, 0.95],
    ("knn", "wine"): [0.70, 0.72, 0.68],
    ("svm", "wine"): [0.75, 0.74, 0.79],
    ("tree", "wine"): [0.80, 0.85, 0.81],
    ("knn", "digits"): [0.97, 0.98, 0.96],
    ("svm", "digits"): [0.99, 0.98, 0.985],
    ("tree", "digits"): [0.85, 0.84, 0.87],
}
EXPERIMENT = "experiments/toy.yaml"


def plan(project: Project, scores: Scores, **changes: Any) -> None:
    matrix = {
        "model": list(dict.fromkeys(model for model, _ in scores)),
        "dataset": list(dict.fromkeys(task for _, task in scores)),
    }
    seeds = list(range(len(next(iter(scores.values())))))
    project.change(EXPERIMENT, matrix=matrix, seeds=seeds, **changes)


def make_tasks(project: Project, scores: Scores = SCORES, **changes: Any) -> Made:
    plan(project, scores)
    return make_of(project, logged(scores), SPEC | changes, resamples=500)


def logged(scores: Scores) -> Any:
    def rows(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        value = scores.get((parameters["model"], parameters["dataset"]), [None] * 99)[seed]
        return None if value is None else [{"val/accuracy": value, "val/error": 1 - value}]

    return rows


def without(*missing: tuple[str, str]) -> Scores:
    """The scores with failed runs in place of these cells."""
    return {key: [None] * 3 if key in missing else values for key, values in SCORES.items()}


def row(made: Made, label: str) -> dict[str, Any]:
    [found] = [row for row in made.value["rows"] if row["labels"][0] == label]
    return dict(found)


def values(made: Made, label: str) -> dict[str, float]:
    return {name: cell["value"] for name, cell in row(made, label)["cells"].items()}


def scores_of(model: str, *tasks: str) -> np.ndarray:
    return np.array([SCORES[model, task] for task in tasks]).T


def test_rows_are_methods_columns_are_tasks_and_each_task_has_its_own_best(
    project: Project,
) -> None:
    made = make_tasks(project)

    assert made.value["label_names"] == ["model"]
    assert [row["labels"] for row in made.value["rows"]] == [["knn"], ["svm"], ["tree"]]
    assert made.value["headings"][:3] == ["iris", "wine", "digits"]
    best = {
        task: [r["labels"][0] for r in made.value["rows"] if r["cells"][task]["mark"] == "best"]
        for task in ("iris", "wine", "digits")
    }
    assert best == {"iris": ["svm"], "wine": ["tree"], "digits": ["svm"]}
    second = {
        task: [r["labels"][0] for r in made.value["rows"] if r["cells"][task]["is_second"]]
        for task in ("iris", "wine", "digits")
    }
    # knn and tree have the same mean on iris, so both are second.
    assert second == {"iris": ["knn", "tree"], "wine": ["svm"], "digits": ["knn"]}
    assert "joint sign flips over 9 pairs" in made.note  # three within each of three tasks
    assert "Underlined: the second best value of a column" in made.note
    assert row(made, "svm")["runs"] == 9
    assert {cell["n"] for cell in row(made, "svm")["cells"].values()} == {3}


def test_aggregates_are_those_of_the_statistics_over_tasks(project: Project) -> None:
    made = make_tasks(project)
    tasks = ("iris", "wine", "digits")
    means = np.array([[np.mean(SCORES[m, t]) for m in ("knn", "svm", "tree")] for t in tasks])

    for method in ("knn", "svm", "tree"):
        found = row(made, method)["cells"]
        for heading, statistic in (("mean over tasks", "mean"), ("IQM over tasks", "iqm")):
            expected = estimate_over_tasks(scores_of(method, *tasks), statistic, resamples=500)
            assert found[heading]["value"] == pytest.approx(expected.value)
            assert found[heading]["low"] == pytest.approx(expected.low)
    # iris: svm, then knn and tree with the same mean; wine: tree, svm, knn; digits: svm, knn, tree.
    ranks = [values(made, m)["average rank over tasks"] for m in ("knn", "svm", "tree")]
    assert ranks == pytest.approx([(2.5 + 3 + 2) / 3, (1 + 2 + 1) / 3, (2.5 + 1 + 3) / 3])
    assert ranks == pytest.approx(task_ranks(means).mean(axis=0))
    improvement = improvement_over_tasks(
        scores_of("svm", *tasks), scores_of("knn", *tasks), resamples=500
    )
    assert values(made, "svm")["probability of improvement"] == pytest.approx(improvement.value)
    assert "probability of improvement" not in values(made, "knn")
    assert "Mean and IQM over tasks [95 % interval by stratified bootstrap over seeds]" in made.note
    assert "of raw values" in made.note
    assert "3 tasks can't decide whether ranks differ; use 5 or more." in made.note


def test_where_less_is_better_ranks_and_improvement_follow(project: Project) -> None:
    accuracy = make_tasks(project)
    error = make_tasks(project, metrics={"error": "val/error"}, goal="minimize")

    for method in ("svm", "tree"):
        for heading in ("average rank over tasks", "probability of improvement"):
            assert values(error, method)[heading] == pytest.approx(
                values(accuracy, method)[heading]
            )


def test_a_missing_cell_leaves_its_task_out_of_every_aggregate_and_is_named(
    project: Project,
) -> None:
    made = make_tasks(project, without(("svm", "wine")))

    for method in ("knn", "svm", "tree"):
        expected = estimate_over_tasks(scores_of(method, "iris", "digits"), "mean").value
        assert values(made, method)["mean over tasks"] == pytest.approx(expected)
    assert "wine" not in row(made, "svm")["cells"]
    assert "No result: svm on wine." in made.note
    assert (
        "Aggregates are over the 2 tasks on which all these methods have results (iris, digits), "
        "and leave out wine."
    ) in made.note


def test_a_method_without_any_result_has_no_aggregate_and_others_keep_theirs(
    project: Project,
) -> None:
    made = make_tasks(project, without(("tree", "iris"), ("tree", "wine"), ("tree", "digits")))

    assert row(made, "tree")["cells"] == {}
    assert "No result: tree on any task." in made.note
    assert "Aggregates are over" not in made.note
    assert values(made, "svm")["average rank over tasks"] == 1


def test_without_a_shared_task_there_are_no_aggregates(project: Project) -> None:
    made = make_tasks(project, without(("knn", "iris"), ("svm", "wine"), ("tree", "digits")))

    for method in ("knn", "svm", "tree"):
        assert not [name for name in values(made, method) if "over tasks" in name]
    assert "No aggregates: on no task have all methods a result." in made.note


def test_scores_are_normalised_by_the_values_that_the_entry_gives(project: Project) -> None:
    ends = {"iris": [0.3, 1.0], "wine": [0.4, 0.9], "digits": [0.1, 1.0]}
    made = make_tasks(project, normalise=ends)

    tasks = list(ends)
    zero, one = np.array(list(ends.values())).T
    scores = (scores_of("svm", *tasks) - zero) / (one - zero)
    assert values(made, "svm")["mean over tasks"] == pytest.approx(scores.mean())
    assert "these values count as 0 and 1: iris 0.3 and 1, wine 0.4 and 0.9" in made.note
    assert "raw values" not in made.note


def test_each_metric_has_its_tasks_and_aggregates(project: Project) -> None:
    metrics = {"accuracy": "val/accuracy", "error": {"name": "val/error", "goal": "minimize"}}
    made = make_tasks(project, metrics=metrics, aggregates=["rank"])

    assert made.value["heads"] == [
        {"title": "accuracy", "columns": {f"accuracy: {t}": t for t in ("iris", "wine", "digits")}},
        {"title": "error", "columns": {f"error: {t}": t for t in ("iris", "wine", "digits")}},
        {
            "title": "over tasks",
            "columns": {f"{m}: average rank over tasks": f"{m}: rank" for m in metrics},
        },
    ]
    traced = trace_items([made.folder / "t.json"], {"tables/t": metrics}, project.path / "results")
    cells = traced["items"]["tables/t"]["cells"]
    assert cells["svm | error: wine"]["metric"] == metrics["error"]
    assert cells["svm | accuracy: average rank over tasks"]["metric"] == "val/accuracy"
    assert len(cells["svm | accuracy: average rank over tasks"]["runs"]) == 9


def test_latex_has_titles_above_the_tasks_and_underlines_the_second_best(project: Project) -> None:
    lines = make_tasks(project, aggregates=["mean"]).text("tex").splitlines()
    top = lines.index(r"\toprule")

    assert lines[top - 1] == r"\begin{tabular}{lrrrrr}"
    assert lines[top + 1 : top + 4] == [
        r" & \multicolumn{3}{c}{accuracy} & \multicolumn{1}{c}{over tasks} &  \\",
        r"\cmidrule(lr){2-4} \cmidrule(lr){5-5}",
        r"model & iris & wine & digits & mean & n \\",
    ]
    assert r"\underline{0.760}" in lines[top + 6]
    assert r"\mathbf{0.960}" in lines[top + 6]


def test_published_values_stand_below_their_method_or_in_a_row_of_their_label(
    project: Project,
) -> None:
    published = [
        {"parameters": {"model": "svm", "dataset": "wine"}, "value": 0.8, "interval": 0.1},
        {"parameters": {"dataset": "iris"}, "label": "human", "value": 0.99},
    ]
    made = make_tasks(project, published=published, source="Somebody 2020")

    assert [r["labels"][0] for r in made.value["rows"]] == [
        "knn",
        "svm",
        "svm (published)",
        "tree",
        "human",
    ]
    wine = {"wine": {"value": 0.8, "interval": 0.1, "decimals": 3, "exponent": 0}}
    assert row(made, "svm (published)")["published_cells"] == wine
    assert list(row(made, "human")["published_cells"]) == ["iris"]
    lines = [line for line in made.text("md").splitlines() if line.startswith("| svm (pub")]
    assert " 0.800 ± 0.100 |" in lines[0]


def test_each_column_has_its_relative_change_against_the_baseline(project: Project) -> None:
    made = make_tasks(project, relative=True, aggregates=["mean"])

    assert made.value["heads"][-1] == {
        "title": "against knn",
        "columns": {f"{task}: change": f"{task} (%)" for task in ("iris", "wine", "digits")},
    }
    found = row(made, "svm")["cells"]["wine: change"]
    expected = relative_change(SCORES["svm", "wine"], SCORES["knn", "wine"], is_paired=True)
    assert [found["value"], found["low"], found["high"]] == pytest.approx(
        [expected.value, expected.low, expected.high]
    )
    assert len(found["runs"]) == 3
    assert "wine: change" not in values(made, "knn")
    assert "Against knn: the change of the mean in % [95 % interval by Fieller" in made.note


def test_a_table_without_tasks_has_relative_changes_too(project: Project) -> None:
    plain = {
        "metrics": SPEC["metrics"],
        "goal": "maximize",
        "relative": True,
        "variants": [{"dataset": "wine"}],
        "baseline": {"model": "knn"},
    }
    plan(project, SCORES)
    made = make_of(project, logged(SCORES), plain)

    expected = relative_change(SCORES["tree", "wine"], SCORES["knn", "wine"], is_paired=True)
    assert values(made, "tree")["accuracy: change"] == pytest.approx(expected.value)
    table = pd.read_csv(made.folder / f"{made.name}.csv")
    columns = [f"accuracy: change{end}" for end in ("", " (low)", " (high)")]
    assert list(table[columns].dtypes) == [np.float64] * 3
    change = row(made, "tree")["cells"]["accuracy: change"]
    of_tree = table.set_index("model").loc["tree", columns]
    shown = [change[key] for key in ("value", "low", "high")]
    assert list(of_tree) == pytest.approx(shown, rel=1e-12)
    lines = made.text("tex").splitlines()
    top = lines.index(r"\toprule")
    assert lines[top + 1 : top + 4] == [
        r" & \multicolumn{1}{c}{} & \multicolumn{1}{c}{against knn} &  \\",
        r"\cmidrule(lr){3-3}",
        r"model & accuracy & accuracy (\%) & n \\",
    ]


def test_each_number_has_a_macro_for_running_text_with_its_runs(project: Project) -> None:
    made = make_tasks(project)
    lines = numbers_latex([made.folder / "t.json"]).splitlines()

    wine = row(made, "svm")["cells"]["wine"]
    at = lines.index(f"% t.svm.wine: runs {', '.join(wine['runs'])}")
    half = (wine["high"] - wine["low"]) / 2
    assert lines[at + 1 : at + 3] == [
        r"\@namedef{caduceus@t.svm.wine}{\ensuremath{0.760}}",
        rf"\@namedef{{caduceus@t.svm.wine.spread}}{{\ensuremath{{0.760 \pm {half:.3f}}}}}",
    ]
    assert r"\@namedef{caduceus@t.svm.wine.n}{3}" in lines
    # A row of the table whose name has spaces.
    assert r"\@namedef{caduceus@knn.average-rank-over-tasks}{\ensuremath{2.50}}" in lines


def test_a_key_of_several_cells_is_no_key(project: Project) -> None:
    made = make_tasks(project)
    other = made.folder / "u.json"
    other.write_text(made.text("json").replace('"name": "t"', '"name": "u"'))
    both = numbers_latex([made.folder / "t.json", other])

    assert "caduceus@svm.wine}" not in both
    assert r"caduceus@t.svm.wine}" in both
    assert r"caduceus@u.svm.wine}" in both
    twice = numbers_latex([made.folder / "t.json", made.folder / "t.json"])
    assert "namedef" not in twice


def test_a_key_that_dots_make_another_ones_is_no_key(tmp_path: Path) -> None:
    """LaTeX would take the last number of that name."""
    number = {"decimals": 1, "spread": [], "n": 3, "p": None, "runs": ["r"]}

    def table(name: str, label: str, **values: float) -> Path:
        cells = {heading.replace("_", "."): number | {"value": v} for heading, v in values.items()}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"name": name, "rows": [{"labels": [label], "cells": cells}]}))
        return path

    long = numbers_latex([table("a", "b", c=1.0), table("z", "a", b_c=2.0)])
    found = dict(re.findall(r"namedef{caduceus@([^}]*)}{\\ensuremath{([^}]*)}}", long))
    assert (found["a.b.c"], found["z.a.b.c"], found["b.c"]) == ("1.0", "2.0", "1.0")
    suffix = numbers_latex([table("a", "b", c=1.0, c_n=7.0, d=2.0)])
    assert "@a.b.c" not in suffix and "@b.c" not in suffix
    assert r"@a.b.d.n}{3}" in suffix


def test_an_experiment_for_each_task_gives_the_same_table(project: Project) -> None:
    together = make_tasks(project)
    config = yaml.safe_load((project.path / EXPERIMENT).read_text())
    names = []
    for task in ("iris", "wine", "digits"):
        names.append(f"experiments/{task}.yaml")
        parameters = {**config["parameters"], "dataset": task}
        shutil.copy(project.path / EXPERIMENT, project.path / names[-1])
        (project.path / f"experiments/{task}.py").write_text("")
        matrix = {"model": ["knn", "svm", "tree"]}
        about = {"name": task, "program": f"experiments/{task}.py", "version": 1}
        project.change(
            names[-1], id=f"on-{task}", parameters=parameters, matrix=matrix, dataset=about
        )
    project.change("config.yaml", experiments=names)
    apart = make_of(project, logged(SCORES), SPEC, resamples=500)

    assert apart.value["label_names"] == ["model"]
    for method in ("knn", "svm", "tree"):
        assert values(apart, method) == values(together, method)


def test_programs_with_the_same_parameters_are_methods_of_their_own(project: Project) -> None:
    plan(project, {("knn", "iris"): [0.9], ("knn", "wine"): [0.7]})
    shutil.copy(project.path / EXPERIMENT, project.path / "experiments/other.yaml")
    train = project.path / "experiments/train.py"
    shutil.copy(train, train.with_name("other.py"))
    project.change("experiments/other.yaml", id="other", program="experiments/other.py")
    project.change("config.yaml", experiments=[EXPERIMENT, "experiments/other.yaml"])
    made = make_of(project, logged(SCORES), SPEC | {"aggregates": ["rank"], "baseline": {}})

    assert made.value["label_names"] == ["experiment"]
    assert [row["labels"] for row in made.value["rows"]] == [["toy"], ["other"]]


def test_a_table_without_tasks_says_that_it_compares_across_datasets(project: Project) -> None:
    plain = {"metrics": SPEC["metrics"], "goal": "maximize"}
    plan(project, SCORES)
    made = make_of(project, logged(SCORES), plain)
    assert "Rows differ in dataset: the marks compare them across datasets." in made.note
    assert "`tasks: dataset`" in made.note

    one = make_of(project, logged(SCORES), plain | {"variants": [{"dataset": "iris"}]})
    assert "across datasets" not in one.note


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": "datset"}, "tasks: no run has a parameter 'datset', did you mean 'dataset'?"),
        ({"tasks": None}, "aggregates: needs the key 'tasks'"),
        ({"normalise": {"iris": [0, 1]}}, "normalise: give two values for wine, digits too"),
        ({"normalise": {"irs": [0, 1]}}, "'irs' is no task, did you mean 'iris'?"),
        ({"normalise": {"iris": [1, 1]}}, "normalise.iris: 1 can't be both 0 and 1"),
        ({"baseline": {}}, "the probability of improvement needs the key 'baseline'"),
        (
            {"baseline": {}, "aggregates": ["mean"], "relative": True},
            "the relative change needs the key 'baseline'",
        ),
        ({"baseline": {"model": "mlp"}}, 'baseline: {"model": "mlp"} matches no row'),
        (
            {"goal": None, "metrics": {"loss": "val/loss"}},
            "the probability of improvement needs a goal",
        ),
    ],
)
def test_what_a_table_with_tasks_lacks_is_said_before_anything_runs(
    project: Project, changes: dict[str, Any], message: str
) -> None:
    plan(project, SCORES, baseline=None)
    project.change("config.yaml", paper={"tables": {"t": SPEC | changes}})
    with pytest.raises(SpecError) as caught:
        load(project)
    assert message in str(caught.value)


def test_the_report_has_both_rows_of_heads_and_underlines_the_second_best(
    project: Project, tmp_path: Path
) -> None:
    made = make_tasks(project)
    page = tmp_path / "page.html"
    sources = Sources(groups=[], plans=[], tables=[made.folder / "t.json"])
    write_page(read_contents("toys", sources, Methods()), page)

    html = " ".join(page.read_text().split())
    assert 'colspan="3">accuracy</th>' in html
    assert 'colspan="4">over tasks</th>' in html
    assert "<ins>0.760</ins>" in html
    assert "<strong>0.820</strong>" in html


def test_the_report_formats_a_cell_without_an_interval(project: Project) -> None:
    made = make_tasks(project)
    cell = row(made, "svm")["cells"]["average rank over tasks"]
    assert FILTERS["cell"](cell) == {"value": "1.33", "interval": ""}
    assert json.dumps(cell["low"]) == "null"
