"""Which values of a metric are better."""

import json

import pytest
from caduceus.runs.goal import Goal


@pytest.mark.parametrize(
    ("goal", "best", "ordered"),
    [("minimize", -2.0, [-2.0, 0.5, 3.0]), ("maximize", 3.0, [3.0, 0.5, -2.0])],
)
def test_best_better_and_sign_agree(goal: str, best: float, ordered: list[float]) -> None:
    found = Goal(goal)
    assert found.best([0.5, 3.0, -2.0]) == best
    assert found.better(-2.0, 3.0) == found.better(3.0, -2.0) == best
    assert sorted([0.5, 3.0, -2.0], key=lambda value: found.sign * value) == ordered


def test_files_have_its_word() -> None:
    assert json.dumps({"goal": Goal.MINIMIZE}) == '{"goal": "minimize"}'
    assert f"{Goal.MAXIMIZE}" == "maximize"
