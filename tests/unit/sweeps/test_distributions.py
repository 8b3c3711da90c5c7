"""Every distribution of a sweep: quantiles, shares, levels."""

import json
import math
import random
from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.sweeps.distribution_specs import read_distribution
from caduceus.sweeps.distributions import MOST_LEVELS, Distribution
from written_sweeps import DISTRIBUTIONS

KINDS = {
    "uniform": "continuous",
    "log_uniform": "continuous",
    "log_uniform_values": "continuous",
    "inv_log_uniform": "continuous",
    "inv_log_uniform_values": "continuous",
    "normal": "continuous",
    "q_normal": "continuous",  # it has no end
    "log_normal": "continuous",
    "q_log_normal": "continuous",
    "beta": "continuous",
    "q_uniform": "ordinal",
    "q_log_uniform": "ordinal",
    "q_log_uniform_values": "ordinal",
    "q_beta": "ordinal",
}


def read(written: dict[str, Any]) -> Distribution:
    return read_distribution(written, ["parameters", "x"], lambda keys: "x.yaml:1")


def text(written: dict[str, Any]) -> str:
    return json.dumps(written)


@pytest.mark.parametrize("written", DISTRIBUTIONS, ids=text)
def test_a_share_and_its_value_lead_to_each_other(written: dict[str, Any]) -> None:
    distribution = read(written)
    rng = random.Random(3)
    for share in [0.0, 1.0, 1e-300, *(rng.random() for _ in range(200))]:
        value = distribution.ppf(share)
        assert distribution.cdf(value) >= share - 1e-9
        if isinstance(value, float):
            assert math.isfinite(value)
    for value in distribution.levels or [distribution.ppf(k / 50) for k in range(1, 50)]:
        again = distribution.ppf(distribution.cdf(value))
        assert again == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)


@pytest.mark.parametrize("written", DISTRIBUTIONS, ids=text)
def test_an_optimiser_is_told_what_it_may_know(written: dict[str, Any]) -> None:
    distribution = read(written)
    levels = distribution.levels
    if distribution.kind == "continuous":
        assert levels is None
        return
    assert levels is not None
    shares = [distribution.cdf(level) for level in levels]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len(set(shares)) == len(levels)
    if distribution.kind == "ordinal":
        assert list(levels) == sorted(levels)
    # A level ends where the next one starts.
    for level, share, following in zip(levels, shares, [*levels[1:], levels[-1]], strict=True):
        assert distribution.ppf(share - 1e-9) == level
        assert distribution.ppf(min(share + 1e-9, 1.0)) == following


def test_the_kind_of_each() -> None:
    for written in DISTRIBUTIONS:
        expected = KINDS.get(written.get("distribution", ""))
        assert expected in (None, read(written).kind)
    assert read({"min": 3, "max": 9}).kind == "ordinal"
    assert read({"min": 1, "max": MOST_LEVELS}).kind == "ordinal"
    assert read({"min": 0, "max": MOST_LEVELS}).kind == "continuous"
    assert read({"values": [1, 2.5]}).kind == "ordinal"
    assert read({"values": [1, "2"]}).kind == "categorical"
    assert read({"values": [0, True]}).kind == "categorical"
    assert read({"values": [1.0, math.inf]}).kind == "categorical"
    assert read({"values": ["adam"]}).kind == "constant"
    assert read({"distribution": "q_uniform", "min": 0, "max": 0.4}).kind == "constant"


def test_values_that_are_the_same_to_wandb_are_one_and_come_more_often() -> None:
    distribution = read({"values": [3, 1, 3.0, 1, 1]})
    assert distribution.levels == (1, 3.0)
    assert distribution.cdf(1) == 0.6
    assert distribution.grid == (3.0, 1)


def test_numbers_are_the_same_within_lists_too() -> None:
    distribution = read({"values": [[0.9, 1.0], {"a": 2.0}]})
    assert distribution.cdf([0.9, 1]) == 0.5  # as a table has it
    assert distribution.cdf({"a": 2}) == 1.0


def test_more_whole_numbers_than_can_be_listed_are_a_range() -> None:
    distribution = read({"min": 0, "max": 2**63})
    assert (distribution.kind, distribution.levels) == ("continuous", None)


def test_keys_that_are_no_text_are_refused() -> None:
    with pytest.raises(SpecError, match="found the key 1; put it in quotes"):
        read({"values": [{1: "a", "b": "c"}]})


def test_a_value_without_probability_never_comes() -> None:
    distribution = read({"values": ["a", "b", "c"], "probabilities": [0.5, 0.5, 0]})
    assert distribution.levels == ("a", "b")
    assert distribution.ppf(1.0) == "b"
