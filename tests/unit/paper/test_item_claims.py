"""Claims by test items, and by seeds and items together: what the files of scores decide."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.paper.claim_formats import claims_markdown
from caduceus.paper.claims import decide_claims
from caduceus.statistics import compare_items, compare_seeds_and_items, mcnemar
from exported_runs import export_runs, load, log_predictions
from projects import Project

LOW, HIGH = {"rate": 0.1}, {"rate": 0.2}
COMPARE = {"better": LOW, "worse": HIGH, "metric": "val/accuracy"}
ITEMS = {"file": "predictions.csv"}

# The scores of a run with these parameters and this seed, one for each item.
Scores = Callable[[float, int], list[float]]


def csv_of(scores: list[float]) -> str:
    """A file of predictions that are right where the score is 1."""
    rows = [f"{item},7,{7 if score else 1}" for item, score in enumerate(scores)]
    return "\n".join(["example,label,prediction", *rows]) + "\n"


def decided(
    project: Project,
    scores: Scores,
    claims: Mapping[str, Mapping[str, Any]],
    seeds: int = 1,
    render: Callable[[list[float]], str] = csv_of,
    metric: Callable[[list[float]], float] = lambda scores: float(np.mean(scores)),
) -> dict[str, Any]:
    """The content of claims.json, of runs that logged these scores and their mean."""
    entries = {name: {"statement": f"So is {name}."} | claim for name, claim in claims.items()}
    project.change("experiments/toy.yaml", seeds=list(range(seeds)))
    project.change("config.yaml", paper={"claims": entries})
    paper = export_runs(
        project,
        lambda parameters, seed: [{"val/accuracy": metric(scores(parameters["rate"], seed))}],
    ).paper
    log_predictions(project, lambda parameters, seed: render(scores(parameters["rate"], seed)))
    plans = sorted((project.path / "results/experiments").iterdir())

    def describe(name: str, error: Exception) -> str:
        return str(error).replace(f"{project.path}/", "")

    return decide_claims(plans, paper.claims, paper.statistics, describe)


def by_item(**items: str) -> dict[str, dict[str, Any]]:
    """One claim by test items."""
    return {"c": {"by": "item", "items": ITEMS | items, "compare": COMPARE}}


def only(found: dict[str, Any]) -> dict[str, Any]:
    [claim] = found["claims"]
    assert isinstance(claim, dict)
    return claim


def first_right(right: dict[float, int], n: int = 100) -> Scores:
    """Scores of n items, of which the first so many are right, whatever the seed."""
    return lambda rate, seed: [float(item < right[rate]) for item in range(n)]


def test_two_runs_are_decided_by_mcnemars_exact_test(project: Project) -> None:
    found = decided(project, first_right({0.1: 90, 0.2: 80}), by_item())
    claim = only(found)
    assert claim["verdict"] == "supported"
    assert (claim["by"], claim["n"], claim["items"], claim["seeds"]) == ("item", 100, 100, [])
    assert claim["effect"] == pytest.approx(0.1)
    assert claim["p"] == pytest.approx(2 / 2**10) == pytest.approx(2 * mcnemar(10, 0)[0])
    assert claim["low"] < 0.1 < claim["high"]
    assert claim["reason"] == (
        "Over 100 test items and 1 run of each, the mean val/accuracy of rate=0.1 is 0.1 above "
        "that of rate=0.2. This supports the claim (p 0.002 after correction for one claim). It is "
        "about other test items; runs are taken as they are, so that other seeds may give another "
        "verdict."
    )
    assert claim["method"].startswith(
        "exact McNemar test over 100 test items, of which 10 differ; 95 % interval by a paired boot"
    )
    page = claims_markdown(found)
    assert "| 100 items |" in page


def noisy(rate: float, seed: int) -> list[float]:
    """Scores of 60 items; the lower rate is right more often, and seeds differ."""
    generator = np.random.default_rng([int(10 * rate), seed])
    return [float(each) for each in generator.random(60) < 0.9 - rate]


def test_seeds_and_items_are_a_crossed_design_and_items_alone_the_mean_of_runs(
    project: Project,
) -> None:
    found = decided(
        project,
        noisy,
        {
            "both": {"by": "seed and item", "items": ITEMS, "compare": COMPARE},
            "items": {"by": "item", "items": ITEMS, "compare": COMPARE},
        },
        seeds=4,
    )
    both, items = found["claims"]
    first, second = (np.array([noisy(rate, seed) for seed in range(4)]) for rate in (0.1, 0.2))
    expected = compare_seeds_and_items(first, second, is_paired=True)
    assert (both["p"], both["low"], both["high"]) == (expected.p, expected.low, expected.high)
    assert (both["items"], both["seeds"]) == (60, [4])
    assert both["reason"].startswith("Over 60 test items and 4 runs of each, the mean val/accuracy")
    assert "It is about other seeds and other test items." in both["reason"]
    assert "t-test of a crossed design of 4 pairs of runs and 60 test items" in both["method"]
    alone = compare_items(first.mean(axis=0), second.mean(axis=0))
    assert (items["p"], items["low"], items["high"]) == (alone.p, alone.low, alone.high)
    assert items["method"].startswith("sign-flip test over 60 test items")
    page = claims_markdown(found)
    assert "| 4 pairs × 60 items |" in page


def test_items_of_one_cluster_are_drawn_together(project: Project) -> None:
    def render(scores: list[float]) -> str:
        rows = [f"{item},{item // 10},{score}" for item, score in enumerate(scores)]
        return "\n".join(["id,text,score", *rows]) + "\n"

    claim = only(
        decided(
            project,
            lambda rate, seed: noisy(rate, 0),
            by_item(score="score", cluster="text"),
            render=render,
        )
    )
    first, second = noisy(0.1, 0), noisy(0.2, 0)
    expected = compare_items(first, second, clusters=[item // 10 for item in range(60)])
    assert (claim["p"], claim["low"], claim["clusters"]) == (expected.p, expected.low, 6)
    assert claim["reason"].startswith("Over 60 test items in 6 clusters and 1 run of each,")


def test_a_metric_in_percent_gives_an_effect_in_percent(project: Project) -> None:
    compare = COMPARE | {"margin": 5}
    claim = only(
        decided(
            project,
            first_right({0.1: 90, 0.2: 60}),
            {"c": {"by": "item", "items": ITEMS, "compare": compare}},
            metric=lambda scores: round(100 * float(np.mean(scores)), 1),
        )
    )
    assert claim["effect"] == pytest.approx(30)
    assert claim["low"] > 5 and claim["verdict"] == "supported"
    assert (
        "the mean val/accuracy of rate=0.1 is 30 above that of rate=0.2; the margin is 5."
        in (claim["reason"])
    )


def test_scores_that_are_not_the_metric_are_said_to_be_others(project: Project) -> None:
    claim = only(
        decided(
            project,
            first_right({0.1: 90, 0.2: 80}),
            by_item(),
            metric=lambda scores: float(np.mean(scores)) + 0.02,
        )
    )
    assert claim["reason"].startswith("Over 100 test items and 1 run of each, the mean score of")
    assert (
        "The scores in predictions.csv aren't val/accuracy: of a run of rate=0.1 their mean is 0.9"
        ", and the metric 0.92. The verdict is on these scores; name the metric that is their mean."
    ) in claim["reason"]


def test_of_a_loss_the_lower_scores_are_better(project: Project) -> None:
    def render(scores: list[float]) -> str:
        return "\n".join(["id,loss", *(f"{at},{score}" for at, score in enumerate(scores))])

    compare = COMPARE | {"goal": "minimize"}
    claim = only(
        decided(
            project,
            lambda rate, seed: [rate + at / 1000 for at in range(20)],
            {"c": {"by": "item", "items": ITEMS | {"score": "loss"}, "compare": compare}},
            render=render,
        )
    )
    # All items have the same difference.
    assert claim["verdict"] == "no verdict"
    assert claim["reason"].startswith(
        "Over 20 test items and 1 run of each, the mean val/accuracy of rate=0.1 is 0.1 below that "
        "of rate=0.2. All test items have the same difference, which shows nothing of chance: no "
        "verdict by test items."
    )
    claim = only(
        decided(
            project,
            lambda rate, seed: [rate * (1 + at / 100) for at in range(20)],
            {"c": {"by": "item", "items": ITEMS | {"score": "loss"}, "compare": compare}},
            render=render,
        )
    )
    assert claim["verdict"] == "supported" and claim["effect"] < 0


def test_an_interval_on_few_items_that_differ_is_warned_of(project: Project) -> None:
    warning = (
        "The interval can't be relied on, and may be much too narrow: 2 of 100 test items have "
        "another difference than the commonest one; it takes 10."
    )
    assert warning in only(decided(project, first_right({0.1: 82, 0.2: 80}), by_item()))["reason"]
    enough = only(decided(project, first_right({0.1: 92, 0.2: 80}), by_item()))
    assert "relied on" not in enough["reason"]


def test_too_few_items_or_seeds_are_said_which(project: Project) -> None:
    few = only(decided(project, first_right({0.1: 4, 0.2: 1}, 4), by_item()))
    assert few["verdict"] == "not enough items"
    assert (
        "With 4 test items p can't be below 0.12, and a verdict needs 0.05; use 6."
        in (few["reason"])
    )
    both = {"c": {"by": "seed and item", "items": ITEMS, "compare": COMPARE}}
    single = only(decided(project, noisy, both))
    assert single["verdict"] == "not enough runs"
    assert (
        "With one pair of runs p can't be below 1, and a verdict needs 0.05; use 2."
        in (single["reason"])
    )
    assert few["n"] == 4 and single["n"] == 1


def test_runs_with_other_items_or_other_labels_cannot_be_decided(project: Project) -> None:
    scores = first_right({0.1: 90, 0.2: 80})

    def without_the_last(of_run: list[float]) -> str:
        return csv_of(of_run[:99] if of_run[85] else of_run)

    missing = only(decided(project, scores, by_item(), render=without_the_last))
    assert missing["verdict"] == "failed"
    assert "predictions.csv:101: 1 item of 100, such as '99', is missing in " in missing["reason"]

    def with_another_label(of_run: list[float]) -> str:
        return csv_of(of_run).replace("\n5,7,7", "\n5,8,8" if of_run[85] else "\n5,7,7")

    other = only(decided(project, scores, by_item(), render=with_another_label))
    assert other["verdict"] == "failed"
    assert 'predictions.csv:7: what is right for \'5\' is "7", but "8" in ' in other["reason"]
    assert other["reason"].startswith("results/runs/")


@pytest.mark.parametrize(
    ("claim", "where", "message"),
    [
        ({"by": "item"}, "by", ".by: item needs the key `items`, the file of scores, such as"),
        ({"items": ITEMS}, "items", ".items: a claim by seed reads no items; add `by: item`"),
        (
            {"by": "items", "items": ITEMS},
            "by",
            """.by: found "items", did you mean 'item'?; allowed: seed, item, seed and item""",
        ),
        (
            {"by": "item", "items": {"file": "p.txt"}},
            "file",
            """.items.file: found "p.txt", allowed: the file's path in the artifact""",
        ),
        (
            {"by": "item", "items": {"file": "../p.csv", "column": "x"}},
            "column",
            "'paper.claims.c.items.column'; allowed: file, artifact, id, score, prediction",
        ),
        (
            {"by": "item", "items": ITEMS | {"filter": "x"}},
            "items",
            ".items: only lines of lm-eval have a `filter`; leave it out",
        ),
        (
            {"by": "item", "items": ITEMS, "compare": COMPARE | {"goal": "minimize"}},
            "items",
            ".items: 'val/accuracy' is minimized, and without `score` an item's score is 1 where",
        ),
    ],
)
def test_a_claim_that_no_items_can_decide_is_refused(
    project: Project, claim: dict[str, Any], where: str, message: str
) -> None:
    entry = {"statement": "So it is.", "compare": COMPARE} | claim
    project.change("config.yaml", paper={"claims": {"c": entry}})
    with pytest.raises(SpecError) as caught:
        load(project)
    place = str(caught.value).partition(": ")[0]
    line = (project.path / "config.yaml").read_text().splitlines()[int(place.split(":")[1]) - 1]
    assert message in str(caught.value)
    assert line.strip().startswith(f"{where}:")


def test_only_comparisons_of_independent_runs_are_tested_by_item(project: Project) -> None:
    bound = {"at_least": {"variant": LOW, "metric": "val/accuracy", "value": 0.5}}
    entry = {"statement": "So it is.", "by": "item", "items": ITEMS}
    project.change("config.yaml", paper={"claims": {"c": entry | bound}})
    with pytest.raises(SpecError, match=r"\.by: item compares two variants; write `compare`, or"):
        load(project)
    project.change(
        "config.yaml",
        paper={"statistics": {"folds": 5}, "claims": {"c": entry | {"compare": COMPARE}}},
    )
    with pytest.raises(SpecError, match="by: folds have different test items, so that a test by"):
        load(project)
