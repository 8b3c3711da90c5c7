"""Figures of kind ranks, and what tables with tasks say of ranks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.paper.figures.figure import draw, measure, read_data
from caduceus.paper.figures.figure_data import FigureContent
from caduceus.paper.figures.style import house_style
from caduceus.statistics.ranks import compare_ranks, compare_with_control
from exported_runs import export_runs, load
from projects import Project

METHODS = ("knn", "svm", "tree", "mlp")
LEVELS = {"knn": 0.70, "svm": 0.80, "tree": 0.75, "mlp": 0.81}


def accuracy(model: str, task: int, seed: int) -> float:
    swap = 0.02 if model == "mlp" and task % 2 else 0.0  # svm and mlp take turns
    return LEVELS[model] - swap + task / 100 + seed / 10_000


def measured(project: Project, count: int = 12, **changes: Any) -> FigureContent:
    matrix = {"model": list(METHODS), "env": [f"e{n}" for n in range(count)]}
    project.change("experiments/toy.yaml", matrix=matrix, seeds=[0, 1], baseline=None)
    entry = {
        "kind": "ranks",
        "metrics": {"accuracy": "val/accuracy"},
        "goal": "maximize",
        "tasks": "env",
        **changes,
    }
    project.change("config.yaml", paper={"figures": {"f": entry}})

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        value = accuracy(parameters["model"], int(parameters["env"][1:]), seed)
        return [{"val/accuracy": value, "val/error": 1 - value}]

    loaded = export_runs(project, logged)
    plans = [project.path / f"results/experiments/{name}.json" for name in loaded.experiments]
    return measure(read_data(loaded.paper.figures["f"], plans, loaded.paper.statistics, "f"))


def means(tasks: int) -> np.ndarray:
    return np.array([[accuracy(m, task, 0) for m in METHODS] for task in range(tasks)])


def test_ranks_and_groups_are_those_of_the_tests(project: Project) -> None:
    content = measured(project)
    expected = compare_ranks(means(12))
    [panel] = content.numbers["panels"]

    assert [row["rank"] for row in panel["rows"]] == pytest.approx(list(expected.ranks))
    assert panel["critical_difference"] == pytest.approx(expected.critical_difference, rel=1e-6)
    assert panel["groups"] == expected.groups == [[1, 3], [2, 0]]
    assert len(content.runs) == 4 * 12 * 2
    assert "Friedman's test with Iman and Davenport's F(3, 33)" in content.caption
    assert "less than 1.35 can't be distinguished (Nemenyi's test, alpha 0.05)" in content.caption
    json.dumps(content.numbers, allow_nan=False)


def test_where_less_is_better_the_ranks_are_the_same(project: Project) -> None:
    error = measured(project, metrics={"error": "val/error"}, goal="minimize")
    [panel] = error.numbers["panels"]
    assert [row["rank"] for row in panel["rows"]] == pytest.approx(
        list(compare_ranks(means(12)).ranks)
    )


def test_a_baseline_is_compared_with_each_other_method(project: Project) -> None:
    content = measured(project, baseline={"model": "knn"})
    [panel] = content.numbers["panels"]
    p = compare_with_control(compare_ranks(means(12)), 0)
    assert [row["p"] for row in panel["rows"]][1:] == pytest.approx(list(p[1:]), rel=1e-6)
    assert panel["rows"][0]["p"] is None
    assert panel["groups"] == []
    assert "p of the rank against that of knn, corrected by Holm: svm" in content.caption


def test_few_tasks_decide_nothing(project: Project) -> None:
    content = measured(project, count=4)
    [panel] = content.numbers["panels"]
    assert "4 tasks can't decide whether ranks differ; use 5 or more." in content.caption
    assert (panel["groups"], panel["critical_difference"]) == ([], None)


def test_differences_that_are_none_in_practice_are_counted_as_such(project: Project) -> None:
    content = measured(project, equal_within=0.015, variants=[{"model": "svm"}, {"model": "mlp"}])
    [panel] = content.numbers["panels"]
    [pair] = panel["bayesian"]
    assert (pair["first"], pair["second"]) == ("svm", "mlp")
    assert pair["equal"] > 0.95  # ±0.01 on every task
    assert "differences up to 0.015 are equal: svm against mlp 0.00, " in content.caption


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": None}, "missing key 'tasks'"),
        ({"metrics": {"loss": "val/loss"}, "goal": None}, "ranks need a goal"),
        ({"baseline": {"model": "gru"}}, "matches no row"),
        ({"tasks": "ens"}, "no run has a parameter 'ens', did you mean 'env'?"),
    ],
)
def test_what_a_figure_of_ranks_lacks_is_said_before_anything_runs(
    project: Project, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=r"paper\.figures\.f") as caught:
        measured(project, **changes)
    assert message in str(caught.value)


def test_the_diagram_has_each_method_and_a_bar_for_each_group(
    project: Project, tmp_path: Path
) -> None:
    content = measured(project)
    with house_style():
        figure = draw("ranks", content.numbers, 5.5)
    [axes] = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert {"1", "2", "3", "4", *METHODS, "critical difference 1.35"} <= set(texts)
    bars = [line for line in axes.lines if line.get_linewidth() == 2.4]
    assert len(bars) == 2
    assert load(project).paper.figures["f"].kind == "ranks"


def test_each_diagram_of_several_has_the_height_that_it_needs(project: Project) -> None:
    [panel] = measured(project).numbers["panels"]
    small = panel | {"rows": panel["rows"][:2], "groups": []}

    def heights(*panels: dict[str, Any]) -> list[float]:
        with house_style():
            figure = draw("ranks", {"panels": list(panels)}, 5.5)
            figure.draw_without_rendering()
        return [axes.get_position().height * figure.get_figheight() for axes in figure.axes]

    alone = [heights(each)[0] for each in (panel, small)]
    assert alone[1] < alone[0] - 0.2
    assert heights(panel, small) == pytest.approx(alone, abs=0.02)
    assert heights(small, panel) == pytest.approx(alone[::-1], abs=0.02)
