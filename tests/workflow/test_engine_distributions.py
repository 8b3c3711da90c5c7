"""Every distribution of a sweep beside W&B's own, in its package `sweeps`."""

import json
import random
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.sweeps.distribution_specs import read_distribution
from caduceus.sweeps.distributions import Distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sweeps.config import schema
from sweeps.params import HyperParameter
from sweeps.random_search import random_search_next_runs
from written_sweeps import DISTRIBUTIONS

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
    assert {wandb_name(written) for written in DISTRIBUTIONS} == names
    assert len(names) == 18


@pytest.mark.parametrize("written", DISTRIBUTIONS, ids=text)
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


@pytest.mark.parametrize("written", DISTRIBUTIONS, ids=text)
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


# Few different numbers make many combinations that are nearly right.
NUMBERS = st.sampled_from([-1, 0, 1, 2, 0.25, 0.5, 1.5, 2.0, "1", None, True])
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "distribution": st.sampled_from(
            [*sorted({wandb_name(written) for written in DISTRIBUTIONS}), "gauss"]
        ),
        **dict.fromkeys(("min", "max", "mu", "sigma", "a", "b", "q", "value"), NUMBERS),
        "values": st.just([]) | st.just([1, 2]) | st.just(3),
        "probabilities": st.sampled_from([[0.5, 0.5], [1], [0.5, 0.6], [1.5, -0.5]]),
    },
)
# Mostly the keys that some distribution has, since a free choice is nearly always wrong.
NEARLY_RIGHT = st.sampled_from(DISTRIBUTIONS).flatmap(
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
