"""Which parameters matter, and how surely."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from caduceus.exports.sweep_importance import LEAST_TRIALS, Importance, importances
from caduceus.exports.sweep_trials import TrialRow
from caduceus.runs.goal import Goal
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.spaces import Space

pytestmark = pytest.mark.slow

PARAMETERS: dict[str, Any] = {
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "batch_size": {"values": [16, 32, 64, 128]},
    "optimizer": {"values": ["adam", "sgd", "adamw"]},
    "dropout": {"min": 0.0, "max": 0.5},
    "epochs": {"value": 3},
}


def space_of(parameters: dict[str, Any] = PARAMETERS) -> Space:
    return read_config({"method": "random", "parameters": parameters}, str).space


def rows_of(
    objective: Callable[[dict[str, Any]], float],
    trials: int,
    space: Space | None = None,
    seed: int = 3,
) -> list[TrialRow]:
    """Random trials of an objective with a little noise."""
    space = space or space_of()
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(trials):
        parameters = space.flat(space.sample(rng))
        value = objective(parameters) + 0.05 * float(rng.normal())
        run = f"run-{number}"
        rows.append(
            TrialRow(
                f"{number:04d}", (run,), "finished", parameters, value, (value,), False, "", 1.0
            )
        )
    return rows


def by_name(found: list[Importance]) -> dict[str, Importance]:
    return {importance.name: importance for importance in found}


def rate_mostly(parameters: dict[str, Any]) -> float:
    """Truly, 0.76 of the variance is the rate's and 0.24 the optimizer's."""
    return (math.log10(parameters["lr"]) + 3) ** 2 / 2 + 0.71 * (parameters["optimizer"] == "sgd")


def test_the_parameters_that_matter_come_first_and_the_others_have_nearly_nothing() -> None:
    found = importances(rows_of(rate_mostly, 100), space_of(), Goal.MINIMIZE)

    assert [importance.name for importance in found[:2]] == ["lr", "optimizer"]
    assert {importance.name for importance in found} == PARAMETERS.keys() - {"epochs"}
    assert sum(importance.mean for importance in found) == pytest.approx(1)
    for importance in found:
        assert 0 <= importance.low <= importance.mean <= importance.high <= 1
    assert found[0].low > 0.6
    assert found[1].mean > max(importance.high for importance in found[2:])
    for importance in found[2:]:
        assert importance.low < 0.01
        assert importance.high < 0.05


def test_shares_are_those_of_a_known_variance() -> None:
    space = space_of({name: {"min": 0.0, "max": 1.0} for name in "abc"})
    rows = rows_of(lambda p: 2 * p["a"] + p["b"], 300, space)
    found = by_name(importances(rows, space, Goal.MINIMIZE))
    assert found["a"].mean == pytest.approx(0.8, abs=0.05)  # 4 : 1, as their variances are
    assert found["b"].mean == pytest.approx(0.2, abs=0.05)
    assert found["c"].mean < 0.01


def test_an_interaction_counts_for_no_parameter() -> None:
    space = space_of({name: {"min": 0.0, "max": 1.0} for name in "abc"})
    rows = rows_of(lambda p: p["a"] + p["b"] ** 2 * p["c"], 150, space)
    found = by_name(importances(rows, space, Goal.MINIMIZE))
    # The variances of a, b^2 / 2 and c / 3.
    effects = {"a": 1 / 12, "b": (1 / 5 - 1 / 9) / 4, "c": 1 / 9 / 12}
    for name, effect in effects.items():
        share = effect / sum(effects.values())
        assert found[name].mean == pytest.approx(share, abs=0.05)


def test_a_weak_parameter_beside_a_strong_one_has_its_share() -> None:
    """An effect of 13 % beside one of 87 %: on average over sweeps, and in the interval of most."""
    space = space_of({name: {"min": 0.0, "max": 1.0} for name in "abcd"})
    found = []
    for seed in range(6):
        rows = rows_of(lambda p: p["a"] + math.sqrt(13 / 87) * p["b"], 60, space, seed)
        found.append(by_name(importances(rows, space, Goal.MINIMIZE))["b"])
    assert np.mean([each.mean for each in found]) == pytest.approx(0.13, abs=0.015)
    assert sum(each.low <= 0.13 <= each.high for each in found) >= 4
    assert max(each.high - each.low for each in found) < 0.2


def test_values_of_a_grid_between_two_levels_count_as_the_lower_one() -> None:
    steps = {"x": {"distribution": "q_uniform", "min": 0.5, "max": 20.0, "q": 1.0}}
    space = space_of({**steps, "y": {"values": [1, 2]}})
    grid = read_config(
        {"method": "grid", "parameters": {**steps, "y": {"values": [1, 2]}}}, str
    ).space.grid()
    rows = [
        TrialRow(str(n), ("r",), "finished", at, at["x"], (at["x"],), False, "", 1.0)
        for n, at in enumerate(grid)
    ]
    found = by_name(importances(rows, space, Goal.MINIMIZE))
    assert found["x"].mean > 0.95


def test_levels_count_by_their_probabilities() -> None:
    rare = {"values": ["x", "y"], "probabilities": [0.02, 0.98]}
    space = space_of({"a": {"values": ["x", "y"]}, "rare": rare})
    rows = []
    for number, (a, b) in enumerate([("x", "x"), ("x", "y"), ("y", "x"), ("y", "y")] * 10):
        value = float(a == "x") + float(b == "x")
        rows.append(
            TrialRow(
                str(number), ("r",), "finished", {"a": a, "rare": b}, value, (value,), False, "", 1
            )
        )
    found = by_name(importances(rows, space, Goal.MINIMIZE))
    # p (1 - p) is 0.25 for a and 0.0196 for the other, however often each was tried.
    assert found["a"].mean == pytest.approx(0.25 / 0.2696, abs=0.02)


def test_fewer_trials_are_less_sure() -> None:
    widths = []
    for trials in (15, 100):
        found = by_name(importances(rows_of(rate_mostly, trials), space_of(), Goal.MINIMIZE))
        widths.append(found["lr"].high - found["lr"].low)
    assert widths[0] > 2 * widths[1]


def test_a_seed_decides_everything() -> None:
    rows = rows_of(rate_mostly, 40)
    first = importances(rows, space_of(), Goal.MINIMIZE, seed=1)
    assert importances(rows, space_of(), Goal.MINIMIZE, seed=1) == first
    assert importances(rows, space_of(), Goal.MINIMIZE, seed=2) != first


def test_the_goal_only_turns_the_sign() -> None:
    rows = rows_of(rate_mostly, 40)
    turned = [dataclasses.replace(row, objective=-(row.objective or 0.0)) for row in rows]
    one = importances(rows, space_of(), Goal.MINIMIZE)
    other = importances(turned, space_of(), Goal.MAXIMIZE)
    assert [i.name for i in one] == [i.name for i in other]
    assert [i.mean for i in one] == pytest.approx([i.mean for i in other])


@pytest.mark.parametrize(("goal", "sign"), [(Goal.MINIMIZE, 1.0), (Goal.MAXIMIZE, -1.0)])
def test_one_diverged_trial_does_not_decide(goal: str, sign: float) -> None:
    rows = [
        dataclasses.replace(row, objective=sign * (row.objective or 0.0))
        for row in rows_of(rate_mostly, 60)
    ]
    rows[5] = dataclasses.replace(rows[5], objective=sign * 1e9)
    assert by_name(importances(rows, space_of(), goal))["lr"].low > 0.5


def test_trials_that_diverged_far_overflow_nothing() -> None:
    rows = rows_of(rate_mostly, 12)
    rows[::2] = [dataclasses.replace(row, objective=1e200) for row in rows[::2]]
    assert all(0 <= found.mean <= 1 for found in importances(rows, space_of(), Goal.MINIMIZE))


def test_trials_without_an_objective_are_left_out() -> None:
    rows = rows_of(rate_mostly, 40)
    broken = [
        dataclasses.replace(row, **changes)
        for row, changes in zip(
            rows,
            [{"objective": None}, {"objective": math.nan}, {"objective": math.inf}]
            + [{"state": "failed", "objective": 1e6}] * 5,
            strict=False,
        )
    ]
    assert importances(broken + rows, space_of(), Goal.MINIMIZE) == importances(
        rows, space_of(), Goal.MINIMIZE
    )


def test_nothing_is_said_without_enough_to_go_by() -> None:
    rows = rows_of(rate_mostly, LEAST_TRIALS)
    assert importances(rows, space_of(), Goal.MINIMIZE)
    assert importances(rows[1:], space_of(), Goal.MINIMIZE) == []
    alike = [dataclasses.replace(row, objective=1.0) for row in rows]
    assert importances(alike, space_of(), Goal.MINIMIZE) == []
    constant = space_of({"epochs": {"value": 3}})
    assert importances(rows, constant, Goal.MINIMIZE) == []
