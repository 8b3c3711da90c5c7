"""Early termination beside W&B's own rule, in its package `sweeps`."""

import math
from typing import Any

import pytest
from caduceus.runs.goal import Goal
from caduceus.sweeps.hyperband import (
    HyperbandSettings,
    rung_values,
    rungs,
    stopping_rung,
)
from hypothesis import given, settings
from hypothesis import strategies as st

wandb_rule = pytest.importorskip("sweeps.hyperband_stopping")
wandb_run = pytest.importorskip("sweeps.run")
METRIC = "loss"
NOT_COUNTED = [math.nan, math.inf, -math.inf, None, "NaN", True, 10**30, {"_type": "histogram"}]
# Few different values make ties.
VALUES = st.integers(0, 6) | st.floats(-3, 3) | st.floats(allow_nan=True, allow_infinity=True)
ROWS = st.one_of(
    st.builds(lambda value: {METRIC: value}, VALUES | st.sampled_from(NOT_COUNTED)),
    st.just({"other": 1}),
)
HISTORIES = st.lists(ROWS, max_size=25)
SETTINGS = st.one_of(
    st.builds(
        HyperbandSettings,
        min_iter=st.integers(1, 5),
        eta=st.integers(2, 4) | st.floats(1.01, 5),
        strict=st.booleans(),
    ),
    st.builds(
        HyperbandSettings,
        max_iter=st.integers(5, 30),
        s=st.integers(1, 4),
        eta=st.integers(2, 4) | st.floats(1.01, 5),
        strict=st.booleans(),
    ),
)
GOALS = st.sampled_from(Goal)


def written(settings: HyperbandSettings, goal: str) -> dict[str, Any]:
    """The sweep configuration."""
    names = ("min_iter", "max_iter", "s", "eta", "strict")
    given = {name: getattr(settings, name) for name in names}
    return {
        "method": "random",
        "metric": {"name": METRIC, "goal": goal},
        "early_terminate": {
            "type": "hyperband",
            **{name: value for name, value in given.items() if value is not None},
        },
        "parameters": {"a": {"min": 0.0, "max": 1.0}},
    }


def stopped_by_wandb(
    own: list[dict[str, Any]], others: list[list[dict[str, Any]]], config: dict[str, Any]
) -> int | None:
    """How many rows that count a run had when W&B, asked after each of its rows, stopped it."""
    finished = [wandb_run.SweepRun(state="finished", history=history) for history in others]
    for length in range(1, len(own) + 1):
        run = wandb_run.SweepRun(state="running", history=own[:length])
        if wandb_rule.hyperband_stop_runs([*finished, run], config):
            return len(run.metric_history(METRIC, filter_invalid=True))
    return None


def values_of(history: list[dict[str, Any]], settings: HyperbandSettings, goal: Any) -> Any:
    return rung_values([row.get(METRIC) for row in history], rungs(settings), goal)


@settings(max_examples=200, deadline=None)
@given(HISTORIES, st.lists(HISTORIES, max_size=12), SETTINGS, GOALS)
def test_the_runs_that_wandb_stops_are_stopped_at_the_same_row(
    own: Any, others: Any, sweep: HyperbandSettings, goal: Any
) -> None:
    found = stopping_rung(
        values_of(own, sweep, goal),
        [values_of(history, sweep, goal) for history in others],
        sweep,
        goal,
    )
    assert found == stopped_by_wandb(own, others, written(sweep, goal))


@settings(max_examples=150, deadline=None)
@given(HISTORIES, HISTORIES, st.lists(HISTORIES, max_size=8), SETTINGS, GOALS)
def test_rows_after_the_deciding_band_change_nothing(
    own: Any, later: Any, others: Any, sweep: HyperbandSettings, goal: Any
) -> None:
    rest = [values_of(history, sweep, goal) for history in others]
    found = stopping_rung(values_of(own, sweep, goal), rest, sweep, goal)
    after = stopping_rung(values_of(own + later, sweep, goal), rest, sweep, goal)
    if found is not None:
        assert after == found
