"""Seeds that logged equal rows count as one, and every result says so."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from caduceus.exports.group import export_group
from caduceus.io.files import sha256
from caduceus.overview.mcp.comparisons import compare_groups
from caduceus.overview.run_notes import plan_warnings
from caduceus.paper.claim_formats import claims_markdown
from caduceus.paper.claims import decide_claims
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.project.claims import Claim
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.statistics.settings import Methods
from exported_runs import export_runs, load
from figure_exports import measured, plans_of
from paper_tables import SPEC, make_again
from projects import Project

SAID = "Seeds that logged equal rows count as one: rate=0.1 (seeds 0, 2 and 3)."
SIDES = {"better": {"rate": 0.2}, "worse": {"rate": 0.1}}
BASELINE = {"baseline": {"rate": 0.1}}
CLAIM = {"statement": "Higher.", "compare": SIDES | {"metric": "val/accuracy"}}


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Of rate 0.1 all seeds but one are equal; of 0.2 none is."""
    is_equal = parameters["rate"] == 0.1 and seed != 1
    value = 0.5 if is_equal else 0.6 + parameters["rate"] + seed / 100
    return [{"val/accuracy": value / 2, "val/loss": 1.0}, {"val/accuracy": value, "val/loss": 0.5}]


@pytest.fixture
def equal(project: Project) -> Project:
    metric = {"name": "val/accuracy", "goal": "maximize"}
    project.change("experiments/toy.yaml", seeds=[0, 1, 2, 3], metric=metric)
    project.change("config.yaml", paper={"tables": {"t": SPEC}, "claims": {"c": CLAIM}})
    export_runs(project, logged)
    digest_rows(project)
    return project


def digest_rows(project: Project) -> None:
    for path in project.runs:
        folder = RunFolder(path)
        digest = sha256(path / "metrics_history.csv")
        replace(RunRecord(folder).summary, rows_sha256=digest).write(folder.summary_json)


def claims_of(project: Project) -> tuple[Mapping[str, Claim], Methods]:
    paper = load(project).paper
    return paper.claims, paper.statistics


def test_tables_figures_and_claims_count_them_once_and_say_so(equal: Project) -> None:
    made = make_again(equal)
    assert [row["cells"]["accuracy"]["n"] for row in made.value["rows"]] == [2, 4]
    assert made.value["rows"][0]["cells"]["accuracy"]["value"] == pytest.approx((0.5 + 0.71) / 2)
    assert SAID in made.value["notes"] and SAID in made.text("md")
    figure = measured(equal, "bars", metrics={"accuracy": "val/accuracy"})
    assert SAID in figure.caption and len(figure.runs) == 2 + 4

    decided = decide_claims(plans_of(equal), *claims_of(equal))
    (claim,) = decided["claims"]
    assert "sign-flip test over 2 pairs by seed" in claim["method"]
    assert [side["n"] for side in claim["sides"]] == [4, 2]
    assert [side.get("equal_seeds") for side in claim["sides"]] == [None, [(0, 2, 3)]]
    assert claim["reason"].endswith(SAID) and SAID in claims_markdown(decided)


def test_folds_with_equal_rows_all_count(equal: Project) -> None:
    paper = {"tables": {"t": SPEC}, "claims": {"c": CLAIM}, "statistics": {"folds": 4}}
    equal.change("config.yaml", paper=paper)
    made = make_again(equal)
    assert [row["cells"]["accuracy"]["n"] for row in made.value["rows"]] == [4, 4]
    shown = made.value["rows"][0]["cells"]["accuracy"]["value"]
    assert shown == pytest.approx((3 * 0.5 + 0.71) / 4)
    assert "equal rows" not in made.text("md")
    (claim,) = decide_claims(plans_of(equal), *claims_of(equal))["claims"]
    assert [side["n"] for side in claim["sides"]] == [4, 4]


def test_folds_that_are_all_equal_count_as_one(equal: Project) -> None:
    for path in equal.runs:
        folder = RunFolder(path)
        replace(RunRecord(folder).summary, rows_sha256="same").write(folder.summary_json)
    equal.change("config.yaml", paper={"tables": {"t": SPEC}, "statistics": {"folds": 4}})
    made = make_again(equal)
    assert [row["cells"]["accuracy"]["n"] for row in made.value["rows"]] == [1, 1]


def test_groups_the_report_mcp_and_the_last_job_do_too(equal: Project) -> None:
    results = equal.path / "results"
    folder = results / "groups/baseline"
    export_group("baseline", plans_of(equal), folder)
    with (folder / "variants.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["metric"] == "val/accuracy"]
    assert [(row["runs"], row["n"]) for row in rows] == [("4", "2"), ("4", "4")]
    methods = load(equal).paper.statistics
    contents = read_contents("t", Sources([folder / "runs.csv"], plans_of(equal)), methods)
    assert contents["equal_seeds"] == SAID
    assert plan_warnings(plans_of(equal)[0]) == [f"equal seeds: toy: {SAID}"]
    answer = compare_groups(results, "val/accuracy", experiment="toy")
    assert answer["left_out"] == {"with the rows of another seed": 2}


def test_without_equal_rows_nothing_is_said(project: Project) -> None:
    project.change("config.yaml", paper={"tables": {"t": SPEC}})
    export_runs(project, logged)
    assert "equal" not in make_again(project).text("md")


def test_a_program_that_ignores_its_seed_gets_no_verdict(project: Project) -> None:
    """Its rows are equal; where something else in them differs, its values are."""
    metric = {"name": "val/accuracy", "goal": "maximize"}
    project.change("experiments/toy.yaml", seeds=[*range(8)], metric=metric)
    project.change("config.yaml", paper={"tables": {"t": SPEC}, "claims": {"c": CLAIM}})
    said = "All seeds gave the same value, which has no interval and no verdict: "
    for has_equal_rows in (True, False):

        def rows(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
            value = parameters["rate"]
            seen = 0 if has_equal_rows else seed  # noqa: B023
            return [{"val/accuracy": value, "seen": seen} for _ in range(2)]

        export_runs(project, rows)
        digest_rows(project)
        made = make_again(project)
        assert said + "rate=0.1 (accuracy), rate=0.2 (accuracy)." in made.note
        assert [cell["low"] for cell in made.cells().values()] == [None, None]
        # One run is the best without being bold.
        assert made.marks() == [None, None if has_equal_rows else "best"]
        assert "±" not in made.text("md").splitlines()[2]

        (claim,) = decide_claims(plans_of(project), *claims_of(project))["claims"]
        same = "All seeds of rate=0.2 and of rate=0.1 gave the same value"
        assert claim["verdict"] == "no verdict" and same in claim["reason"]
        assert (claim["low"], claim["effect_size"], claim["p"]) == (None, None, 1.0)
        figure = measured(project, "differences", metrics={"accuracy": "val/accuracy"}, **BASELINE)
        (panel,) = figure.numbers["panels"]
        assert [row["verdict"] for row in panel["rows"]] == ["no verdict"]
        assert "No verdict where all seeds gave the same value" in figure.caption
