"""The figures of a sweep: what is in them, that it fits, and that they come out the same."""

import dataclasses
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.exports.sweep_importance import Importance, importances
from caduceus.exports.sweep_trials import TrialRow
from caduceus.paper.figures import style
from caduceus.paper.figures.parameter_axes import parameter_axis, shorten
from caduceus.paper.figures.sweep_charts import draw_sweep
from caduceus.runs.goal import Goal
from caduceus.statistics import outlier_limit
from caduceus.sweeps.configs import SweepConfig, read_config
from matplotlib.figure import Figure
from matplotlib.text import Text

pytestmark = pytest.mark.slow

NAMES = ("expected_best", "history", "importance", "parallel_coordinates", "slices")
QUICK: dict[str, Any] = {
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "batch_size": {"values": [16, 32, 64, 128]},
    "optimizer": {"values": ["adam", "sgd", None]},
    "dropout": {"min": 0.0, "max": 0.5},
    "epochs": {"value": 3},
}
CROWDED: dict[str, Any] = {
    "optimizer": {
        "parameters": {
            "name": {"values": ["adam", "sgd"]},
            "learning_rate": {"distribution": "log_uniform_values", "min": 1e-6, "max": 1},
            "weight_decay": {
                "distribution": "q_log_uniform_values",
                "min": 10,
                "max": 1000,
                "q": 10,
            },
            "schedule": {
                "parameters": {
                    "warmup_fraction_of_all_the_steps": {"min": 0.0, "max": 2e-5},
                    "kind": {"values": ["cosine_with_hard_restarts", "constant_with_warmup"]},
                }
            },
        }
    },
    "model": {
        "parameters": {
            "depth": {"min": 2, "max": 12},
            "activation": {"values": ["relu", "$x$", True, None, 0.5]},
            "arch": {"values": [f"some_long_architecture_v{number}" for number in range(40)]},
            "init": {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
            "scale": {"distribution": "log_normal", "mu": 0.0, "sigma": 1.0},
        }
    },
    "mixup": {"distribution": "beta", "a": 2, "b": 2},
    "steps": {"min": 1000, "max": 100000},
    "temperature": {"distribution": "log_uniform_values", "min": 0.021, "max": 0.029},
}


def config_of(
    parameters: dict[str, Any] = QUICK, method: str = "bayes", metric: str | None = "val/loss"
) -> SweepConfig:
    keys: dict[str, Any] = {"metric": {"name": metric, "goal": "minimize"}} if metric else {}
    return read_config({"method": method, "parameters": parameters} | keys, str)


def rows_of(config: SweepConfig, trials: int) -> list[TrialRow]:
    """Random trials: the fourth failed, the fifth was stopped, the sixth diverged."""
    rng = np.random.default_rng(0)
    ends = {
        3: {"state": "failed", "objective": None},
        4: {"stopped_early": True},
        5: {"objective": 1e6},
    }
    rows = []
    for number in range(trials):
        parameters = config.space.flat(config.space.sample(rng))
        value = float(rng.normal()) ** 2
        row = TrialRow(
            f"{number:04d}", ("r",), "finished", parameters, value, (value,), False, "", 1.0
        )
        rows.append(dataclasses.replace(row, **ends.get(number, {})))
    return rows


def draw(
    rows: list[TrialRow], config: SweepConfig, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Figure]:
    """The figures before they are written."""
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(
        "caduceus.paper.figures.sweep_charts.write_figure",
        lambda figure, folder, name: drawn.update({name: figure}),
    )
    found = importances(rows, config.space, config.goal)
    draw_sweep(rows, config, found, Path("nowhere"))
    return drawn


def words(path: Path) -> list[str]:
    """The texts of an SVG, which it has as shapes, and in comments."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(), re.DOTALL)


def test_the_same_trials_give_the_same_bytes(tmp_path: Path) -> None:
    config = config_of()
    rows = rows_of(config, 20)
    found = importances(rows, config.space, Goal.MINIMIZE)
    for folder in ("one", "two"):
        draw_sweep(rows, config, found, tmp_path / folder)
    written = {path.name for path in (tmp_path / "one").iterdir()}

    assert written == {f"{name}.{kind}" for name in NAMES for kind in ("pdf", "svg", "png")}
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

    texts = {name: words(tmp_path / "one" / f"{name}.svg") for name in NAMES}
    varied = {"lr", "batch_size", "optimizer", "dropout"}
    ends = {"finished", "stopped early", "failed", "beyond the axis"}
    assert {"trial", "val/loss", "best so far"} | ends <= set(texts["history"])
    assert varied | {"16", "128", "adam", "null", "failed", "best"} <= set(
        texts["parallel_coordinates"]
    )
    assert "val/loss (1 beyond the axis)" in texts["parallel_coordinates"]
    assert varied <= set(texts["importance"])
    assert varied | ends | {"val/loss", "best"} <= set(texts["slices"])
    assert {"best val/loss", "If these trials came in random order"} <= set(texts["expected_best"])
    assert not any("epochs" in text for found in texts.values() for text in found)


@pytest.mark.parametrize(
    ("rows", "config", "said"),
    [
        (12, config_of(method="random", metric=None), "The sweep names no metric."),
        (0, config_of(), "No trial has ended."),
        (12, config_of(), "No trial has a value of val/loss."),
        (3, config_of({"epochs": {"value": 3}}), "No parameter varies."),
    ],
)
def test_a_figure_with_nothing_to_show_says_why(
    rows: int, config: SweepConfig, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = rows_of(config, rows)
    if rows == 12:
        trials = [dataclasses.replace(row, objective=None) for row in trials]
    drawn = draw(trials, config, monkeypatch)
    silent = {"history", "expected_best"} if rows == 3 else set()
    for name in set(NAMES) - silent:
        assert said in [text.get_text() for text in drawn[name].findobj(Text)], name


def test_one_trial_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of()
    figure = draw(rows_of(config, 1), config, monkeypatch)["importance"]
    assert any("Importances need 10" in text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize(
    ("method", "title"),
    [("random", "Best of random trials"), ("bayes", "If these trials came in random order")],
)
def test_only_random_trials_are_called_random(
    method: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(method=method)
    (axes,) = draw(rows_of(config, 5), config, monkeypatch)["expected_best"].axes
    assert axes.get_title() == title


@pytest.mark.parametrize("parameters", [QUICK, CROWDED, {"a": {"values": [1, 2]}}])
@pytest.mark.parametrize("trials", [1, 30])
def test_nothing_is_clipped_and_no_tick_labels_overlap(
    parameters: dict[str, Any], trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(parameters)
    for name, figure in draw(rows_of(config, trials), config, monkeypatch).items():
        with style.house_style():
            figure.draw_without_rendering()
            drawn = figure.get_tightbbox()  # of all that is drawn, in inches
            check_tick_labels(name, figure)
        assert min(drawn.x0, drawn.y0) >= -0.01, name
        assert drawn.x1 <= figure.get_figwidth() + 0.01, name
        assert drawn.y1 <= figure.get_figheight() + 0.01, name
        assert figure.get_figwidth() <= 6.8


def check_tick_labels(name: str, figure: Figure) -> None:
    every = [a for axes in figure.axes for a in (axes, *axes.child_axes)]
    for axes in every:
        boxes = [
            label.get_window_extent()
            for label in axes.get_xticklabels()
            if label.get_text() and axes.axison
        ]
        boxes.sort(key=lambda box: box.x0)
        for left, right in itertools.pairwise(boxes):
            assert left.x1 <= right.x0 + 1, (name, axes.get_xlabel() or axes.get_ylabel())


def test_marks_are_where_the_trials_are(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of()
    rows = rows_of(config, 12)
    drawn = draw(rows, config, monkeypatch)

    (axes,) = drawn["history"].axes
    lines = {str(line.get_label()): line for line in axes.lines}
    assert list(lines["failed"].get_xdata()) == [3]
    assert list(lines["stopped early"].get_xdata()) == [4]
    assert list(lines["beyond the axis"].get_xdata()) == [5]
    assert list(lines["finished"].get_xdata()) == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    best = min(row.objective for row in rows if row.objective is not None)
    assert list(lines["best so far"].get_ydata())[-1] == best

    scales = {panel.get_xlabel(): panel.get_xscale() for panel in drawn["slices"].axes}
    assert scales == {
        "lr": "log",
        "batch_size": "linear",
        "optimizer": "linear",
        "dropout": "linear",
    }

    host = drawn["parallel_coordinates"].axes[0]
    (line,) = (line for line in host.lines if line.get_label() == "best")
    place = [row.objective for row in rows].index(best)
    expected = (math.log10(rows[place].parameters["lr"]) + 5 + 4 * 0.03) / (4 * 1.06)
    assert line.get_xdata()[0] == pytest.approx(expected)
    assert line.get_xdata()[-1] == 0  # of the bar of colours
    assert len([one for one in host.lines if one.get_linestyle() == ":"]) == 1


def test_bars_are_the_importances(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of()
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(
        "caduceus.paper.figures.sweep_charts.write_figure",
        lambda figure, _, name: drawn.update({name: figure}),
    )
    found = [Importance("lr", 0.8, 0.7, 0.9), Importance("dropout", 0.2, 0.1, 0.3)]
    draw_sweep(rows_of(config, 12), config, found, Path("nowhere"))
    (axes,) = drawn["importance"].axes
    assert [bar.get_width() for bar in axes.patches] == [0.8, 0.2]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0.7, 0.9], [0.1, 0.3]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lr", "dropout"]


def test_a_listed_value_has_a_place_of_its_own_however_it_is_written() -> None:
    parameter = config_of({"a": {"values": [3, "x", None]}}).space.parameters[0]
    axis = parameter_axis(parameter, [3.0, None, "x"])
    assert axis.positions == (0, 2, 1)
    assert axis.levels == ("3", "x", "null")
    assert axis.fractions() == pytest.approx([1 / 6, 5 / 6, 1 / 2])


def test_a_name_that_is_too_long_keeps_both_ends() -> None:
    assert shorten("optimizer.learning_rate", 11) == "optim…_rate"
    assert shorten("short", 11) == "short"
    assert shorten("$a$", 11) == r"\$a\$"


def test_outliers_are_few_and_far_out() -> None:
    assert outlier_limit([1.0, 2.0, 3.0]) == 3.0
    assert outlier_limit([*range(20), 1e9]) == 19
    assert outlier_limit([1.0] * 15 + [100.0] * 5) == 100.0  # a group of its own
    assert outlier_limit([5.0]) == 5.0
