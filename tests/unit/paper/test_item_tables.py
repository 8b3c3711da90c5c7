"""Tables whose cells have intervals over test items."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.statistics.items import bootstrap_items
from exported_runs import export_runs, load, log_predictions
from paper_tables import Made, logs, make_again, plan
from projects import Project

SPEC: dict[str, Any] = {
    "metrics": {"accuracy": "val/accuracy"},
    "spread": "items",
    "items": {"file": "predictions.csv"},
}
Right = Mapping[float, list[int]]  # of each rate, how many of 200 items each seed gets right
N = 200


def csv_of(right: int) -> str:
    """The first so many items are right; each text has ten items."""
    rows = [f"{item},{item // 10},7,{7 if item < right else 1}" for item in range(N)]
    return "\n".join(["example,text,label,prediction", *rows]) + "\n"


def make(
    project: Project,
    right: Right,
    metric: Callable[[int], float] = lambda right: right / N,
    **spec: Any,
) -> Made:
    """The table of runs that got so many items right."""
    values = {rate: [metric(each) for each in seeds] for rate, seeds in right.items()}
    plan(project, values)
    project.change("config.yaml", paper={"tables": {"t": SPEC | spec}})
    export_runs(project, logs(values))
    log_predictions(project, lambda about, seed: csv_of(right[about["rate"]][seed]))
    return make_again(project)


def interval(right: list[int]) -> tuple[float, float]:
    scores = np.mean([np.arange(N) < each for each in right], axis=0)
    return bootstrap_items(scores, np.ones(N), 0.95, 10_000, 0)


def test_a_cell_has_the_interval_over_its_items_even_of_a_single_run(project: Project) -> None:
    made = make(project, {0.1: [160], 0.2: [120]})
    low, high = interval([160])
    assert made.cells()["rate=0.1"]["spread"] == [low, high]
    assert 0.74 < low < 0.8 < high < 0.86  # a binomial standard error of 0.028
    assert f"0.800 [{low:.3f}, {high:.3f}]" in made.text("md").replace("**", "")
    assert made.value["notes"][0] == (
        "Mean over n seeds [95 % interval over test items, by bootstrap, 10000 resamples]."
    )
    assert (
        "Intervals are over 200 test items; runs are taken as they are, so that other seeds may "
        "differ by more."
    ) in made.value["notes"]


def test_seeds_are_averaged_by_item_and_shown_in_percent(project: Project) -> None:
    made = make(project, {0.1: [160, 170], 0.2: [120, 140]}, percent=True)
    low, high = interval([160, 170])
    assert made.cells()["rate=0.1"]["spread"] == pytest.approx([100 * low, 100 * high])
    assert "82.5 [" in made.text("md").replace("**", "")
    logged = make(project, {0.1: [160, 170], 0.2: [120, 140]}, lambda right: 100 * right / N)
    assert logged.cells()["rate=0.1"]["spread"] == pytest.approx([100 * low, 100 * high])


def test_items_of_a_cluster_are_drawn_together(project: Project) -> None:
    made = make(project, {0.1: [165]}, items=SPEC["items"] | {"cluster": "text"})
    sums = (np.arange(N) < 165).reshape(20, 10).sum(axis=1)
    assert made.cells()["rate=0.1"]["spread"] == list(
        bootstrap_items(sums * 1.0, np.full(20, 10.0), 0.95, 10_000, 0)
    )
    assert "Intervals are over 200 test items in 20 clusters; runs" in made.note
    assert (
        "Fewer than 10 test items, or clusters of them, have another mean score than the commonest "
        "one, so that the interval may be much too narrow: rate=0.1 (accuracy)."
    ) in made.note


def test_equal_seeds_keep_their_interval_over_items(project: Project) -> None:
    made = make(project, {0.1: [160, 160], 0.2: [120, 121]})
    assert made.cells()["rate=0.1"]["spread"] == list(interval([160]))
    assert "no interval" not in made.note


def test_a_metric_that_is_not_the_mean_of_the_items_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    make(project, {0.1: [160], 0.2: [120]}, lambda right: right / N + 0.1)
    assert (
        "paper.tables.t: metrics.accuracy: the scores in predictions.csv have the mean 0.8 in a run"
        " of rate=0.1, and the metric is 0.9; show a metric that is their mean, or leave out "
        "`spread: items`"
    ) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "statistics", "message"),
    [
        ({"items": None}, {}, r"t\.spread: items needs the key `items`, the file of scores"),
        ({"spread": "std"}, {}, r"t\.items: spread std reads no items; write `spread: items`"),
        ({}, {"statistic": "iqm"}, r"t\.spread: an interval over items is that of the mean, not"),
        ({}, {"folds": 5}, r"t\.spread: folds have different test items; leave out `items`"),
    ],
)
def test_a_table_that_has_no_intervals_over_items_is_refused(
    project: Project, table: dict[str, Any], statistics: dict[str, Any], message: str
) -> None:
    spec = {key: value for key, value in (SPEC | table).items() if value is not None}
    project.change("config.yaml", paper={"tables": {"t": spec}, "statistics": statistics})
    with pytest.raises(SpecError, match=message):
        load(project)
