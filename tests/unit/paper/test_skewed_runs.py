"""Runs that are skewed: tables and claims warn of Student's t, and offer bootstrap-t."""

from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.paper.claims import decide_claims
from caduceus.statistics import estimate
from exported_runs import export_runs, load
from paper_tables import SPEC, Values, logs, make, plan
from projects import Project

SKEWED = [0.9, 0.91, 0.92, 0.93, 0.9, 0.88, 0.91, 0.6]
EVEN = [0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87]
OFFER = "interval: bootstrap-t under paper.statistics"


def test_a_table_shows_the_interval_by_bootstrap_t(project: Project) -> None:
    made = make(project, {0.1: SKEWED, 0.2: EVEN}, interval="bootstrap-t")
    cell, found = made.cells()["rate=0.1"], estimate(SKEWED, "mean", "bootstrap-t")
    assert (cell["low"], cell["high"]) == pytest.approx((found.low, found.high))
    assert f"0.869** [{found.low:.3f}, {found.high:.3f}]" in made.text("md")
    assert made.value["notes"][0] == (
        "Mean [95 % interval] over n seeds (bootstrap-t, up to 10000 resamples)."
    )
    assert OFFER not in made.note


def test_a_table_offers_it_for_skewed_runs(project: Project) -> None:
    values: Values = {0.1: SKEWED, 0.2: EVEN}
    offer = f"they say: rate=0.1 (accuracy). {OFFER} helps."
    assert offer in make(project, values).note
    for spec, statistics in (
        (SPEC | {"spread": "std"}, {}),
        (SPEC, {"interval": "bca"}),
        (SPEC, {"statistic": "median"}),
        (SPEC | {"metrics": {"accuracy": {"name": "val/accuracy", "range": [0, 1]}}}, {}),
    ):
        assert OFFER not in make(project, values, spec, **statistics).note
    assert OFFER not in make(project, {0.1: EVEN, 0.2: EVEN}).note


def test_a_table_says_which_cells_have_too_few_values_for_it(project: Project) -> None:
    equal = [0.9] * 7 + [0.91]
    values = {0.1: [0.8, 0.7, 0.75, 0.6, *[None] * 4], 0.2: equal, 0.3: EVEN}
    made = make(project, values, interval="bootstrap-t")
    assert made.cells()["rate=0.1"]["low"] is made.cells()["rate=0.2"]["low"] is None
    assert (
        "No interval by bootstrap-t, which needs 5 runs without many equal values: "
        "rate=0.1 (accuracy), rate=0.2 (accuracy)."
    ) in made.note


def decided(project: Project, kind: str, **statistics: Any) -> dict[str, Any]:
    """The entry in claims.json of a claim on the mean of the skewed runs."""
    value = {"at_least": {"value": 0.8}, "reproduces": {"value": 0.8, "tolerance": 0.2}}[kind]
    source = {"source": "Somebody 2020"} if kind == "reproduces" else {}
    test = {"variant": {"rate": 0.1}, "metric": "val/accuracy", **value, **source}
    plan(project, {0.1: SKEWED, 0.2: EVEN})
    claims = {"so": {"statement": "So it is.", kind: test}}
    project.change("config.yaml", paper={"statistics": statistics, "claims": claims})
    paper = export_runs(project, logs({0.1: SKEWED, 0.2: EVEN})).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    return decide_claims(plans, paper.claims, paper.statistics)["claims"][0]


@pytest.mark.parametrize(("kind", "confidence"), [("at_least", 0.95), ("reproduces", 0.9)])
def test_a_claim_on_a_mean_has_it_too(project: Project, kind: str, confidence: float) -> None:
    plain = decided(project, kind)
    assert OFFER in plain["reason"]
    found = decided(project, kind, interval="bootstrap-t")
    assert OFFER not in found["reason"]
    expected = estimate(SKEWED, "mean", "bootstrap-t", confidence)
    assert (found["low"], found["high"]) == pytest.approx((expected.low - 0.8, expected.high - 0.8))
    assert found["method"].endswith(f"; {100 * confidence:g} % interval by bootstrap-t")
    assert (found["p"], found["verdict"]) == (plain["p"], plain["verdict"])


def test_it_is_refused_for_a_median(project: Project) -> None:
    statistics = {"statistic": "median", "interval": "bootstrap-t"}
    project.change("config.yaml", paper={"statistics": statistics})
    message = r"config\.yaml:\d+: paper\.statistics\.interval: 'bootstrap-t' needs the mean, not"
    with pytest.raises(SpecError, match=message):
        load(project)
