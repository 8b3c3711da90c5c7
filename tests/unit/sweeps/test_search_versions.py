"""A sweep's trials are those of the version of the search that it was started with."""

from typing import Any

import numpy as np
import pytest
from caduceus.io.files import canonical_json, digest_text
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import suggest
from told_trials import PARAMETERS, loss, sweep

SQUARE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
LISTS = {"a": {"values": ["x", "y", "z"]}, "b": {"min": 1, "max": 9}, "c": {"values": [1, 2, 4]}}
SPACES: dict[str, tuple[dict[str, Any], Any]] = {
    "all kinds": (PARAMETERS, loss),
    "square": (SQUARE, lambda at: (at["x"] - 0.3) ** 2 + (at["y"] - 0.7) ** 2),
    "lists": (LISTS, lambda at: (at["b"] - 6.5) ** 2 + (at["a"] == "x") * 3 + at["c"]),
}
STAGES = ((0, 0), (0, 5), (1, 3), (3, 6), (19, 6), (24, 0), (200, 6))  # results, running trials
# The first digits of the digests of what each version suggests, in the order of STAGES. A version
# that users' sweeps were started with never changes.
SUGGESTED = {
    (1, "all kinds"): "203f7540 344b08ee 4bb1378d 9c4435c1 5540c46d b64fe7dd 0118fa26",
    (1, "square"): "64f73642 5b9bab2e ca0229c8 20f8187d 41067b37 daef4502 30014489",
    (1, "lists"): "37308a88 a6585ee0 a6585ee0 aef6b019 54b5dfb5 835b79c3 61e160c5",
    (2, "all kinds"): "203f7540 344b08ee e30e64fa d652c831 c7cada76 c0632f15 a68dc3c1",
    (2, "square"): "64f73642 5b9bab2e 3e6f5629 e8ed0d08 025de147 cce0a956 e6f22e17",
    (2, "lists"): "37308a88 a6585ee0 a6585ee0 aef6b019 54b5dfb5 835b79c3 61e160c5",
}


@pytest.mark.parametrize(("version", "space"), SUGGESTED)
def test_what_a_version_suggests_stays_as_it_was(version: int, space: str) -> None:
    parameters, objective = SPACES[space]
    config = sweep("bayes", parameters)
    found = []
    for results, running in STAGES:
        earlier = []
        for number in range(results + running):
            at = config.space.sample(np.random.default_rng(number))
            is_ended = number < results
            state: Any = "finished" if is_ended else "running"
            earlier.append(Observation(at, objective(at) if is_ended else None, state))
        suggestion = suggest(config, "gp", 3, len(earlier), earlier, version)
        found.append(digest_text(canonical_json(suggestion))[:8])
    assert found == SUGGESTED[version, space].split()


@pytest.mark.parametrize(("version", "is_central"), [(1, False), (2, True)])
def test_few_results_lead_to_corners_in_version_1_alone(version: int, is_central: bool) -> None:
    config = sweep("bayes", SQUARE)
    places = np.random.default_rng(0).random((5, 2)).tolist()
    earlier = [Observation({"x": x, "y": y}, x, "finished") for x, y in places[:2]]
    earlier += [Observation({"x": x, "y": y}, None, "running") for x, y in places[2:]]
    found = suggest(config, "gp", 0, 5, earlier, version) or {}
    assert all(0.1 < value < 0.9 for value in found.values()) == is_central
