"""A table, figure, claim or part of the report that failed shows its error in its place."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from caduceus.__main__ import main
from caduceus.exports.group import export_group
from caduceus.io.failed_entries import FailedEntry, failed_entries
from caduceus.io.files import read_json, write_json
from caduceus.paper.claim_formats import claim_lines
from caduceus.paper.compute import sum_compute
from exported_runs import export_runs, load
from figure_exports import export_variants, plans_of
from paper_tables import make, make_again, three_kinds
from projects import Project

ACC: dict[str, Any] = {"metrics": {"accuracy": "acc"}}
TYPO: dict[str, Any] = {"metrics": {"accuracy": "ac"}}
SAID = "metrics.accuracy: no run logged metric 'ac'; logged are: "


def failures(project: Project, *items: str) -> list[FailedEntry]:
    return failed_entries(project.path / "results", items)


def test_a_table_that_failed_has_the_reason_and_no_number(project: Project) -> None:
    spec = {"title": "50 % of {all}\n& more_of #1", "metrics": {"a_b": "val/acuracy"}}
    made = make(project, three_kinds(2), spec)
    said = "paper.tables.t: metrics.a_b: no run logged metric 'val/acuracy'; logged are: "

    assert made.value["error"].startswith(said) and made.value["rows"] == []
    assert made.text("csv").splitlines()[0] == "error" and said in made.text("csv")
    assert made.text("md").startswith("**Table t failed:** paper.tables.t: metrics.a")
    *comments, box = made.text("tex").splitlines()
    assert all(line.startswith("%") for line in comments)
    assert r"\textbf{Table t failed:} paper.tables.t: metrics.a\_b: no run logged" in box
    [failed] = failures(project, "tables/t")
    assert failed.errors == (made.value["error"],)
    assert failed.files == tuple(f"paper/tables/t.{kind}" for kind in ("csv", "md", "tex", "json"))

    project.change("config.yaml", paper={"tables": {"t": {"metrics": {"a_b": "val/accuracy"}}}})
    made = make_again(project)
    assert "error" not in made.value and len(made.value["rows"]) == 3
    assert failures(project, "tables/t") == []


def figure(project: Project, kind: str, **keys: Any) -> Path:
    """Measure a figure, as its rule does."""
    project.change("config.yaml", paper={"figures": {"f": {"kind": kind} | keys}})
    paper = load(project).paper
    out = project.path / "results/paper/figures/f.json"
    words = ["--spec", json.dumps(paper.figures["f"].to_json())]
    words += ["--statistics", json.dumps(asdict(paper.statistics)), "--out", str(out)]
    assert main(["measure-figure", *map(str, plans_of(project)), *words]) == 0
    return out


def draw(measured: Path) -> str:
    """Draw a figure, as its rule does; its SVG."""
    out = measured.with_suffix(".pdf")
    words = ["--venue", "neurips", "--width", "column", "--out", str(out)]
    assert main(["draw-figure", str(measured), *words]) == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return out.with_suffix(".svg").read_text()


def learning(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    return [{"acc": 0.1, "word": "a", "nan": math.nan}, {"acc": 0.5 + seed / 100}]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["curves", "bars", "differences", "profiles"])
def test_a_figure_that_failed_says_so_in_every_file(project: Project, kind: str) -> None:
    export_variants(project, ["cnn", "mlp"], 2, learning)
    measured = figure(project, kind, **TYPO, title="$L_{$")
    content = read_json(measured)
    assert content["error"].startswith(f"paper.figures.f: {SAID}acc, nan, word; did you mean")
    assert content["caption"] == f"Failed: {content['error']}"
    assert "<!-- THIS IS NO FIGURE: f failed -->" in draw(measured)
    assert failures(project, "figures/f")[0].errors == (content["error"],)

    assert "NO FIGURE" not in draw(figure(project, kind, **ACC))
    assert failures(project, "figures/f") == []


def test_a_figure_without_numbers_is_told_from_one_of_diverged_runs(project: Project) -> None:
    export_variants(project, ["cnn", "mlp"], 2, learning)
    word = read_json(figure(project, "bars", metrics={"a": "word"}))
    assert word["error"] == (
        "paper.figures.f: metrics.a: no finished run has a number of metric 'word' in its summary"
    )
    diverged = read_json(figure(project, "bars", metrics={"a": "nan"}))
    assert "error" not in diverged


def test_an_error_while_drawing_costs_only_its_figure(project: Project) -> None:
    export_variants(project, ["cnn", "mlp"], 2, learning)
    measured = figure(project, "bars", **ACC)
    content = read_json(measured)
    write_json(measured, content | {"numbers": content["numbers"] | {"panels": [{"rows": 1}]}})
    assert "<!-- THIS IS NO FIGURE: f failed -->" in draw(measured)
    [failed] = failures(project, "figures/f")
    assert failed.errors[0].startswith("figures/f: internal error: ")
    assert "paper/figures/f.png" in failed.files


def test_a_claim_that_failed_changes_no_other_verdict(project: Project) -> None:
    low = {"variant": {"rate": 0.1}, "metric": "acc", "value": 0.2}
    claims = {
        "good": {"statement": "So it is.", "at_least": low},
        "typo": {"statement": "So *it* is.", "at_least": low | {"metric": "ac"}},
        "split": {"statement": "So it isn't.", "at_least": low | {"value": 0.9}},
    }
    project.change("experiments/toy.yaml", seeds=list(range(8)))
    export_runs(project, learning)

    def decide(**claims: Any) -> dict[str, Any]:
        project.change("config.yaml", paper={"claims": claims})
        paper = load(project).paper
        words = [json.dumps({name: claim.to_json() for name, claim in paper.claims.items()})]
        words += ["--statistics", json.dumps(asdict(paper.statistics))]
        out = project.path / "results/paper/claims.json"
        plans = list(map(str, plans_of(project)))
        assert main(["check-claims", *plans, "--claims", *words, "--out", str(out)]) == 0
        return read_json(out)

    decided = decide(**claims)
    good, typo, split = decided["claims"]
    assert [claim["verdict"] for claim in (good, typo, split)] == ["supported", "failed", "refuted"]
    assert typo["reason"].startswith("paper.claims.typo: metrics.ac: no run logged metric 'ac'; ")
    assert set(typo) >= set(split) - {"equal_seeds"}
    assert good["p_adjusted"] == pytest.approx(3 * good["p"])  # of three claims all the same
    assert failures(project, "claims")[0].errors == (typo["reason"],)
    page = (project.path / "results/paper/claims.md").read_text()
    assert "3 claims: 1 supported, 1 refuted, 1 failed." in page
    assert "did you mean 'acc'?" in page
    assert "1 failed" in claim_lines(decided)[0]
    assert f"failed            So *it* is. ({typo['reason']})" in claim_lines(decided)[2]

    decide(**claims | {"typo": claims["good"]})
    assert failures(project, "claims") == []


def test_the_report_names_what_failed_in_its_place(project: Project) -> None:
    export_variants(project, ["cnn", "mlp"], 2, learning)
    measured = figure(project, "bars", **TYPO)
    draw(measured)
    results = project.path / "results"
    export_group("baseline", plans_of(project), results / "groups/baseline", None)
    (results / "groups/other").mkdir()
    (results / "groups/other/runs.csv").write_text("run,name,experiment,variant,seed,state\nr\n")
    write_json(results / "paper/compute.json", {"experiments": []})
    write_json(results / "verification.json", "damaged")
    out = results / "report/index.html"
    groups = [str(results / f"groups/{name}/runs.csv") for name in ("baseline", "other")]
    words = ["--groups", *groups, "--plans", *map(str, plans_of(project))]
    words += ["--figures", str(measured.with_suffix(".svg")), "--statistics", "{}"]

    assert main(["make-report", "--title", "t", *words, "--out", str(out)]) == 0
    page = out.read_text()
    assert '<a href="#figures/f">figures/f</a>' in page
    assert "<b>This figure failed.</b> paper.figures.f: metrics.accuracy: no run logged" in page
    assert "<img" not in page.partition('id="figures/f"')[2].partition("</figure>")[0]
    [failed] = failures(project, "report")
    assert failed.errors[0].startswith("report: runs: ") and "not CSV" in failed.errors[0]
    assert "toy arch=cnn seed=0" in page
    (results / "groups/other/runs.csv").write_text("run,variant\n")
    assert main(["make-report", "--title", "t", *words, "--out", str(out)]) == 0
    assert "it lacks the columns name, experiment, seed" in failures(project, "report")[0].errors[0]

    compute = ["--compute", str(results / "paper/compute.json")]
    assert main(["make-report", "--title", "t", *words, *compute, "--out", str(out)]) == 0
    assert out.read_text().startswith("<!doctype html>")
    assert "internal error" in failures(project, "report")[0].errors[-1]

    (results / "groups/other/runs.csv").unlink()
    sum_compute([], results / "paper")  # no plan has the runs, as those of an earlier version
    started = len(project.runs)
    words = ["--groups", groups[0], *words[3:], *compute]
    assert main(["make-report", "--title", "t", *words, "--out", str(out)]) == 0
    assert f"time of all {started} runs ever started, with failed ones" in out.read_text()
