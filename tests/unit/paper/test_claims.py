"""Claims: what the runs decide, what they can't, and what is refused before they have run."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from caduceus.__main__ import main
from caduceus.errors import SpecError
from caduceus.paper.claim_effects import measure_effect
from caduceus.paper.claim_formats import claim_lines, claims_markdown
from caduceus.paper.claims import decide_claims
from caduceus.project.claims import Claim
from caduceus.project.paper import parse_paper
from caduceus.project.project import load_project
from caduceus.runs.files.usage import Usage
from caduceus.runs.goal import Goal
from caduceus.statistics import decide, runs_to_decide
from caduceus.statistics.settings import Methods
from exported_runs import Logged, export_runs, give_usage, load
from projects import EXPERIMENT, REPOSITORY, Project

LOW, HIGH = {"rate": 0.1}, {"rate": 0.2}
BETTER = {"compare": {"better": LOW, "worse": HIGH, "metric": "val/accuracy"}}
WORSE = {"compare": {"better": HIGH, "worse": LOW, "metric": "val/accuracy"}}


def noise(seed: int) -> float:
    """Less than 0.005 from zero, and another one for each seed."""
    return float(np.random.default_rng(seed).uniform(-0.005, 0.005))


def lower_is_better(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Rate 0.1 is better by about 0.1, in each pair of seeds."""
    accuracy = 0.9 - parameters["rate"] + noise(seed + int(1000 * parameters["rate"]))
    return [
        {"val/accuracy": 0.1 + noise(seed), "val/loss": 2},
        {"val/accuracy": accuracy, "val/loss": 1},
    ]


def state(project: Project, seeds: int, claims: dict[str, dict[str, Any]]) -> None:
    """Let the project's runs have so many seeds, and its paper these claims."""
    project.change("experiments/toy.yaml", seeds=list(range(seeds)))
    entries = {name: {"statement": f"So is {name}."} | claim for name, claim in claims.items()}
    project.change("config.yaml", paper={"claims": entries})


def verdicts(project: Project, logged: Logged, **options: Any) -> dict[str, dict[str, Any]]:
    """The entry of each claim in claims.json."""
    paper = export_runs(project, logged, **options).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    decided = decide_claims(plans, paper.claims, paper.statistics)
    assert [claim["name"] for claim in decided["claims"]] == list(paper.claims)
    return {claim["name"]: claim for claim in decided["claims"]}


def refusal(project: Project, claim: dict[str, Any]) -> str:
    """What is said of a claim before anything runs."""
    state(project, 2, {"c": claim})
    with pytest.raises(SpecError) as caught:
        load(project)
    return str(caught.value).removeprefix(f"{project.path}/")


def test_a_difference_in_every_pair_of_eight_is_supported_and_its_opposite_refuted(
    project: Project,
) -> None:
    state(project, 8, {"so": BETTER, "not_so": WORSE})
    found = verdicts(project, lower_is_better)

    assert found["so"]["verdict"] == "supported"
    assert found["so"]["n"] == 8
    assert found["so"]["low"] < found["so"]["effect"] < found["so"]["high"]
    assert found["so"]["effect"] == pytest.approx(0.1, abs=0.01)
    assert found["so"]["minimum_p"] == found["so"]["p"] == 2 / 2**8
    assert found["so"]["p_adjusted"] == 2 * found["so"]["p"]
    assert len(found["so"]["runs"]) == 16
    assert found["not_so"]["verdict"] == "refuted"
    assert found["not_so"]["effect"] == -found["so"]["effect"]
    assert "below that of rate=0.1. This refutes the claim" in found["not_so"]["reason"]


def test_a_difference_of_less_than_the_margin_refutes(project: Project) -> None:
    margins = {"within": 0.05, "beyond": 0.15}
    claims = {
        name: {"compare": BETTER["compare"] | {"margin": margin}}
        for name, margin in margins.items()
    }
    state(project, 8, claims)
    found = verdicts(project, lower_is_better)

    assert found["within"]["verdict"] == "supported"
    assert found["beyond"]["verdict"] == "refuted"
    assert "above that of rate=0.2; the margin is 0.15." in found["beyond"]["reason"]


def test_of_a_metric_that_is_minimized_the_lower_mean_is_the_better(project: Project) -> None:
    about = {"metric": "val/loss", "goal": "minimize", "margin": 0.05}
    state(project, 8, {"so": {"compare": {"better": LOW, "worse": HIGH} | about}})
    found = verdicts(
        project, lambda *run: [{"val/loss": 1 - lower_is_better(*run)[1]["val/accuracy"]}]
    )["so"]

    assert found["verdict"] == "supported"
    assert found["effect"] == pytest.approx(-0.1, abs=0.01)


@pytest.mark.parametrize("seeds", [3, 5])
def test_too_few_seeds_for_so_many_claims_are_said_to_be_too_few(
    project: Project, seeds: int
) -> None:
    state(project, seeds, {f"c{number}": BETTER for number in range(6)})
    for claim in verdicts(project, lower_is_better).values():
        would_do = claim["runs_that_would_do"]

        assert claim["verdict"] == "not enough runs"
        assert claim["minimum_p"] == 2 / 2**seeds
        assert 6 * 2 / 2**would_do <= 0.05 < 6 * 2 / 2 ** (would_do - 1)
        assert f"With {seeds} pairs of runs p can't be below" in claim["reason"]
        assert f"; use {would_do}." in claim["reason"]


def test_noise_is_called_noise_and_runs_that_would_tell_are_named(project: Project) -> None:
    state(project, 8, {"so": BETTER})
    found = verdicts(
        project,
        lambda parameters, seed: [{"val/accuracy": 100 * parameters["rate"] * noise(seed)}],
    )["so"]

    assert found["verdict"] == "within noise"
    assert found["runs_that_would_do"] > 8
    assert found["p"] > 0.05
    assert "This is within noise (p " in found["reason"]


def test_runs_that_failed_or_diverged_are_left_out_and_it_is_said(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        if parameters == LOW | {"width": 4} and seed == 3:
            return None
        if parameters == HIGH | {"width": 4} and seed == 5:
            return [{"val/accuracy": float("nan")}]
        return lower_is_better(parameters, seed)

    state(project, 8, {"so": BETTER})
    found = verdicts(project, logged)["so"]

    assert found["verdict"] == "supported"
    assert found["n"] == 6
    assert len(found["runs"]) == 12
    assert [side["n"] for side in found["sides"]] == [7, 7]
    assert found["reason"].endswith(
        "Left out of 8 runs of rate=0.1: 1 failed, 1 whose seed the other lacks. "
        "Left out of 8 runs of rate=0.2: 1 without a finite val/accuracy, "
        "1 whose seed the other lacks."
    )


def test_a_side_that_failed_altogether_leaves_its_claim_undecided_and_others_decided(
    project: Project,
) -> None:
    variant = {"at_least": {"variant": LOW, "metric": "val/accuracy", "value": 0.5}}
    trend = {"trend": {"parameter": "rate", "metric": "val/accuracy", "direction": "falls"}}
    state(project, 8, {"so": BETTER, "other": variant, "trend": trend})
    found = verdicts(
        project,
        lambda parameters, seed: (
            None if parameters["rate"] == 0.2 else lower_is_better(parameters, seed)
        ),
    )

    assert found["other"]["verdict"] == "supported"
    for name in ("so", "trend"):
        assert found[name]["verdict"] == "not enough runs"
        assert found[name]["effect"] is None
        assert found[name]["runs"] == []
        assert "Left out of 8 runs of rate=0.2: 8 failed." in found[name]["reason"]


def test_runs_of_other_seeds_are_compared_unpaired(project: Project) -> None:
    other = EXPERIMENT | {"id": "other", "seeds": [10, 11, 12, 13, 14]}
    project.write_yaml("experiments/other.yaml", other)
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    sides = {"better": LOW | {"experiment": "toy"}, "worse": HIGH | {"experiment": "other"}}
    state(project, 6, {"so": {"compare": BETTER["compare"] | sides}})
    found = verdicts(project, lower_is_better)["so"]

    assert found["verdict"] == "supported"
    assert found["n"] == 6
    assert found["method"].startswith("permutation test of Welch's t, 6 runs against 5, not paired")
    assert found["minimum_p"] == 2 / 462
    assert "rate=0.1 of toy is" in found["reason"]


@pytest.mark.parametrize(
    ("test", "verdict"), [("permutation", "supported"), ("sign_flip", "not enough runs")]
)
def test_of_five_seeds_the_permutation_test_decides(
    project: Project, test: str, verdict: str
) -> None:
    value = {"variant": LOW, "metric": "val/accuracy", "value": 0.1}
    state(project, 5, {"so": BETTER, "reaches": {"at_least": value}})
    paper = yaml.safe_load((project.path / "config.yaml").read_text())["paper"]
    project.change("config.yaml", paper=paper | {"statistics": {"test": test}})
    found = verdicts(project, lower_is_better)

    assert found["so"]["verdict"] == verdict
    is_unpaired = "Welch's t, 5 runs against 5, not paired; " in found["so"]["method"]
    assert is_unpaired == (test == "permutation")
    assert found["reaches"]["verdict"] == "not enough runs"  # of two sides, and a value isn't one
    assert found["reaches"]["method"].startswith("sign-flip test over 5 runs")


@pytest.mark.parametrize(
    ("value", "tolerance", "verdict"),
    [(0.8, 0.02, "supported"), (0.9, 0.02, "refuted"), (0.8, 0.001, "undecided")],
)
def test_a_mean_within_the_tolerance_reproduces_what_is_published(
    project: Project, value: float, tolerance: float, verdict: str
) -> None:
    about = {"variant": LOW, "metric": "val/accuracy", "source": "Somebody 2020"}
    claim = {"reproduces": about | {"value": value, "tolerance": tolerance}}
    state(project, 8, {"so": claim})
    found = verdicts(project, lower_is_better)["so"]

    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(0.8 - value, abs=0.01)
    assert (
        f"{value:g} (Somebody 2020; taken as exact); the tolerance is {tolerance:g}."
        in found["reason"]
    )
    assert "90 % interval by Student's t" in found["method"]
    [row] = claims_markdown({"claims": [found], "alpha": 0.05}).splitlines()[6:7]
    assert row.split(" | ")[4].endswith(" (90 %)")


def published(runs: dict[str, Any], tolerance: float = 0.02) -> dict[str, Any]:
    """A claim about a published mean over several runs."""
    about = {"variant": LOW, "metric": "val/accuracy", "source": "Somebody 2020"}
    return {"reproduces": about | {"published": runs, "tolerance": tolerance}}


def test_a_published_mean_of_few_runs_is_uncertain(project: Project) -> None:
    about = {"variant": LOW, "metric": "val/accuracy", "source": "Somebody 2020"}
    exact = {"reproduces": about | {"value": 0.83, "tolerance": 0.02}}
    few = published({"value": 0.83, "std": 0.02, "n": 3})
    one = published({"value": 0.83, "n": 1})
    many = published({"value": 0.83, "interval": [0.829, 0.831]})
    state(project, 8, {"exact": exact, "few": few, "one": one, "many": many})
    found = verdicts(project, lower_is_better)

    assert [found[name]["verdict"] for name in ("exact", "many")] == ["refuted"] * 2
    assert [found[name]["verdict"] for name in ("few", "one")] == ["undecided"] * 2
    assert "below 0.83 (Somebody 2020; 3 runs); the tolerance is 0.02." in found["few"]["reason"]
    assert "Welch's t-test, 8 runs against 3 published runs; 90 % inter" in found["few"]["method"]
    assert "8 runs against published runs of unknown number;" in found["many"]["method"]


def test_a_real_effect_within_or_across_the_tolerance_isnt_called_noise(project: Project) -> None:
    about = {"variant": LOW, "metric": "val/accuracy", "source": "S"}
    within, across = (
        {"reproduces": about | {"value": 0.79, "tolerance": tolerance}}
        for tolerance in (0.02, 0.0105)
    )
    margin = {"compare": BETTER["compare"] | {"margin": 0.1}}
    state(project, 8, {"within": within, "across": across, "margin": margin})
    found = verdicts(project, lower_is_better)

    assert found["within"]["verdict"] == "supported"
    assert re.search(
        r"\): there is a difference \(its interval is 0\.0\d+ to 0\.0\d+\), but a tolerated one\.$",
        found["within"]["reason"],
    )
    for name, limit in (("across", "within the tolerance"), ("margin", "beyond the margin")):
        assert found[name]["verdict"] == "undecided"
        assert f"The runs don't tell whether the difference is {limit} (p " in found[name]["reason"]
        assert "; there is a difference" in found[name]["reason"]
        assert "noise" not in found[name]["reason"]


@pytest.mark.parametrize(("value", "verdict"), [(0.78, "supported"), (0.82, "refuted")])
def test_a_mean_reaches_a_value_or_does_not(project: Project, value: float, verdict: str) -> None:
    claim = {"at_least": {"variant": LOW, "metric": "val/accuracy", "value": value}}
    state(project, 8, {"so": claim})
    assert verdicts(project, lower_is_better)["so"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("kind", "value", "margin", "verdict"),
    [
        ("at_most", 0.82, 0, "supported"),
        ("at_most", 0.78, 0, "refuted"),
        ("at_most", 0.78, 0.05, "supported"),
        ("at_least", 0.82, 0.05, "supported"),
        ("at_least", 0.82, 0.001, "refuted"),
        ("at_least", 0.8, 0, "within noise"),
        ("at_least", 0.803, 0.003, "undecided"),
    ],
)
def test_a_mean_may_miss_a_bound_by_a_margin(
    project: Project, kind: str, value: float, margin: float, verdict: str
) -> None:
    claim = {kind: {"variant": LOW, "metric": "val/accuracy", "value": value, "margin": margin}}
    state(project, 8, {"so": claim})
    found = verdicts(project, lower_is_better)["so"]
    assert found["verdict"] == verdict
    side = "below" if kind == "at_least" else "above"
    assert (f"; it may be {margin:g} {side}. " in found["reason"]) == (margin > 0)


def test_a_metric_that_chose_itself_is_said_to_be_too_good(project: Project) -> None:
    metric = {"name": "val/accuracy", "best_by": {"name": "val/accuracy", "goal": "maximize"}}
    state(project, 8, {"so": {"compare": BETTER["compare"] | {"metric": metric}}, "fair": BETTER})
    found = verdicts(project, lower_is_better)
    said = "val/accuracy is the best of each run's steps by itself, and so better than what new"
    assert said in found["so"]["reason"]
    assert said not in found["fair"]["reason"]


def test_values_that_arent_symmetric_are_warned_of(project: Project) -> None:
    """One of ten pairs collapses; a mean is near the end of its declared range."""
    ranged = {"name": "val/accuracy", "range": [0, 1]}
    bound = {"at_least": {"variant": HIGH, "metric": ranged, "value": 0.9}}
    state(project, 10, {"so": BETTER, "near": bound})

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        is_collapsed = parameters["rate"] == 0.2 and seed == 3
        own = noise(seed + int(1000 * parameters["rate"]))
        return [{"val/accuracy": 0.3 if is_collapsed else 0.99 + own}]

    found = verdicts(project, logged)
    assert "The differences may not be symmetric (1 of 10 lies" in found["so"]["reason"]
    assert "The values may not be symmetric (1 of 10 lies far" in found["near"]["reason"]
    assert "; a bound of the metric is within reach), as" in found["near"]["reason"]
    fine = verdicts(project, lower_is_better)
    assert "symmetric" not in fine["so"]["reason"] + fine["near"]["reason"]


def test_a_claim_names_values_outside_the_declared_range(project: Project) -> None:
    ranged = {"name": "val/accuracy", "range": [0, 0.802]}
    bound = {"at_least": {"variant": LOW, "metric": ranged, "value": 0.7}}
    state(project, 8, {"so": bound, "fair": BETTER})
    found = verdicts(project, lower_is_better)
    assert "Outside the declared range 0 to 0.802: val/accuracy of " in found["so"]["reason"]
    assert "Outside" not in found["fair"]["reason"]


def test_another_statistic_of_a_claim_is_refused_with_the_reason(project: Project) -> None:
    state(project, 8, {"so": BETTER | {"statistic": "median"}})
    with pytest.raises(SpecError) as caught:
        load(project)
    assert "paper.claims.so.statistic: claims are decided on means; " in str(caught.value)


def test_claims_are_about_means_whatever_tables_show(project: Project) -> None:
    state(project, 8, {"so": BETTER})
    paper = yaml.safe_load((project.path / "config.yaml").read_text())["paper"]
    for statistic, is_said in (("iqm", True), ("mean", False)):
        project.change("config.yaml", paper=paper | {"statistics": {"statistic": statistic}})
        loaded = export_runs(project, lower_is_better).paper
        plans = sorted((project.path / "results/experiments").iterdir())
        decided = decide_claims(plans, loaded.claims, loaded.statistics)
        assert ("Claims are about means" in claims_markdown(decided)) == is_said


def test_a_metric_is_taken_at_a_step_or_where_another_is_best(project: Project) -> None:
    at = {"at_least": {"variant": LOW, "metric": {"name": "val/accuracy", "at": 0}, "value": 0.5}}
    chooser = {"name": "val/loss", "goal": "maximize"}
    best = {"name": "val/accuracy", "best_by": chooser}
    best_by = {"at_least": {"variant": LOW, "metric": best, "value": 0.5}}
    state(project, 8, {"at": at, "best_by": best_by})
    found = verdicts(project, lower_is_better)

    for claim in found.values():
        assert claim["effect"] == pytest.approx(-0.4, abs=0.01)
        assert claim["verdict"] == "refuted"
    assert "val/accuracy at step 0 of rate=0.1" in found["at"]["reason"]
    assert "val/accuracy at the best val/loss of rate=0.1" in found["best_by"]["reason"]


def test_a_trend_is_tested_over_seeds_with_levels_missing(project: Project) -> None:
    project.change("experiments/toy.yaml", matrix={"rate": [0.3, 0.1, 0.2]})
    about = {"parameter": "rate", "metric": "val/accuracy"}
    claims = {way: {"trend": about | {"direction": way}} for way in ("rises", "falls")}
    state(project, 8, claims)
    found = verdicts(
        project,
        lambda parameters, seed: (
            None if parameters["rate"] == 0.2 and seed < 4 else lower_is_better(parameters, seed)
        ),
    )

    assert found["falls"]["verdict"] == "supported"
    assert found["rises"]["verdict"] == "refuted"
    assert found["falls"]["effect"] == -1
    assert [side["variant"] for side in found["falls"]["sides"]] == [
        "rate=0.1",
        "rate=0.2",
        "rate=0.3",
    ]
    assert "Left out of 8 runs of rate=0.2: 4 failed." in found["falls"]["reason"]


UP, OVER, DOWN = (0, 1, 2), (0, 1, 0.9), (2, 1, 0)
TURNS = "doesn't rise with rate throughout: its mean falls by 0.1 from 0.2 to 0.3; the"


@pytest.mark.parametrize(
    ("kind", "means", "verdict", "sentence"),
    [
        ("monotone", UP, "supported", "rises with rate at each of 2 steps; the mean rank corr"),
        ("monotone", OVER, "refuted", TURNS),
        ("monotone", DOWN, "refuted", "falls with rate at each of 2 steps; the mean rank corr"),
        ("slope", UP, "supported", "On a straight line, val/accuracy rises by 10 per rate. "),
        ("slope", OVER, "supported", " by 4.5 per rate; its means don't rise throughout. "),
        ("steps", UP, "supported", "2 steps; the step that supports this least is 1. "),
        ("steps", OVER, "refuted", f"{TURNS} step that supports this least is -0.1. "),
    ],
)
def test_the_sentence_on_a_trend_says_what_is_tested(
    project: Project, kind: str, means: tuple[float, ...], verdict: str, sentence: str
) -> None:
    """An inverted U doesn't rise, and a straight line through it is called one."""
    levels = [0.1, 0.2, 0.3]
    project.change("experiments/toy.yaml", matrix={"rate": levels})
    about = {"parameter": "rate", "metric": "val/accuracy", "direction": "rises"}
    state(project, 8, {"so": {"trend": about | {"kind": kind}}})

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        level = levels.index(parameters["rate"])
        return [{"val/accuracy": means[level] + noise(seed + 100 * level) / 1e3}]

    found = verdicts(project, logged)["so"]
    assert found["verdict"] == verdict
    assert sentence in found["reason"]


def test_intervals_have_the_confidence_that_the_paper_says(project: Project) -> None:
    trend = {"parameter": "rate", "metric": "val/accuracy", "direction": "falls"}
    claims = {"so": BETTER, "trend": {"trend": trend}}
    stated = {name: {"statement": "So."} | claim for name, claim in claims.items()}
    width = {}
    for confidence in (0.95, 0.5):
        state(project, 8, claims)
        statistics = {"confidence": confidence}
        project.change("config.yaml", paper={"claims": stated, "statistics": statistics})
        found = verdicts(
            project,
            lambda parameters, seed: [
                {"val/accuracy": noise(seed + round(1000 * parameters["rate"]))}
            ],
        )
        width[confidence] = [found[name]["high"] - found[name]["low"] for name in found]
        assert all(
            f"{100 * confidence:g} % interval" in claim["method"] for claim in found.values()
        )
    assert all(half < whole for half, whole in zip(width[0.5], width[0.95], strict=True))


def test_one_run_of_each_is_said_in_the_singular(project: Project) -> None:
    state(project, 1, {"so": BETTER})
    assert (
        "With one pair of runs p can't be below 1, and a verdict needs 0.05; use 6."
        in (verdicts(project, lower_is_better)["so"]["reason"])
    )


@pytest.mark.parametrize(
    ("claim", "line", "message"),
    [
        (
            {"compare": BETTER["compare"] | {"better": {"rate": 0.3}}},
            r"better:\n",
            'paper.claims.c: {"rate": 0.3} matches no variant; there are rate=0.1 of toy; rate=0.2',
        ),
        (
            {"compare": BETTER["compare"] | {"worse": {"width": 4}}},
            r"worse:\n",
            'paper.claims.c.compare.worse: {"width": 4} matches several variants: rate=0.1 of toy; '
            "rate=0.2 of toy; name more parameters, or the `experiment`",
        ),
        (
            {"compare": BETTER["compare"] | {"worse": LOW}},
            r"compare:\n",
            "paper.claims.c.compare: two sides are rate=0.1 of toy; name another",
        ),
        (
            {"compare": BETTER["compare"] | {"metric": "val/loss"}},
            r"compare:\n",
            "paper.claims.c.compare: missing key 'goal': add it, maximize or minimize",
        ),
        *(
            (published(runs), r"reproduces:\n", f"paper.claims.c.reproduces.published{message}")
            for runs, message in (
                ({"value": 0.8}, ": add `n`, the number of runs, or `interval`; a mean alone is a"),
                ({"value": 0.8, "std": 1, "n": 1}, ".std: one run has no standard deviation; lea"),
                ({"value": 0.8, "interval": [0.1, 0.2]}, ".interval: 0.1 to 0.2 must enclose 0.8"),
            )
        ),
        (
            {"reproduces": published({"value": 1, "n": 2})["reproduces"] | {"value": 1}},
            r"reproduces:\n",
            "paper.claims.c.reproduces: write one of `value`, which is taken as exact, and ",
        ),
        (
            {"trend": {"parameter": "rat", "metric": "val/loss", "direction": "falls"}},
            r"parameter:",
            "paper.claims.c.trend.parameter: rate=0.1 of toy has no 'rat', did you mean 'rate'?; "
            "it has ",
        ),
        (
            {"trend": {"parameter": "width", "metric": "val/loss", "direction": "falls"}},
            r"parameter:",
            "paper.claims.c.trend.parameter: width is 4 of several variants: rate=0.1 of toy; "
            "rate=0.2 of toy; name",
        ),
        (
            {
                "trend": {
                    "parameter": "rate",
                    "metric": "val/loss",
                    "direction": "falls",
                    "variants": [LOW],
                }
            },
            r"parameter:",
            "paper.claims.c.trend.parameter: rate has one value only; a trend needs at least two",
        ),
    ],
)
def test_what_no_run_could_decide_is_refused_before_anything_runs(
    project: Project, claim: dict[str, Any], line: str, message: str
) -> None:
    said = refusal(project, claim)
    text = (project.path / "config.yaml").read_text()
    number = text[: re.search(line, text).start()].count("\n") + 1
    assert said.startswith(f"config.yaml:{number}: {message}")


def test_a_trend_over_words_is_refused(project: Project) -> None:
    project.change("experiments/toy.yaml", matrix={"rate": ["low", "high"]})
    claim = {"trend": {"parameter": "rate", "metric": "val/loss", "direction": "falls"}}
    assert 'rate of rate=low of toy is "low"; a trend needs numbers' in refusal(project, claim)


def test_trials_that_turn_out_alike_are_refused_when_they_have_run(project: Project) -> None:
    sweep = {"method": "random", "parameters": {"rate": {"values": [0.1, 0.2]}}}
    spec = {key: value for key, value in EXPERIMENT.items() if key not in ("matrix", "seeds")}
    spec |= {"type": "sweep", "sweep": {"count": 2, "config": sweep}}
    project.write_yaml("experiments/toy.yaml", spec)
    claim = {"at_least": {"variant": LOW, "metric": "val/accuracy", "value": 0.5}}
    project.change("config.yaml", paper={"claims": {"c": {"statement": "So it is."} | claim}})

    distinct = {"0000": LOW, "0001": HIGH}
    assert verdicts(project, lower_is_better, chosen=distinct)["c"]["n"] == 1
    alike = {"0000": LOW, "0001": LOW}
    with pytest.raises(SpecError, match=r"^paper.claims.c.at_least.variant: matches several"):
        verdicts(project, lower_is_better, chosen=alike)
    none = {"0000": HIGH, "0001": {"rate": 0.3}}
    with pytest.raises(SpecError) as caught:
        verdicts(project, lower_is_better, chosen=none)
    assert str(caught.value) == (
        "paper.claims.c.at_least.variant: matches no variant; there are t0000 of toy; t0001 of toy"
    )


def test_a_sweep_beside_doesnt_hide_that_a_side_matches_no_variant(project: Project) -> None:
    sweep = {"method": "random", "parameters": {"rate": {"min": 0.1, "max": 0.9}}}
    left_out = ("matrix", "seeds", "metric", "baseline")
    spec = {key: value for key, value in EXPERIMENT.items() if key not in left_out}
    spec |= {"id": "tune", "type": "sweep", "sweep": {"count": 2, "config": sweep}}
    project.write_yaml("experiments/tune.yaml", spec)
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/tune.yaml"])
    typo = {"compare": BETTER["compare"] | {"worse": {"rate": 0.3}}}
    assert refusal(project, typo).endswith(
        'paper.claims.c: {"rate": 0.3} matches no variant; there are rate=0.1 of toy; '
        "rate=0.2 of toy"
    )


def test_a_metric_that_no_run_has_is_refused(project: Project) -> None:
    claim = {"at_least": {"variant": LOW, "metric": "val/acuracy", "value": 0.5}}
    state(project, 2, {"c": claim})
    with pytest.raises(SpecError, match=r"^paper.claims.c: .* did you mean 'val/accuracy'"):
        verdicts(project, lower_is_better)


def test_the_command_writes_the_same_bytes_each_time_and_json_that_browsers_read(
    project: Project,
) -> None:
    claims = {"so": BETTER, "unnoisy": {"trend": {"parameter": "rate", "metric": "val/accuracy"}}}
    claims["unnoisy"]["trend"]["direction"] = "falls"
    state(project, 1, claims)
    paper = export_runs(project, lower_is_better).paper
    out = project.path / "results/paper/claims.json"
    plan = project.path / "results/experiments/toy.json"
    words = [
        "check-claims",
        str(plan),
        "--claims",
        json.dumps({name: claim.to_json() for name, claim in paper.claims.items()}),
    ]
    words += ["--statistics", json.dumps(asdict(paper.statistics)), "--out", str(out)]
    written = []
    for _ in range(2):
        assert main(words) == 0
        written.append((out.read_bytes(), out.with_suffix(".md").read_bytes()))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert written[0] == written[1]
    assert json.loads(out.read_text(), parse_constant=refuse)["alpha"] == 0.05


def test_the_page_and_the_terminal_have_every_verdict(project: Project) -> None:
    state(project, 8, {"so": BETTER, "not_so": WORSE})
    paper = export_runs(project, lower_is_better).paper
    plan = project.path / "results/experiments/toy.json"
    decided = decide_claims([plan], paper.claims, paper.statistics)
    page, lines = claims_markdown(decided), claim_lines(decided)
    readme = (REPOSITORY / "results/README.md").read_text()

    assert lines[0] == "2 claims: 1 supported, 1 refuted (results/paper/claims.md)"
    assert lines[1:] == [
        "  supported         So is so. (p 0.016)",
        "  refuted           So is not_so. (p 0.016)",
    ]
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert len({line.count("|") for line in table}) == 1
    assert [line.split(" | ")[4][-7:] for line in table[2:]] == [" (95 %)"] * 2
    for claim in decided["claims"]:
        assert f"## {claim['name']}: {claim['verdict']}" in page
        assert claim["reason"] in page
        for key in [*claim, *claim["sides"][0]]:
            assert f"`{key}`" in readme, key


def test_a_refuted_claim_fails_the_check_of_strict_builds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = [
        {"name": name, "statement": "So.", "verdict": verdict, "reason": "No."}
        for name, verdict in {"a": "supported", "b": "refuted", "c": "within noise"}.items()
    ]
    (tmp_path / "claims.json").write_text(json.dumps({"claims": claims}))
    words = ["report-refuted", str(tmp_path / "claims.json"), "--out", str(tmp_path / "out.json")]
    assert main(words) == 1
    assert not (tmp_path / "out.json").exists()
    assert capsys.readouterr().err.startswith("caduceus report-refuted: refuted claims: b; ")

    (tmp_path / "claims.json").write_text(json.dumps({"claims": claims[::2]}))
    assert main(words) == 0
    assert (tmp_path / "out.json").exists()


def test_the_shipped_claims_of_the_full_reproduction_can_be_decided_by_its_seeds() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    files = {"experiments": "mnist1d.yaml", "paper": "mnist1d_paper.yaml"}
    config |= {key: f"experiments/{name}" for key, name in files.items()}
    loaded = load_project(config, ["config.yaml"], REPOSITORY)
    paper, seeds = loaded.paper, loaded.experiments["mnist1d"].spec.seeds
    needed = runs_to_decide(len(paper.claims), paper.statistics.alpha)

    assert needed == len(seeds)


def family() -> list[Claim]:
    """Claims of every kind, each at the border between true and false."""
    metric = {"metric": "m"}
    reproduces = {"variant": LOW, "value": 0.5, "tolerance": 0.5, "source": "s"}
    claims = [
        {"compare": {"better": LOW, "worse": HIGH} | metric},
        {"compare": {"better": LOW, "worse": HIGH, "goal": "minimize"} | metric},
        {"reproduces": reproduces | metric},
        {"at_least": {"variant": LOW, "value": 0} | metric},
        {"trend": {"parameter": "rate", "direction": "rises"} | metric},
    ]
    entries = {str(number): {"statement": "s"} | claim for number, claim in enumerate(claims)}
    return list(parse_paper({"claims": entries}, str).claims.values())


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "claims", "families"), [(10, 1, 1_500), (8, 5, 300)])
def test_without_a_difference_at_most_one_family_of_claims_in_twenty_has_a_wrong_verdict(
    seeds: int, claims: int, families: int
) -> None:
    """The mean is the null value of every test: what is called supported or refuted is wrong."""
    wrong = 0
    random = np.random.default_rng(0)
    entries = family()[:claims]
    for _ in range(families):
        tests = []
        for claim in entries:
            samples = random.normal(size=(4, seeds))
            count = {"compare": 2, "trend": 4}.get(claim.kind, 1)
            # Every other comparison is of other seeds, so that it isn't paired.
            shift = 100 if claim.goal else 0
            values = [
                {seed + shift * at: float(value) for seed, value in enumerate(sample)}
                for at, sample in enumerate(samples[:count])
            ]
            goal = claim.goal or Goal.MAXIMIZE
            tests.append(measure_effect(claim, values, goal, [1, 2, 3, 4], Methods()).test)
        outcomes = {verdict.outcome for verdict in decide(tests)}
        assert "not enough runs" not in outcomes
        wrong += bool(outcomes & {"supported", "refuted"})
    limit = 0.05 * families
    assert limit / 4 < wrong < limit + 3 * (limit * 0.95) ** 0.5


def test_a_reason_says_what_differs_besides_the_claims_sides(project: Project) -> None:
    state(project, 4, {"so": BETTER})
    export_runs(project, lower_is_better)
    give_usage(
        project,
        lambda variant, seed: Usage(code=f"version at seed {seed // 2}", python="3.11.7"),
    )
    paper = load(project).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    [claim] = decide_claims(plans, paper.claims, paper.statistics)["claims"]
    assert claim["reason"].endswith(
        " Seeds of rate=0.1, rate=0.2 ran different code: the program's code."
    )
