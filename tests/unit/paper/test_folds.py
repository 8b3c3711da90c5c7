"""Seeds that are the folds of a cross-validation: claims, tables, and what has no correction."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.overview.mcp.variants import choose_variants
from caduceus.overview.paper_methods import paper_methods
from caduceus.paper.claims import decide_claims
from caduceus.paper.numbers import numbers_latex
from exported_runs import export_runs, load
from paper_tables import SPEC, make, make_of
from projects import Project
from scipy import stats

LOW, HIGH = {"rate": 0.1}, {"rate": 0.2}


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Rate 0.1 is better by 0.1, give or take 0.01."""
    noise = np.random.default_rng([seed, int(1000 * parameters["rate"])]).normal(0, 0.01)
    return [{"val/accuracy": float(0.9 - parameters["rate"] + noise), "val/loss": 1}]


def decided(project: Project, statistics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    claims: dict[str, dict[str, Any]] = {
        "better": {"compare": {"better": LOW, "worse": HIGH, "metric": "val/accuracy"}},
        "at_least": {"at_least": {"variant": LOW, "metric": "val/accuracy", "value": 0.79}},
        "same": {
            "reproduces": {
                "variant": LOW,
                "metric": "val/accuracy",
                "published": {"value": 0.8, "n": 10},
                "tolerance": 0.05,
                "source": "X",
            }
        },
        "falls": {
            "trend": {
                "variants": [LOW, HIGH],
                "parameter": "rate",
                "metric": "val/accuracy",
                "direction": "falls",
            }
        },
    }
    entries = {name: {"statement": f"So is {name}."} | claim for name, claim in claims.items()}
    project.change("config.yaml", paper={"claims": entries, "statistics": dict(statistics)})
    project.change("experiments/toy.yaml", seeds=list(range(10)))
    paper = export_runs(project, logged).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    found = decide_claims(plans, paper.claims, paper.statistics)
    assert found["test"] == ("corrected_t" if statistics else "sign_flip")
    return {claim["name"]: claim for claim in found["claims"]}


def test_claims_of_folds_are_decided_by_corrected_t_tests(project: Project, tmp_path: Path) -> None:
    plain = decided(project.copy(tmp_path / "plain"), {})
    found = decided(project, {"folds": 10})

    values = {
        rate: np.array([logged({"rate": rate}, seed)[0]["val/accuracy"] for seed in range(10)])
        for rate in (0.1, 0.2)
    }
    differences = values[0.1] - values[0.2]
    error = differences.std(ddof=1) * (1 / 10 + 1 / 9) ** 0.5
    better = found["better"]
    assert better["p"] == pytest.approx(2 * stats.t.sf(differences.mean() / error, 9))
    assert better["high"] - better["effect"] == pytest.approx(stats.t.ppf(0.975, 9) * error)
    assert better["method"] == (
        "corrected t-test of folds over 10 pairs by seed; 95 % interval by corrected Student's t"
    )
    assert better["verdict"] == found["falls"]["verdict"] == found["same"]["verdict"] == "supported"
    assert "corrected t-test of folds" in found["falls"]["method"]
    for name in ("better", "at_least", "same"):
        width, wider = (each[name]["high"] - each[name]["low"] for each in (plain, found))
        assert wider > 1.2 * width
    assert all(claim["runs_that_would_do"] is None for claim in found.values())


def half_width(project: Project, rows: Any, spec: Any, **statistics: Any) -> float:
    cell = make(project, rows, spec, **statistics).cells()["rate=0.1"]
    return float(cell["high"] - cell["low"]) / 2


def test_a_table_of_folds_has_wider_intervals_and_says_why(project: Project) -> None:
    rows = {
        rate: [logged({"rate": rate}, seed)[0]["val/accuracy"] for seed in range(10)]
        for rate in (0.1, 0.2)
    }
    spec = SPEC | {"goal": "maximize"}
    half, wider = (half_width(project, rows, spec, folds=folds) for folds in (None, 10))
    made = make(project, rows, spec, folds=10)

    assert wider == pytest.approx(half * (1 + 10 / 9) ** 0.5)
    assert f"**{np.mean(rows[0.1]):.3f}** ± {wider:.3f}" in made.text("md")
    assert [cell["verdict"] for cell in made.cells().values()] == ["best", "worse"]
    assert "Seeds are folds of 10-fold cross-validation" in made.note
    assert "two-sided corrected t-test by fold, adjusted by Holm over 1 pair" in made.note


@pytest.mark.parametrize(
    ("statistics", "key"),
    [
        ({"statistic": "median"}, "statistic"),
        ({"test": "wilcoxon"}, "test"),
        ({"interval": "bca"}, "interval"),
        ({"interval": "bootstrap-t"}, "interval"),
    ],
)
def test_what_has_no_correction_is_refused(
    project: Project, statistics: dict[str, str], key: str
) -> None:
    project.change("config.yaml", paper={"statistics": {"folds": 5, **statistics}})
    lines = (project.path / "config.yaml").read_text().splitlines()
    line = next(
        number
        for number, text in enumerate(lines, 1)
        if f"{key}: " in text and text.startswith("    ")
    )
    with pytest.raises(SpecError, match=rf"config\.yaml:{line}: paper\.statistics\.{key}: "):
        load(project)


def test_profiles_of_folds_are_refused(project: Project) -> None:
    profile = {"kind": "profiles", "metrics": {"accuracy": "val/accuracy"}}
    project.change("config.yaml", paper={"statistics": {"folds": 5}, "figures": {"p": profile}})
    with pytest.raises(SpecError, match=re.escape("paper.figures.p.kind: profiles")):
        load(project)


@pytest.mark.parametrize(("seeds", "is_right"), [(5, True), (10, True), (4, False), (8, False)])
def test_seeds_that_are_not_whole_cross_validations_are_refused(
    project: Project, seeds: int, is_right: bool
) -> None:
    table = {"metrics": {"accuracy": "val/accuracy"}, "goal": "maximize"}
    project.change("config.yaml", paper={"statistics": {"folds": 5}, "tables": {"t": table}})
    project.change("experiments/toy.yaml", seeds=list(range(seeds)))
    lines = (project.path / "config.yaml").read_text().splitlines()
    [line] = [number for number, text in enumerate(lines, 1) if text.strip() == "folds: 5"]
    if is_right:
        load(project)
        return
    with pytest.raises(SpecError) as caught:
        load(project)
    assert str(caught.value) == (
        f"{project.path}/config.yaml:{line}: paper.statistics.folds: 5 folds take 5 seeds, or a "
        f"multiple where the cross-validation is repeated, but rate=0.1 of toy has {seeds} seeds; "
        "correct its `seeds`, or `folds`"
    )


def test_a_p_in_running_text_is_written_as_latex_writes_numbers(project: Project) -> None:
    rows = {rate: [rate + seed / 1000 for seed in range(10)] for rate in (0.1, 0.2)}
    rows[0.2][0] += 0.001
    made = make(project, rows, SPEC | {"goal": "maximize"}, folds=10)
    [p] = [cell["p"] for cell in made.cells().values() if cell["p"] is not None]
    digits, power = f"{p:.2g}".split("e")

    assert rf"{{\ensuremath{{{digits} \times 10^{{{int(power)}}}}}}}" in numbers_latex(
        [made.folder / "t.json"]
    )


IN_THE_MATRIX = {"folds": 5, "fold_parameter": "fold"}


def cross_validate(
    project: Project, values: list[Any], seeds: list[int], **statistics: Any
) -> dict[str, Any]:
    """The project with the fold in its matrix; returns the statistics of its paper."""
    project.change("experiments/toy.yaml", matrix={"rate": [0.1, 0.2], "fold": values}, seeds=seeds)
    return IN_THE_MATRIX | statistics


@pytest.mark.parametrize(("first", "seeds"), [(0, [0]), (1, [3, 4])])
def test_a_parameter_may_choose_the_fold(project: Project, first: int, seeds: list[int]) -> None:
    """The same numbers as with a seed for each fold, and the same ids of runs as ever."""
    folds = list(range(first, first + 5))
    statistics = cross_validate(project, folds, seeds)

    def by_fold(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        return logged({"rate": parameters["rate"]}, 10 * seed + parameters["fold"])

    spec = SPEC | {"goal": "maximize"}
    found = make_of(project, by_fold, spec, **statistics)
    cells, note = found.cells(), found.note
    ids = sorted(run.name for run in project.runs)
    n = 5 * len(seeds)
    assert list(cells) == ["rate=0.1", "rate=0.2"]
    assert [(cell["n"], cell["verdict"]) for cell in cells.values()] == [(n, "best"), (n, "worse")]
    values = [
        by_fold({"rate": 0.1, "fold": fold}, seed)[0]["val/accuracy"]
        for seed in seeds
        for fold in folds
    ]
    error = np.std(values, ddof=1) * (1 / n + 1 / 4) ** 0.5
    assert cells["rate=0.1"]["value"] == pytest.approx(np.mean(values))
    assert cells["rate=0.1"]["high"] - np.mean(values) == pytest.approx(
        stats.t.ppf(0.975, n - 1) * error
    )
    assert "n counts runs of each seed and fold, which are folds of 5-fold" in note
    plain = make_of(project, by_fold, spec)
    assert len(plain.cells()) == 10
    assert sorted(run.name for run in project.runs) == ids


def test_claims_and_agents_pair_the_folds_of_each_seed(project: Project) -> None:
    side = {"better": {"rate": 0.1}, "worse": {"rate": 0.2}, "metric": "val/accuracy"}
    claims = {"better": {"statement": "It is better.", "compare": side}}
    statistics = cross_validate(project, [0, 1, 2, 3, 4], [0, 1])
    project.change("config.yaml", paper={"statistics": statistics, "claims": claims})

    def by_fold(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        return logged({"rate": parameters["rate"]}, 5 * seed + parameters["fold"])

    paper = export_runs(project, by_fold).paper
    plans = sorted((project.path / "results/experiments").iterdir())
    [claim] = decide_claims(plans, paper.claims, paper.statistics)["claims"]
    differences = [
        by_fold({"rate": 0.1, "fold": fold}, seed)[0]["val/accuracy"]
        - by_fold({"rate": 0.2, "fold": fold}, seed)[0]["val/accuracy"]
        for seed in (0, 1)
        for fold in range(5)
    ]
    error = np.std(differences, ddof=1) * (1 / 10 + 1 / 4) ** 0.5
    assert claim["p"] == pytest.approx(2 * stats.t.sf(np.mean(differences) / error, 9))
    assert "over 10 pairs" in claim["method"]
    results = project.path / "results"
    chosen = choose_variants(results, None, None, None, paper_methods(results))
    assert chosen.labels == ["rate=0.1", "rate=0.2"]
    assert [len(variant.results) for variant in chosen.variants] == [10, 10]


@pytest.mark.parametrize(
    ("folds", "statistics", "message"),
    [
        ([0, 1, 2, 3], {}, "needs the values 0 to 4, or 1 to 5, but seed 0 of rate=0.1 of toy"),
        ([0, 1, 2, 3, 5], {}, "needs the values 0 to 4"),
        (["a", "b", "c", "d", "e"], {}, "needs the values 0 to 4"),
        ([0, 1, 2, 3, 4], {"fold_parameter": "flod"}, "no run has the parameter 'flod'"),
        ([0, 1, 2, 3, 4], {"folds": None}, "needs `folds`"),
    ],
)
def test_a_parameter_that_is_no_fold_is_refused(
    project: Project, folds: list[Any], statistics: dict[str, Any], message: str
) -> None:
    table = {"metrics": {"accuracy": "val/accuracy"}, "goal": "maximize"}
    found = cross_validate(project, folds, [0], **statistics)
    project.change("config.yaml", paper={"statistics": found, "tables": {"t": table}})
    with pytest.raises(SpecError, match=r"config\.yaml:\d+: paper\.statistics\.fold_parameter"):
        load(project)
    with pytest.raises(SpecError, match=re.escape(message)):
        load(project)


def test_a_side_names_no_fold(project: Project) -> None:
    table = SPEC | {"goal": "maximize", "variants": [{"rate": 0.1, "fold": 0}]}
    statistics = cross_validate(project, [0, 1, 2, 3, 4], [0])
    project.change("config.yaml", paper={"statistics": statistics, "tables": {"t": table}})
    with pytest.raises(SpecError, match=r"matches no variant; there are rate=0\.1 of toy; rate="):
        load(project)
