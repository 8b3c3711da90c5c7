"""The paper as records: metrics in one form, claims with their test, and JSON that comes back."""

import json
from typing import Any

import pytest
from caduceus.project.claims import Claim
from caduceus.project.paper import FigureEntry, Paper, TableEntry, parse_paper
from caduceus.runs.goal import Goal
from caduceus.runs.metric import BestBy, Metric
from caduceus.statistics.settings import Methods

SIDE = {"rate": 0.1}
TESTS: dict[str, dict[str, Any]] = {
    "compare": {"better": SIDE, "worse": {"rate": 0.2}, "metric": "m", "goal": "minimize"},
    "reproduces": {"variant": SIDE, "metric": "m", "value": 1, "tolerance": 2, "source": "s"},
    "at_least": {"variant": SIDE, "metric": "m", "value": 1},
    "trend": {"variants": [SIDE], "parameter": "rate", "metric": "m", "direction": "rises"},
}


def paper(**sections: Any) -> Paper:
    return parse_paper(sections, str)


def table(metric: Any, **keys: Any) -> TableEntry:
    return paper(tables={"t": {"metrics": {"a heading": metric}} | keys}).tables["t"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("loss", Metric(name="loss")),
        ({"name": "loss"}, Metric(name="loss")),
        ({"name": "loss", "at": 0}, Metric(name="loss", at=0)),
        ({"name": "loss", "goal": "minimize"}, Metric(name="loss", goal=Goal.MINIMIZE)),
        (
            {"name": "acc", "best_by": {"name": "loss", "goal": "minimize"}},
            Metric(name="acc", best_by=BestBy("loss", Goal.MINIMIZE)),
        ),
    ],
)
def test_a_metric_has_one_form(given: Any, expected: Metric) -> None:
    metric = table(given).metrics["a heading"]
    assert metric == expected
    assert metric.is_summary == (metric.at is None and metric.best_by is None)
    assert Metric.of(json.loads(json.dumps(metric.brief))) == expected


def test_a_metric_that_is_only_a_name_is_written_as_one() -> None:
    assert Metric(name="loss").brief == "loss"
    assert Metric(name="loss", at=3).brief == {"name": "loss", "at": 3, "goal": None}


def test_names_of_entries_and_parameters_may_be_those_of_keys() -> None:
    side = {"metric": "l2", "metrics": 3}
    entry = {"statement": "s", "at_least": TESTS["at_least"] | {"variant": side}}
    found = paper(claims={"metric": entry}, tables={"metrics": {"metrics": {"metrics": "m"}}})
    assert found.claims["metric"].sides == {("at_least", "variant"): side}
    assert found.tables["metrics"].metrics == {"metrics": Metric(name="m")}


def test_defaults_are_those_of_the_schema() -> None:
    assert paper().statistics == Methods()
    entry = table("loss")
    assert (entry.goal, entry.decimals, entry.experiments, entry.sides) == (None, None, (), {})
    assert (entry.percent, table("loss", percent=True).percent) == (False, True)


@pytest.mark.parametrize(
    ("kind", "sides", "goal"),
    [
        ("compare", {("compare", "better"): SIDE, ("compare", "worse"): {"rate": 0.2}}, "minimize"),
        ("reproduces", {("reproduces", "variant"): SIDE}, None),
        ("at_least", {("at_least", "variant"): SIDE}, None),
        ("trend", {("trend", "variants", 0): SIDE}, None),
    ],
)
def test_a_claim_knows_its_test_and_its_sides(kind: str, sides: Any, goal: str | None) -> None:
    claim = paper(claims={"c": {"statement": "So it is.", kind: TESTS[kind]}}).claims["c"]
    assert claim.kind == kind
    assert claim.test is getattr(claim, kind)
    assert claim.metrics == {"m": Metric(name="m")}
    assert (claim.sides, claim.goal, claim.groups) == (sides, goal, ())
    assert Claim.from_json(json.loads(json.dumps(claim.to_json()))) == claim


def test_entries_come_back_from_json() -> None:
    """As they reach the commands that make them."""
    published = [{"label": "theirs", "value": 1}, {"parameters": SIDE, "value": 2, "interval": 1}]
    shown = table("loss", published=published, goal="minimize", variants=[SIDE])
    assert TableEntry.from_json(json.loads(json.dumps(shown.to_json()))) == shown
    figure = {"kind": "bars", "width": "column", "metrics": {"a": "loss"}}
    entry = paper(figures={"f": figure}).figures["f"]
    assert "width" not in entry.measured  # it changes no number
    again = FigureEntry.from_json(json.loads(json.dumps(entry.measured)))
    assert (again.kind, again.metrics) == (entry.kind, entry.metrics)
    assert entry.width == "column"


def test_entries_are_listed_in_order() -> None:
    found = paper(
        claims={"c": {"statement": "s", "trend": TESTS["trend"]}},
        figures={"f": {"kind": "confusion"}},
        tables={"b": {"metrics": {"h": "m"}}, "a": {"metrics": {"h": "m"}}},
    )
    assert list(found.entries) == [
        ("tables", "b"),
        ("tables", "a"),
        ("figures", "f"),
        ("claims", "c"),
    ]
