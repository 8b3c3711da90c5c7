"""Claims about ratios and orders of variants, and claims that runs of a toy scale are about."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.paper.claim_formats import claim_lines, claims_markdown
from caduceus.paper.claims import decide_claims
from exported_runs import Logged, export_runs, load
from projects import Project

A, B, C = ({"rate": rate} for rate in (0.1, 0.2, 0.3))


def state(project: Project, seeds: int, claims: dict[str, dict[str, Any]]) -> None:
    project.change("experiments/toy.yaml", seeds=[*range(seeds)], matrix={"rate": [0.1, 0.2, 0.3]})
    entries = {name: {"statement": f"So is {name}."} | claim for name, claim in claims.items()}
    project.change("config.yaml", paper={"claims": entries})


def decided(project: Project, logged: Logged) -> dict[str, Any]:
    paper = export_runs(project, logged).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    return decide_claims(plans, paper.claims, paper.statistics)


def verdicts(project: Project, logged: Logged) -> dict[str, dict[str, Any]]:
    return {claim["name"]: claim for claim in decided(project, logged)["claims"]}


def takes(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Log a time that grows with the rate: about 1, 2 and 3 s, and one percent of noise."""
    key = [seed, int(10 * parameters["rate"])]
    return [{"time": 10 * parameters["rate"] * np.random.default_rng(key).uniform(0.99, 1.01)}]


def ratio(of: dict[str, Any], to: dict[str, Any], **claimed: float) -> dict[str, Any]:
    return {"ratio": {"of": of, "to": to, "metric": "time", **claimed}}


def order(*variants: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"order": {"variants": [*variants], "metric": "time", "goal": "minimize"} | values}


def test_a_ratio_is_decided_by_seed(project: Project) -> None:
    claims = {
        "more": ratio(C, A, at_least=2.5),
        "less": ratio(A, C, at_most=0.4),
        "not_more": ratio(C, A, at_least=3.5),
        "not_less": ratio(A, C, at_most=0.3),
        "equal": ratio(C, A, value=3, tolerance=0.1),
        "not_equal": ratio(C, A, value=2.5, tolerance=0.1),
    }
    state(project, 10, claims)
    found = verdicts(project, takes)

    for name, verdict in {
        "more": "supported",
        "less": "supported",
        "not_more": "refuted",
        "not_less": "refuted",
        "equal": "supported",
        "not_equal": "refuted",
    }.items():
        claim = found[name]
        assert claim["verdict"] == verdict, name
        assert claim["n"] == 10 and len(claim["runs"]) == 20
        truth = 1 / 3 if "less" in name else 3
        assert claim["low"] < claim["effect"] < claim["high"]
        assert claim["effect"] == pytest.approx(truth, rel=0.01)
        assert claim["method"].endswith("by Fieller's method")
    assert "The mean time of rate=0.3 is 2.99" in found["more"]["reason"]
    assert "times that of rate=0.1; claimed is at least 2.5." in found["more"]["reason"]
    assert "claimed is 3 within 0.1." in found["equal"]["reason"]
    assert "90 % interval" in found["equal"]["method"] and "95 %" in found["more"]["method"]


def test_a_ratio_that_noise_hides_has_an_interval_and_no_verdict(project: Project) -> None:
    state(project, 8, {"c": ratio(C, A, at_least=2.99)})
    found = verdicts(project, takes)["c"]
    assert found["verdict"] == "undecided"
    assert "The runs don't tell whether the ratio is that (p " in found["reason"]


def test_a_ratio_to_values_that_arent_positive_is_a_failed_claim(project: Project) -> None:
    state(project, 8, {"c": ratio(C, A, at_least=2)})
    runs = export_runs(project, lambda parameters, seed: [{"time": parameters["rate"] - 0.1}])
    plans = sorted((project.path / "results/experiments").iterdir())
    found = decide_claims(plans, runs.paper.claims, runs.paper.statistics, lambda _, e: str(e))
    assert found["claims"][0]["verdict"] == "failed"
    assert found["claims"][0]["reason"] == "a ratio is to values above 0, and one is 0"


def test_an_order_needs_every_step(project: Project) -> None:
    claims = {"so": order(A, B, C), "not_so": order(A, C, B), "two": order(A, B)}
    state(project, 10, claims)
    found = verdicts(project, takes)

    assert found["so"]["verdict"] == found["two"]["verdict"] == "supported"
    assert found["so"]["effect"] == pytest.approx(-1, abs=0.05), "the weakest step"
    assert [side["variant"] for side in found["so"]["sides"]] == [
        "rate=0.1",
        "rate=0.2",
        "rate=0.3",
    ]
    assert len(found["so"]["runs"]) == 30
    assert found["so"]["method"].endswith("each step is tested, and the largest p counts")
    assert found["not_so"]["verdict"] == "refuted"
    reason = found["not_so"]["reason"]
    assert "from rate=0.1 to rate=0.3, falls by " in reason and "This refutes the claim" in reason


def test_an_order_with_an_equal_pair_is_undecided(project: Project) -> None:
    state(project, 10, {"c": order(A, B, C)})

    def equal(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        return takes(
            {"rate": min(parameters["rate"], 0.2)} | {"seed": 0},
            seed + int(100 * parameters["rate"]),
        )

    found = verdicts(project, equal)["c"]
    assert found["verdict"] == "undecided"
    assert "don't tell whether each is better than the next" in found["reason"]


def test_an_order_of_too_few_seeds_says_how_many_it_needs(project: Project) -> None:
    state(project, 3, {"c": order(A, B, C)})
    found = verdicts(project, takes)["c"]
    assert found["verdict"] == "not enough runs" and found["runs_that_would_do"] == 6


def test_a_toy_never_refutes(project: Project) -> None:
    toy, full = {"scale": "toy"}, {"scale": "full"}
    claims = {
        "so": order(A, B) | toy,
        "not_so": order(B, A) | toy,
        "full": order(B, A) | full,
        "ratio": ratio(A, C, at_least=2) | toy,
    }
    state(project, 10, claims)
    whole = decided(project, takes)
    found = {claim["name"]: claim for claim in whole["claims"]}
    assert {name: claim["verdict"] for name, claim in found.items()} == {
        "so": "supported",
        "not_so": "undecided",
        "full": "refuted",
        "ratio": "undecided",
    }
    assert [found[name]["scale"] for name in ("so", "full")] == ["toy", "full"]
    assert "At the toy scale of these runs, they speak against" in found["not_so"]["reason"]
    text = claims_markdown(whole)
    assert "## so: supported (toy)" in text and "## not_so: undecided (toy)" in text
    assert any(line.startswith("  undecided (toy)") for line in claim_lines(whole))


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (ratio(A, B), "write one of `at_least`, `at_most` and `value`, not 0 of them"),
        (ratio(A, B, at_least=1, at_most=2), "`at_most` and `value`, not 2 of them"),
        (ratio(A, B, value=1), "`value` and `tolerance` belong together"),
        (ratio(A, B, at_least=1, tolerance=1), "`value` and `tolerance` belong together"),
        (ratio(A, A, at_least=1), "c.ratio: two sides are rate=0.1 of toy; name another"),
        (order(A, B, A), "c.order: two sides are rate=0.1 of toy; name another"),
        (order(A, B, goal=None), "c.order: missing key 'goal': add it, maximize or minimize"),
        (order(A), "c.order.variants"),
        (ratio(A, B, at_least=0), "c.ratio.at_least"),
        (order(A, B) | {"by": "item", "items": {"file": "a.csv"}}, "item compares two variants"),
    ],
)
def test_what_cant_be_decided_is_refused(
    project: Project, claim: dict[str, Any], message: str
) -> None:
    state(project, 2, {"c": claim})
    with pytest.raises(SpecError) as caught:
        load(project)
    said = str(caught.value).removeprefix(f"{project.path}/")
    assert said.startswith("config.yaml:") and message in said
