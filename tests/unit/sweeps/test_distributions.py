"""Every distribution of a sweep beside W&B's own, in its package `sweeps`."""

import json
import math
import random
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.sweeps.distribution_specs import read_distribution
from caduceus.sweeps.distributions import MOST_LEVELS, Distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sweeps.config import schema
from sweeps.params import HyperParameter
from sweeps.random_search import random_search_next_runs

# At least one parameter of every distribution, and of every way to leave it out.
WRITTEN: list[dict[str, Any]] = [
    {"value": 3},
    {"distribution": "constant", "value": [64, 64]},
    {"values": ["adam", "sgd", None, True]},
    {"values": [8, 1, 2.5, 2]},
    {"values": [16, 16, 32]},
    {"distribution": "categorical", "values": ["a", "b", "c"]},
    {"values": ["a", "b", "c"], "probabilities": [0.2, 0.5, 0.3]},
    {
        "distribution": "categorical_w_probabilities",
        "values": [1, 2, 3],
        "probabilities": [0.1, 0, 0.9],
    },
    {"min": 3, "max": 9},
    {"distribution": "int_uniform", "min": -5, "max": 5000},
    {"min": 0.5, "max": 9},
    {"distribution": "uniform", "min": 0, "max": 1},
    {"distribution": "q_uniform", "min": 1, "max": 11, "q": 4},
    {"distribution": "q_uniform", "min": 0.05, "max": 1, "q": 0.1},
    {"distribution": "q_uniform", "min": 1, "max": 11},
    {"distribution": "log_uniform", "min": -5, "max": 2},
    {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-2},
    {"distribution": "q_log_uniform", "min": 0, "max": 4, "q": 2},
    {"distribution": "q_log_uniform_values", "min": 1, "max": 200, "q": 16},
    {"distribution": "q_log_uniform_values", "min": 0.1, "max": 200, "q": 0.3},
    {"distribution": "inv_log_uniform", "min": -5, "max": 2},
    {"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1e-2},
    {"distribution": "normal"},
    {"distribution": "normal", "mu": -3, "sigma": 2.5},
    {"distribution": "q_normal", "mu": 3, "sigma": 20, "q": 5},
    {"distribution": "q_normal"},
    {"distribution": "log_normal", "mu": 1, "sigma": 0.5},
    {"distribution": "q_log_normal", "mu": 2, "sigma": 0.5, "q": 2},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "beta"},
    {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.1},
    {"distribution": "q_beta"},
]
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
PLAIN = (int, float, str, bool, list, type(None))


def read(written: dict[str, Any]) -> Distribution:
    return read_distribution(written, ["parameters", "x"], lambda keys: "x.yaml:1")


def wandb_name(written: dict[str, Any]) -> str:
    """The distribution that W&B takes `written` for."""
    filled: dict[str, Any] = HyperParameter("x", written).config
    return str(filled["distribution"])


def plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def text(written: dict[str, Any]) -> str:
    return json.dumps(written)


def test_every_distribution_of_wandb_is_here() -> None:
    names = {
        name
        for definition in schema.sweep_config_jsonschema["definitions"].values()
        for choice in definition.get("anyOf", [definition])
        for name in choice.get("properties", {}).get("distribution", {}).get("enum", [])
    }
    assert {wandb_name(written) for written in WRITTEN} == names
    assert len(names) == 18


@pytest.mark.parametrize("written", WRITTEN, ids=text)
def test_quantiles_are_those_of_wandb(written: dict[str, Any]) -> None:
    theirs, ours = HyperParameter("x", written), read(written)
    rng = random.Random(0)
    for _ in range(150):
        share = rng.random()
        value, expected = ours.ppf(share), plain(theirs.ppf(share))
        assert type(value) in PLAIN
        if ours.kind == "ordinal" and "values" in written:
            continue  # ours are in order, theirs aren't; the test of samples compares them
        assert type(value) is type(expected)
        if isinstance(value, float):
            assert value == pytest.approx(expected, rel=1e-11, abs=1e-11)
        else:
            assert value == expected


@pytest.mark.parametrize("written", WRITTEN, ids=text)
def test_samples_are_spread_as_those_of_wandb(written: dict[str, Any]) -> None:
    random.seed(1)
    config = {"method": "random", "parameters": {"x": written}}
    theirs = [plain(run.config["x"]["value"]) for run in random_search_next_runs(config, n=400)]
    distribution, rng = read(written), np.random.default_rng(2)
    ours = [distribution.ppf(float(rng.random())) for _ in range(1000)]

    if distribution.kind == "categorical":
        order = [json.dumps(level) for level in distribution.levels or ()]
        theirs = [order.index(json.dumps(value)) for value in theirs]
        ours = [order.index(json.dumps(value)) for value in ours]
    elif distribution.kind == "constant":
        assert theirs[0] == ours[0] == written["value"]
        return
    assert stats.ks_2samp(theirs, ours).pvalue > 0.01
    if distribution.kind == "ordinal":
        levels = list(distribution.levels or ())
        shares = np.diff([0.0, *map(distribution.cdf, levels)])
        # At 3 % a level is missed once in 200,000 times.
        common = {level for level, share in zip(levels, shares, strict=True) if share > 0.03}
        assert common <= set(theirs) <= set(levels)
        assert common <= set(ours) <= set(levels)


@pytest.mark.parametrize("written", WRITTEN, ids=text)
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


@pytest.mark.parametrize("written", WRITTEN, ids=text)
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
    for written in WRITTEN:
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


# Few different numbers make many combinations that are nearly right.
NUMBERS = st.sampled_from([-1, 0, 1, 2, 0.25, 0.5, 1.5, 2.0, "1", None, True])
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "distribution": st.sampled_from(
            [*sorted({wandb_name(written) for written in WRITTEN}), "gauss"]
        ),
        **dict.fromkeys(("min", "max", "mu", "sigma", "a", "b", "q", "value"), NUMBERS),
        "values": st.just([]) | st.just([1, 2]) | st.just(3),
        "probabilities": st.sampled_from([[0.5, 0.5], [1], [0.5, 0.6], [1.5, -0.5]]),
    },
)
# Mostly the keys that some distribution has, since a free choice is nearly always wrong.
NEARLY_RIGHT = st.sampled_from(WRITTEN).flatmap(
    lambda written: st.dictionaries(st.sampled_from(sorted(written)), NUMBERS, max_size=2).map(
        lambda changed: written | changed
    )
)


@settings(max_examples=150, deadline=None)
@given(written=PARAMETERS | NEARLY_RIGHT)
def test_what_wandb_refuses_is_refused_and_what_it_accepts_is_accepted(
    written: dict[str, Any],
) -> None:
    try:
        theirs = HyperParameter("x", written).config
        schema.validate_categorical_prob("x", written)
    except (ValueError, schema.jsonschema.ValidationError):
        theirs = None
    try:
        read(written)
    except SpecError:
        # W&B accepts these, and then samples NaN, or values that can't be meant.
        if theirs is not None:
            assert (
                0 in [theirs.get(key) for key in ("sigma", "a", "b")]
                or 0 < theirs.get("min", 0) < theirs.get("max", 1) < 1
            )
    else:
        assert theirs is not None
