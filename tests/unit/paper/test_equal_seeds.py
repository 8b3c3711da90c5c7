"""Every reader counts seeds with equal rows alike, and says that they are equal."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from caduceus.exports.group import export_group
from caduceus.io.files import sha256, write_json
from caduceus.overview.board.board import Board
from caduceus.overview.board.curves import Query
from caduceus.overview.mcp.comparisons import compare_groups
from caduceus.overview.mcp.paper import claims as short_claims
from caduceus.overview.mcp.run_comparison import compare as compare_runs
from caduceus.overview.run_notes import plan_warnings
from caduceus.overview.status_report import read_status
from caduceus.paper.claim_formats import claims_markdown
from caduceus.paper.claims import decide_claims
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.project.claims import Claim
from caduceus.runs.equal_seeds import repeats
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.statistics.settings import Methods
from exported_runs import Logged, export_runs, load
from figure_exports import measured, plans_of
from paper_tables import SPEC, make_again
from projects import Project

SAID = "Seeds that logged equal rows count as one: rate=0.1 (seeds 0, 2 and 3)."
ONLY_SAID = (
    "Seeds have equal rows, and each counts: rate=0.1 (seeds 0, 2 and 3); "
    "perhaps the program ignores its seed."
)
SIDES = {"better": {"rate": 0.2}, "worse": {"rate": 0.1}}
BASELINE = {"baseline": {"rate": 0.1}}
CLAIM = {"statement": "Higher.", "compare": SIDES | {"metric": "val/accuracy"}}
FOLDS = {"statistics": {"folds": 4}}


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Of rate 0.1 all seeds but one are equal; of 0.2 none is."""
    is_equal = parameters["rate"] == 0.1 and seed != 1
    value = 0.5 if is_equal else 0.6 + parameters["rate"] + seed / 100
    losses = (math.exp(value - at / 10) for at in range(6))
    return [{"val/accuracy": value, "val/loss": loss} for loss in losses]


def coarse(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Return the same accuracies as `logged`, and its losses with one decimal place."""
    return [row | {"val/loss": round(row["val/loss"], 1)} for row in logged(parameters, seed)]


@pytest.fixture
def equal(project: Project) -> Project:
    metric = {"name": "val/accuracy", "goal": "maximize"}
    project.change("experiments/toy.yaml", seeds=[0, 1, 2, 3], metric=metric)
    show(project)
    export_runs(project, logged)
    digest_rows(project)
    return project


def show(project: Project, **more: Any) -> None:
    """Have a paper with a table and a claim."""
    project.change("config.yaml", paper={"tables": {"t": SPEC}, "claims": {"c": CLAIM}} | more)


def digest_rows(project: Project) -> None:
    for path in project.runs:
        folder = RunFolder(path)
        digest = sha256(path / "metrics_history.csv")
        replace(RunRecord(folder).summary, rows_sha256=digest).write(folder.summary_json)
        write_json(folder.manifest_json, {"run": path.name, "files": {}})


def claims_of(project: Project) -> tuple[Mapping[str, Claim], Methods]:
    paper = load(project).paper
    return paper.claims, paper.statistics


def counts(project: Project) -> dict[str, Any]:
    """How many runs of rate 0.1 each reader counts; results/ has what they need."""
    results, plans = project.path / "results", plans_of(project)
    claims, methods = claims_of(project)
    table = make_again(project).value["rows"][0]["cells"]["accuracy"]
    statistics = {"folds": methods.folds}
    figure = measured(project, "bars", metrics={"a": "val/accuracy"}, statistics=statistics)
    (claim,) = decide_claims(plans, claims, methods)["claims"]
    folder = results / "groups/baseline"
    export_group("baseline", plans, folder, methods.folds)
    with (folder / "variants.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["metric"] == "val/accuracy"]
    runs = [run for run in project.runs if RunRecord(RunFolder(run)).summary.variant == "rate=0.1"]
    contents = read_contents("t", Sources([folder / "runs.csv"], plans), methods)
    left_out = compare_groups(results, "val/accuracy", experiment="toy")["left_out"]
    spread = compare_runs(results, [run.name for run in runs], ["val/accuracy"])["spread"]
    board = Board(results)
    while board.watch.is_reading:
        board.look()
    drawn = json.loads(board.averages(Query("val/accuracy"), [("toy", "rate=0.1")], None))
    return {
        "table": table["n"],
        "figure": len(figure.runs) - 4,
        "claim": [side["n"] for side in claim["sides"]][1],
        "variants.csv": int(rows[0]["n"]),
        "report": 4 - len(repeats(contents["experiments"][0]["equal"])),
        "compare_groups": 4 - left_out.get("with the rows of another seed", 0),
        "compare_runs": spread["val/accuracy"]["n"],
        "board": len(drawn["averages"][0]["runs"]),
    }


def said(project: Project) -> list[str]:
    """Return the notes of the table, a figure, the claim, the report, the last job, status, MCP."""
    claims, methods = claims_of(project)
    plans, results = plans_of(project), project.path / "results"
    statistics = {"folds": methods.folds}
    figure = measured(project, "bars", metrics={"a": "val/accuracy"}, statistics=statistics)
    contents = read_contents("t", Sources([results / "groups/baseline/runs.csv"], plans), methods)
    status = read_status(project.path / "config.yaml", results)
    runs = [run.name for run in project.runs]
    decided = decide_claims(plans, claims, methods)
    write_json(results / "paper/claims.json", decided)
    (short,) = short_claims(results)["claims"]
    texts = [
        *short.get("notes", []),
        *compare_groups(results, "val/accuracy", experiment="toy")["notes"],
        *compare_runs(results, runs, ["val/accuracy"])["notes"],
        make_again(project).text("md"),
        figure.caption,
        claims_markdown(decided),
        contents["equal_seeds"],
        *(plan_warnings(plans[0], methods.folds) or [""]),
        *(note.text for each in status.experiments for note in each.notes),
    ]
    return [line for text in texts for line in text.splitlines() if "equal rows" in line]


def test_every_reader_counts_the_seeds_of_an_ignored_seed_once(
    equal: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(equal.path)
    assert set(counts(equal).values()) == {2}, counts(equal)
    lines = said(equal)
    assert len(lines) == 9 and all(SAID in line for line in lines)
    made = make_again(equal).value["rows"][0]["cells"]["accuracy"]
    assert made["value"] == pytest.approx((0.5 + 0.71) / 2)
    (claim,) = decide_claims(plans_of(equal), *claims_of(equal))["claims"]
    assert "sign-flip test over 2 pairs by seed" in claim["method"]
    assert [side.get("equal_seeds") for side in claim["sides"]] == [None, [(0, 2, 3)]]
    assert claim["reason"].endswith(SAID)


def test_every_reader_counts_seeds_that_chance_made_equal(
    equal: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_runs(equal, coarse)
    digest_rows(equal)
    monkeypatch.chdir(equal.path)
    assert set(counts(equal).values()) == {4}, counts(equal)
    lines = said(equal)
    assert len(lines) == 9 and all(ONLY_SAID in line for line in lines)
    made = make_again(equal).value["rows"][0]["cells"]["accuracy"]
    assert made["value"] == pytest.approx((3 * 0.5 + 0.71) / 4)
    (claim,) = decide_claims(plans_of(equal), *claims_of(equal))["claims"]
    assert [side.get("equal_seeds") for side in claim["sides"]] == [None, None]


@pytest.mark.parametrize("rows", [logged, coarse])
def test_every_reader_counts_folds_and_says_nothing(
    equal: Project, monkeypatch: pytest.MonkeyPatch, rows: Logged
) -> None:
    export_runs(equal, rows)
    digest_rows(equal)
    show(equal, **FOLDS)
    monkeypatch.chdir(equal.path)
    assert set(counts(equal).values()) == {4}, counts(equal)
    assert said(equal) == []


def test_without_equal_rows_nothing_is_said(project: Project) -> None:
    project.change("config.yaml", paper={"tables": {"t": SPEC}})
    export_runs(project, logged)
    assert "equal" not in make_again(project).text("md")


def test_a_program_that_ignores_its_seed_gets_no_verdict(project: Project) -> None:
    """Nor one without chance or a loss, or one in whose rows something else differs."""
    metric = {"name": "val/accuracy", "goal": "maximize"}
    project.change("experiments/toy.yaml", seeds=[*range(8)], metric=metric)
    project.change("config.yaml", paper={"tables": {"t": SPEC}, "claims": {"c": CLAIM}})
    same_values = "All seeds gave the same value, which has no interval and no verdict: "
    for differing in ("", "loss", "seen"):

        def rows(
            parameters: Mapping[str, Any], seed: int, differing: str = differing
        ) -> list[dict[str, Any]]:
            value = parameters["rate"]
            row = {"val/accuracy": value, "seen": seed if differing == "seen" else 0}
            name = "score" if differing == "loss" else "loss"
            return [row | {name: at**0.5} for at in (2, 3, 5, 6, 7)]

        export_runs(project, rows)
        digest_rows(project)
        made = make_again(project)
        assert same_values + "rate=0.1 (accuracy), rate=0.2 (accuracy)." in made.note
        assert [cell["low"] for cell in made.cells().values()] == [None, None]
        # One run is the best without being bold.
        assert made.marks() == [None, "best" if differing else None]
        assert "±" not in made.text("md").splitlines()[2]

        (claim,) = decide_claims(plans_of(project), *claims_of(project))["claims"]
        same = "All seeds of rate=0.2 and of rate=0.1 gave the same value"
        assert claim["verdict"] == "no verdict" and same in claim["reason"]
        assert (claim["low"], claim["effect_size"], claim["p"]) == (None, None, 1.0)
        figure = measured(project, "differences", metrics={"accuracy": "val/accuracy"}, **BASELINE)
        (panel,) = figure.numbers["panels"]
        assert [row["verdict"] for row in panel["rows"]] == ["no verdict"]
        assert "No verdict where all seeds gave the same value" in figure.caption
