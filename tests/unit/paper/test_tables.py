"""Tables: what they show of the runs, what they mark, and what they say about it."""

import csv
import json
import math
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.exports.group import export_group
from caduceus.io.files import read_json, write_json
from caduceus.paper.marks import Column, find_best
from caduceus.paper.report.filters import cell as report_cell
from caduceus.paper.report.filters import published as report_published
from caduceus.paper.results import Result, by_variant
from caduceus.paper.rounding import Digits, digits_of
from caduceus.runs.files.train import Train
from caduceus.runs.files.usage import Usage, UsedFile
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.record import RunRecord
from caduceus.statistics.settings import Methods
from exported_runs import give_usage, load
from paper_tables import SPEC, logs, make, make_again, make_of, noise, three_kinds
from projects import Project
from run_files import summary
from scipy import stats


def test_a_row_has_the_mean_half_its_interval_n_and_what_is_published(project: Project) -> None:
    values = {0.1: [0.50, 0.52, 0.54], 0.2: [0.4, None, None], 0.3: [None, None, None]}
    made = make(
        project,
        values,
        SPEC
        | {
            "title": "Accuracy",
            "percent": True,
            "decimals": 1,
            "published": [
                {"parameters": {"rate": 0.1}, "value": 51, "interval": 0.5},
                {"label": "human | machine", "value": 96.5},
            ],
            "source": "Somebody 2020",
            "note": "All on one machine.",
        },
    )
    low, high = stats.t.interval(0.95, 2, 52, stats.sem([50, 52, 54]))
    half = f"{(high - low) / 2:.1f}"
    lines = made.text("md").splitlines()

    assert lines[:6] == [
        "Accuracy",
        "",
        "| rate             |       accuracy |   n |  published |",
        "| ---------------- | -------------: | --: | ---------: |",
        f"| 0.1              | **52.0** ± {half} |   3 | 51.0 ± 0.5 |",
        "| 0.2              |           40.0 |   1 |          – |",
    ]
    assert lines[6:9] == [
        "| 0.3              |              – |   0 |          – |",
        r"| human \| machine |              – |   – |       96.5 |",
        "",
    ]
    assert lines[9] == "Mean in % ± half the 95 % interval over n seeds (Student's t)."
    assert lines[-3:] == [
        "Published: Somebody 2020.",
        "All on one machine.",
        "Failed and left out: 5 of 9 runs.",
    ]


@pytest.mark.parametrize(
    ("spread", "size", "said"),
    [
        ("std", 0.02, "the standard deviation of the runs (n - 1)"),
        ("standard_error", 0.02 / 3**0.5, "the standard error of the mean"),
    ],
)
def test_a_deviation_or_a_standard_error_is_shown_and_named(
    project: Project, spread: str, size: float, said: str
) -> None:
    made = make(
        project, {0.1: [0.50, 0.52, 0.54], 0.2: [0.4, None, None]}, SPEC | {"spread": spread}
    )

    assert f"0.520** ± {size:.3f}" in made.text("md")
    assert rf"\mathbf{{0.520}} \pm {size:.3f}" in made.text("tex")
    assert made.note.startswith(f"Mean ± {said}")
    assert "interval" not in made.note.split(".")[0]
    cell = made.cells()["rate=0.1"]
    assert cell["spread"] == pytest.approx([size])
    assert report_cell(cell) == {"value": "0.520", "interval": f"± {size:.3f}"}
    assert made.cells()["rate=0.2"]["spread"] == []


def test_texts_that_a_spreadsheet_would_run_are_escaped_on_demand(project: Project) -> None:
    formula = '=HYPERLINK("http://x")'
    spec = SPEC | {"metrics": {"-loss": "val/loss"}, "published": [{"label": formula, "value": -1}]}
    plain = make(project, {0.1: [1.5, 1.75]}, spec).text("csv")
    escaped = make_again(project, "--formulas", "escape").text("csv")
    heads, *rows = csv.reader(escaped.splitlines())
    assert sum(head.startswith("'-loss") for head in heads) == 7
    assert rows[-1][0] == f"'{formula}"
    assert any(cell.startswith("-") for row in rows for cell in row)  # numbers stay
    assert escaped.replace("'-loss", "-loss").replace("'=", "=") == plain


def test_a_standard_error_of_a_median_is_refused(project: Project) -> None:
    paper = {
        "tables": {"t": SPEC | {"spread": "standard_error"}},
        "statistics": {"statistic": "iqm"},
    }
    project.change("config.yaml", paper=paper)
    with pytest.raises(
        SpecError, match=r"spread: a standard error is that of the mean, not of the"
    ):
        load(project)


def test_the_best_is_marked_and_what_cannot_be_told_from_it(project: Project) -> None:
    made = make(project, three_kinds(10))
    cells = made.cells()

    assert made.marks() == ["best", "tied", None]
    assert cells["rate=0.1"]["p"] is None
    assert cells["rate=0.2"]["p"] > 0.05
    # All ten pairs say the same: nearly the smallest p of ten, and below Holm's for three pairs.
    assert 2 / 2**10 <= cells["rate=0.3"]["p"] < 3 * 2 / 2**10
    how = "adjusted by joint sign flips over 3 pairs (step-down maxT), alpha 0.05"
    assert f"two-sided sign-flip test by seed, {how}" in made.note
    rows = made.text("md").splitlines()
    assert re.search(r"\*\*0\.8\d\d\*\* ± 0\.0\d\d \|", rows[2])
    assert re.search(r" 0\.\d\d\d ± 0\.0\d\d † \|", rows[3])
    assert re.search(r" 0\.7\d\d ± 0\.0\d\d \|", rows[4])


def test_the_least_is_the_best_of_what_is_minimized(project: Project) -> None:
    metrics = {"accuracy": "val/accuracy", "loss": {"name": "val/loss", "goal": "minimize"}}
    made = make(project, three_kinds(10), {"metrics": metrics})

    assert made.marks("accuracy") == made.marks("loss") == ["best", "tied", None]
    assert make(project, three_kinds(10), SPEC | {"goal": "minimize"}).marks() == [
        None,
        None,
        "best",
    ]


def test_every_column_counts_in_the_correction_but_one_quantity_counts_once(
    project: Project,
) -> None:
    """Losses are 1 less the accuracies; the losses of the second table are other numbers."""
    loss = {"name": "val/loss", "goal": "minimize"}
    alone = make(project, three_kinds(10))
    twice = make(project, three_kinds(10), {"metrics": {"accuracy": "val/accuracy", "loss": loss}})
    for heading in ("accuracy", "loss"):
        assert twice.marks(heading) == ["best", "tied", None]
        assert twice.cells(heading)["rate=0.3"]["p"] == alone.cells()["rate=0.3"]["p"]
    assert "over 3 pairs" in twice.note
    assert "One quantity in several columns counts once: loss with accuracy." in twice.note

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        value = three_kinds(10)[parameters["rate"]][seed]
        loss = float(noise(seed + int(100 * parameters["rate"]), 1)[0])
        return [{"val/accuracy": value, "val/loss": loss}]

    other = make_of(project, logged, {"metrics": {"accuracy": "val/accuracy", "loss": loss}})
    assert "over 6 pairs" in other.note and "counts once" not in other.note
    assert other.cells()["rate=0.3"]["p"] >= alone.cells()["rate=0.3"]["p"]


def test_where_nobody_says_what_is_better_nothing_is_marked(project: Project) -> None:
    made = make(project, three_kinds(10), {"metrics": {"loss": "val/loss"}})

    assert made.marks("loss") == [None, None, None]
    assert "Bold" not in made.note
    assert not re.search(r"\*\*|†", made.text("md"))


def test_where_all_are_equal_nothing_is_marked(project: Project) -> None:
    made = make(project, {0.1: [0.5, 0.6], 0.2: [0.5, 0.6]})

    assert made.marks() == [None, None]


def test_too_few_seeds_tie_nothing_and_as_many_as_the_note_says_could_decide(
    project: Project,
) -> None:
    made = make(project, three_kinds(4))

    assert made.marks() == ["best", None, None]
    found = re.search(r"With 4 seeds no difference can be significant; use (\d+)[.]", made.note)
    assert found
    enough = int(found[1])
    assert 2 / 2**enough <= 0.05 < 2 / 2 ** (enough - 1)
    assert make(project, three_kinds(enough + 1)).marks() == ["best", "tied", None]
    assert make(project, three_kinds(enough)).marks() == ["best", "tied", "tied"]
    assert make(project, three_kinds(enough - 1)).marks() == ["best", None, None]


def test_a_variant_with_too_few_runs_is_named_beside_those_that_have_enough(
    project: Project,
) -> None:
    values = three_kinds(10)
    made = make(project, values | {0.2: [0.7, *[None] * 9]})

    assert made.marks() == ["best", None, None]
    assert "Unmarked: rate=0.2 (accuracy). With 1 seed no difference" in made.note
    assert "Failed and left out: 9 of 30 runs." in made.note


def test_runs_are_paired_by_seed_and_where_seeds_differ_they_are_not(project: Project) -> None:
    """A difference of 0.01 in each pair is plain, and lost among runs that differ by 0.1."""
    first = list(0.8 + noise(3, 8, 0.1))
    second = [value - step for value, step in zip(first, [0.01, 0.011] * 4, strict=True)]
    paired = make(project, {0.1: first, 0.2: second})
    assert paired.marks() == ["best", None]
    assert "by seed" in paired.note

    other = json.loads(json.dumps({"id": "other", "seeds": list(range(8, 16))}))
    shutil.copy(project.path / "experiments/toy.yaml", project.path / "experiments/other.yaml")
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]})
    project.change("experiments/other.yaml", matrix={"rate": [0.2]}, **other)
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])
    unpaired = make_of(project, logs({0.1: first, 0.2: [*[0.0] * 8, *second]}))
    assert unpaired.marks() == ["best", "tied"]
    assert "permutation test of Welch's t, not paired" in unpaired.note
    assert "by seed" not in unpaired.note
    assert unpaired.value["label_names"] == ["experiment", "rate"]


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_the_best_is_chosen_on_the_runs_that_are_compared(project: Project, statistic: str) -> None:
    """The second wins all six pairs; the first has the higher mean by the seeds it has alone."""
    more = [0.5, 0.51, 0.52, 0.53, 0.54, 0.55, 0.9, 0.91, 0.92, 0.93, 0.94]
    fewer: list[float | None] = [0.52, 0.54, 0.53, 0.56, 0.55, 0.57, *[None] * 5]
    made = make(project, {0.1: more, 0.2: fewer}, statistic=statistic)
    assert made.marks() == ["tied" if statistic == "median" else None, "best"]
    assert made.cells()["rate=0.1"]["value"] > made.cells()["rate=0.2"]["value"]
    assert "on the seeds that both variants have: rate=0.1 (accuracy) on 6." in made.note


def test_worse_is_only_what_the_test_finds_worse() -> None:
    """By the median the first is better, by the mean it is worse in a test of seldom flips."""
    spread = np.linspace(0, 0.001, 9)
    first = 0.9 + spread - np.repeat([0, 0.5], [5, 4])
    runs = {0: dict(enumerate(first)), 1: dict(enumerate(0.89 + spread))}
    column = Column(Goal.MAXIMIZE, {0: 0.9, 1: 0.89}, runs)
    marks = find_best({"a": column}, test="permutation", alpha=0.2, statistic="median")
    assert marks.p["a", 1] <= 0.2 and marks.comparisons["a", 1].effect < 0
    assert marks.by_place == {("a", 0): "best", ("a", 1): "tied"}


def test_seeds_that_all_gave_one_value_have_no_interval_and_no_verdict(project: Project) -> None:
    varying = list(0.6 + noise(1, 8))
    made = make(project, {0.1: [0.9] * 8, 0.2: [0.8] * 8, 0.3: varying})
    cells = made.cells()

    assert made.marks() == ["best", None, None]
    assert [cell["low"] is None for cell in cells.values()] == [True, True, False]
    assert [cell["std"] == 0 for cell in cells.values()] == [True, True, False]
    assert "**0.900** |" in made.text("md") and " 0.800 |" in made.text("md")
    said = "All seeds gave the same value, which has no interval and no verdict: "
    assert f"{said}rate=0.1 (accuracy), rate=0.2 (accuracy)." in made.note

    shifted = make(project, {0.1: [value + 0.125 for value in varying], 0.2: varying})
    assert shifted.marks() == ["best", None]
    assert shifted.cells()["rate=0.1"]["low"] is not None


@pytest.mark.slow
def test_equal_variants_are_seldom_called_worse() -> None:
    """Though the best of ten is the best by luck."""
    random = np.random.default_rng(0)
    trials, alpha, errors = 200, 0.05, 0
    for _ in range(trials):
        runs = [dict(enumerate(row)) for row in random.normal(size=(10, 11))]
        means = {row: float(np.mean(list(found.values()))) for row, found in enumerate(runs)}
        column = Column(Goal.MAXIMIZE, means, dict(enumerate(runs)))
        errors += "worse" in find_best({"a": column}, alpha=alpha).by_place.values()

    assert errors <= stats.binom.ppf(0.999, trials, alpha)


@pytest.mark.parametrize(
    ("statistics", "value", "note"),
    [
        ({"statistic": "median"}, 0.525, "Median [90 % interval] over n seeds (order statistics)."),
        (
            {"statistic": "iqm", "interval": "bootstrap", "resamples": 500},
            0.5375,
            "Interquartile mean [90 % interval] over n seeds "
            "(percentile bootstrap, 500 resamples).",
        ),
    ],
)
def test_another_statistic_has_its_own_value_interval_and_note(
    project: Project, statistics: dict[str, Any], value: float, note: str
) -> None:
    values = {0.1: [0.1, 0.5, 0.52, 0.53, 0.6, 0.61], 0.2: [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}
    made = make(project, values, confidence=0.9, test="wilcoxon", **statistics)
    cell = made.cells()["rate=0.1"]
    interval = f"[{cell['low']:.3f}, {cell['high']:.3f}]"

    assert cell["value"] == pytest.approx(value)
    assert cell["low"] < cell["value"] < cell["high"]
    assert f"**{value:.3f}** {interval}" in made.text("md")
    assert rf"\mathbf{{{value:.3f}}}\ {interval}$" in made.text("tex")
    assert made.value["notes"][0] == note
    assert "Wilcoxon signed-rank test by seed" in made.note


def test_an_interval_that_the_statistic_lacks_is_refused(project: Project) -> None:
    project.change("config.yaml", paper={"statistics": {"statistic": "mean", "interval": "order"}})
    with pytest.raises(SpecError, match=r"config\.yaml:\d+: paper\.statistics\.interval: 'order'"):
        load(project)


def test_a_metric_is_taken_at_a_step_or_where_another_is_best(project: Project) -> None:
    rows = [
        {"val/loss": 0.5, "test/accuracy": 0.6},
        {"val/loss": 0.2, "test/accuracy": 0.7},
        {"val/loss": 0.9, "test/accuracy": 0.8},
    ]
    best = {"name": "val/loss", "goal": "minimize"}
    metrics = {
        "last": "test/accuracy",
        "first": {"name": "test/accuracy", "at": 0},
        "chosen": {"name": "test/accuracy", "best_by": best},
    }
    made = make_of(project, lambda parameters, seed: rows, {"metrics": metrics})

    (first, *_) = made.value["rows"]
    values = {heading: cell["value"] for heading, cell in first["cells"].items()}
    assert values == pytest.approx({"last": 0.8, "first": 0.6, "chosen": 0.7})


@pytest.mark.parametrize(
    ("values", "halves", "digits", "texts"),
    [
        # The narrower of two intervals sets the digits, the median of more than two.
        ([0.93, 0.95], [0.012, 0.008], (4, 0), ["0.9300 ± 0.0120", "0.9500 ± 0.0080"]),
        (
            [0.93, 0.95, 0.9, 0.9],
            [0.012, 0.00004, math.nan, 0.02],
            (3, 0),
            ["0.930 ± 0.012", "0.950 ± 4.0e-05", "0.900 ± nan", "0.900 ± 0.020"],
        ),
        ([1234.5, 1200.0], [56.0, 78.0], (0, 0), ["1234 ± 56", "1200 ± 78"]),
        ([12382.0], [1493.0], (-2, 0), ["12400 ± 1500"]),
        ([0.0001], [0.00002], (6, 0), ["0.000100 ± 0.000020"]),
        ([1e-9, 2e-9], [1e-10, 3e-10], (2, -9), ["1.00 ± 0.10", "2.00 ± 0.30"]),
        ([1.234e7, 3e6], [3e5, 2e5], (3, 7), ["1.234 ± 0.030", "0.300 ± 0.020"]),
        ([0.5, 1e-8], [0.1, 1e-9], (6, 0), ["0.500000 ± 0.100000", "1.0e-08 ± 1.0e-09"]),
        ([0.003, -0.003], [0.5, 0.5], (2, 0), ["0.00 ± 0.50", "0.00 ± 0.50"]),
        ([0.0, 0.0], [0.0, math.inf], (0, 0), ["0 ± 0", "0 ± inf"]),
        ([0.5, 23.4567], [], (2, 0), []),
        ([1234567.0], [], (0, 0), []),
        ([3.2e10], [], (3, 10), []),
        ([3.2e-10], [], (3, -10), []),
        ([5e-324], [5e-324], (1, -300), ["4.9e-24 ± 4.9e-24"]),
    ],
)
def test_a_column_shows_two_digits_of_its_intervals(
    values: list[float], halves: list[float], digits: tuple[int, int], texts: list[str]
) -> None:
    found = digits_of(values, halves)
    assert found == Digits(*digits)
    pairs = zip(values, halves, strict=False)
    assert [" ± ".join(found.texts(value, [half])) for value, half in pairs] == texts


def test_small_and_large_numbers_have_a_power_of_ten_in_every_format(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        small = 1e-9 * (1 + seed / 10 + parameters["rate"])
        return [{"small": small, "large": 12000 + 100 * seed + 3 * seed**2}]

    spec = {
        "metrics": {"small": "small", "large": "large"},
        "published": [{"parameters": {"rate": 0.1}, "value": 1.23456e-9, "interval": 1e-10}],
    }
    made = make_of(project, logged, spec)
    half = {heading: interval(made, heading) for heading in ("small", "large")}
    header, _, row, *_ = made.text("md").splitlines()
    assert [cell.strip() for cell in header.split("|")[2:-1]] == [
        "small (×10⁻⁹)",
        "large",
        "n",
        "published (×10⁻⁹)",
    ]
    assert f"  1.15 ± {half['small'] * 1e9:.2f} | 12050 ± {round(half['large'], -1):.0f} |" in row
    assert row.split("|")[-2].strip() == "1.23 ± 0.10"
    tex = made.text("tex")
    assert r"small ($\times$10$^{-9}$)" in tex
    assert rf"$1.15 \pm {half['small'] * 1e9:.2f}$" in tex
    assert made.value["units"] == {"small": "×10⁻⁹"}
    cell = made.value["rows"][0]["cells"]["small"]
    assert (cell["decimals"], cell["exponent"]) == (2, -9)
    assert report_cell(cell) == {"value": "1.15", "interval": f"± {half['small'] * 1e9:.2f}"}
    assert report_published(made.value["rows"][0]["published"]) == {
        "value": "1.23",
        "interval": "± 0.10",
    }
    [first, *_] = csv.DictReader(made.text("csv").splitlines())
    assert float(first["small"]) == cell["value"] == pytest.approx(1.15e-9)


@pytest.mark.parametrize(
    ("percent", "own", "in_percent"),
    [
        (True, {}, ["accuracy"]),
        (False, {"accuracy": {"percent": True}}, ["accuracy"]),
        (True, {"accuracy": {"percent": False}}, []),
        (True, {"error": {"percent": True}}, ["accuracy", "error"]),
        (True, {"error": {"range": [0, 1]}}, ["accuracy", "error"]),
        (True, {"accuracy": {"range": [0, None]}}, []),
        (False, {}, []),
    ],
)
def test_percent_is_for_fractions_and_never_for_a_loss(
    project: Project, percent: bool, own: dict[str, Any], in_percent: list[str]
) -> None:
    """Of several metrics, an entry's `percent` isn't for a loss above 1, nor for one below it."""
    logged = {"accuracy": 0.9, "error": 0.1, "loss": 1.757, "small": 0.17}
    metrics: dict[str, Any] = {name: {"name": name} | own.get(name, {}) for name in logged}
    for name in ("error", "small"):
        metrics[name]["goal"] = "minimize"
    spec = {"metrics": metrics, "percent": percent}
    made = make_of(
        project,
        lambda parameters, seed: [{name: each + seed * 1e-3 for name, each in logged.items()}],
        spec,
    )
    cells = made.value["rows"][0]["cells"]
    for name, value in logged.items():
        scale = 100 if name in in_percent else 1
        assert cells[name]["value"] == pytest.approx(scale * (value + 0.0005))
    assert made.value["units"] == dict.fromkeys(in_percent, "%")
    header = made.text("md").splitlines()[0]
    assert [name for name in logged if f"{name} (%)" in header] == in_percent
    assert [name for name in logged if rf"{name} (\%)" in made.text("tex")] == in_percent
    assert (f"In %: {', '.join(in_percent)}." in made.note) == bool(in_percent)


def test_the_interval_of_a_declared_range_stays_in_it(project: Project) -> None:
    metrics = {"accuracy": {"name": "val/accuracy", "range": [0, 1], "goal": "maximize"}}
    values = {0.1: [0.99, 0.97, 1.0, 0.94], 0.2: [0.7, 0.72, 0.71, 0.73]}
    spec = {"metrics": metrics | {"plain": "val/accuracy"}, "percent": True}
    made = make(project, values, spec)
    cells = {heading: made.cells(heading)["rate=0.1"] for heading in ("accuracy", "plain")}
    assert cells["accuracy"]["high"] < 100 < cells["plain"]["high"]
    row = made.text("md").splitlines()[2]
    assert f"**97.5** [{cells['accuracy']['low']:.1f}, {cells['accuracy']['high']:.1f}]" in row
    assert "**97.5** ± " in row
    assert (
        "Mean in % ± half the 95 % interval or [95 % interval] over n seeds "
        "(Student's t on the logit scale or Student's t)."
    ) in made.note


@pytest.mark.parametrize(
    ("bounds", "words"), [([0, 1], "0 to 1"), ([None, 1], "up to 1"), ([0.6, None], "from 0.6")]
)
def test_values_outside_a_declared_range_are_named(
    project: Project, bounds: list[float | None], words: str
) -> None:
    metrics = {"accuracy": {"name": "val/accuracy", "range": bounds, "goal": "maximize"}}
    values = {0.1: [0.99, 0.97, 1.2, 0.94], 0.2: [0.7, 0.5, 0.71, 0.73]}
    made = make(project, values, {"metrics": metrics | {"plain": "val/accuracy"}})
    seen = 0.5 if bounds[0] == 0.6 else 1.2
    run = next(
        path.parent.name
        for path in sorted((project.path / "results/runs").glob("*/metrics_history.csv"))
        if f"{seen}" in path.read_text()
    )
    assert (
        f"Outside the declared range {words}: accuracy of 1 run, such as {seen} of {run}. Intervals"
        " with such values ignore the range; correct the metric or its `range`."
    ) in made.note
    assert "plain of 1 run" not in made.note
    inside = make(project, {0.1: [0.99, 0.97], 0.2: [0.7, 0.71]}, {"metrics": metrics})
    assert "Outside" not in inside.note


def test_the_best_that_others_are_compared_with_is_the_one_that_was_chosen(
    project: Project,
) -> None:
    """Another one equals it on the seeds that it kept, which aren't those of the third."""
    lost = [None] * 3
    values = {
        0.1: [0.90, 0.91, 0.92, 0.80, 0.82, 0.84],
        0.2: [*lost, 0.80, 0.82, 0.84],
        0.3: [0.50, 0.52, 0.51, *lost],
    }
    made = make(project, values)
    assert made.marks()[:2] == ["best", "best"]
    assert "rate=0.3 (accuracy) on 3" in made.note


def test_a_deviation_is_shown_where_ties_leave_no_interval(project: Project) -> None:
    values = {0.1: [0.98, *[0.99] * 8], 0.2: [0.5] * 9, 0.3: [0.7, *[None] * 8]}
    made = make(project, values, SPEC | {"spread": "std"}, statistic="median")
    cells = made.cells()
    assert cells["rate=0.1"]["low"] is None
    assert cells["rate=0.1"]["spread"] == pytest.approx([np.std(values[0.1], ddof=1)])
    assert (cells["rate=0.2"]["spread"], cells["rate=0.3"]["spread"]) == ([], [])


def test_columns_without_a_goal_are_named(project: Project) -> None:
    """Their unmarked cells aren't worse."""
    metrics = {"accuracy": {"name": "val/accuracy", "goal": "maximize"}, "loss": "val/loss"}
    said = "Without marks, as no goal says which values are better or none is better: loss."
    assert said in make(project, three_kinds(8), {"metrics": metrics}).note
    assert "Without marks" not in make(project, three_kinds(8)).note


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("wilcoxon", "The Wilcoxon test compares ranks of differences, not medians."),
        ("permutation", "The test of unpaired runs compares means, not medians."),
    ],
)
def test_a_test_that_compares_another_statistic_says_so(
    project: Project, test: str, said: str
) -> None:
    values = {0.1: [0.50, 0.52, 0.54, 0.51], 0.2: [0.4, 0.43, 0.41, 0.45]}
    assert said in make(project, values, statistic="median", test=test).note


def test_a_single_run_is_never_bold(project: Project) -> None:
    made = make(project, {0.1: [0.9, None, None], 0.2: [0.5, 0.6, 0.7]})
    assert made.marks()[0] is None
    assert "**" not in made.text("md") and "mathbf" not in made.text("tex")
    assert (
        "The best, but not bold, as a single run shows no noise: rate=0.1 (accuracy)." in made.note
    )


def test_what_no_p_accounts_for_is_said_under_the_table(project: Project) -> None:
    """A metric that chose itself or by the test set, tests of means, seeds added after a look."""
    chosen = {
        "itself": {"name": "val/accuracy", "best_by": {"name": "val/accuracy", "goal": "maximize"}},
        "test": {"name": "val/accuracy", "best_by": {"name": "test/acc", "goal": "maximize"}},
        "fair": {"name": "val/accuracy", "best_by": {"name": "val/loss", "goal": "minimize"}},
    }
    metrics = {name: {**metric, "goal": "maximize"} for name, metric in chosen.items()}

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        value = parameters["rate"] + seed / 100
        return [{"val/accuracy": value, "val/loss": -value, "test/acc": value}]

    made = make_of(project, logged, {"metrics": metrics}, statistic="iqm")
    biased = "and so better than what new data would give."
    assert f"itself is the best of each run's steps by itself, {biased}" in made.note
    assert f"test is taken at the best test/acc, which is a test result, {biased}" in made.note
    assert "fair is" not in made.note
    assert "The sign-flip test compares interquartile means, as shown." in made.note
    assert "compares means" not in made.note
    assert "Added after" not in made.note
    late = [path for path in project.runs if read_json(path / "params.json")["seed"] == 1]
    for path in late:
        record = Train.read(path / "train.json")
        [first] = record.attempts
        shown = replace(first, shown_before=("tables/t", "claims/c"))
        replace(record, attempts=(shown,)).write(path / "train.json")
    assert (
        "Added after tables/t, claims/c had shown other seeds of rate=0.1, rate=0.2: seed 1. No p "
        "accounts for that; test new seeds alone." in make_again(project).note
    )


def interval(made: Any, heading: str) -> float:
    """Half the width of the first row's interval."""
    cell = made.value["rows"][0]["cells"][heading]
    width: float = cell["high"] - cell["low"]
    return width / 2


def test_each_column_has_the_digits_that_it_needs(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        return [{"loss": 0.001 * parameters["rate"] + seed * 1e-5, "size": 120 + 10 * seed}]

    made = make_of(project, logged, {"metrics": {"loss": "loss", "size": "size"}})
    cells = made.value["rows"][0]["cells"]
    assert {heading: cell["decimals"] for heading, cell in cells.items()} == {"loss": 6, "size": 0}


def test_a_run_that_has_diverged_has_no_value_there(project: Project) -> None:
    """Nor that of the last step at which it hadn't yet."""
    losses = [0.9, 0.4, float("nan"), float("inf")]
    rows = [{"loss": loss, "val": step} for step, loss in enumerate(losses)]
    metrics = {
        "at 1": {"name": "loss", "at": 1},
        "at 3": {"name": "loss", "at": 3},
        "chosen": {"name": "loss", "best_by": {"name": "val", "goal": "maximize"}},
    }
    made = make_of(project, lambda parameters, seed: rows, {"metrics": metrics})

    cells = made.value["rows"][0]["cells"]
    assert {heading: cell["value"] for heading, cell in cells.items()} == {"at 1": 0.4}


def test_where_all_runs_have_diverged_the_table_says_so(project: Project) -> None:
    made = make(project, {0.1: [float("nan")] * 2, 0.2: [float("inf"), float("nan")]})
    assert "Finished without a finite number and left out: 4 (accuracy)." in made.note


def test_what_is_no_number_is_refused(project: Project) -> None:
    rows: list[dict[str, Any]] = [{"word": "yes"}, {"late": 3}]
    late = {"name": "late", "at": 0}
    for metric, message in (
        ("word", "'word' in its summary"),
        (late, "'late' at step 0 or before"),
    ):
        made = make_of(project, lambda *_: rows, {"metrics": {"accuracy": metric}})
        assert made.value["error"].endswith(f" no finished run has a number of metric {message}")


def test_trials_that_were_skipped_are_no_runs(tmp_path: Path) -> None:
    results = []
    for state in ("finished", "skipped"):
        folder = RunFolder(tmp_path / state)
        summary("r", experiment="toy", variant="t0", seed=0, state=state).write(folder.summary_json)
        results.append(Result(RunRecord(folder), {}))
    finished, skipped = results
    [variant] = by_variant([finished, skipped], Methods())
    assert (variant.results, variant.failed) == ((finished,), 0)
    assert by_variant([skipped], Methods()) == []


def test_runs_that_diverged_are_counted_apart_from_those_that_failed(project: Project) -> None:
    made = make(project, {0.1: [0.5, float("nan"), 0.7], 0.2: [None, 0.4, 0.5]})

    assert [cell["n"] for cell in made.cells().values()] == [2, 2]
    assert "Failed and left out: 1 of 6 runs." in made.note
    assert "Finished without a finite number and left out: 1 (accuracy)." in made.note


def test_a_value_that_a_program_used_other_than_planned_is_noted(project: Project) -> None:
    made = make(project, {0.1: [0.9, 0.8, 0.7], 0.2: [0.1, 0.2, 0.3]})
    assert "planned" not in made.note
    (first, second, *_) = [path for path in project.runs if read_rate(path) == 0.1]
    changed = {"rate": {"planned": 0.1, "used": 0.05}}
    for path in (first, second):
        manifest = {"run": path.name, "files": {}, "changed_parameters": changed}
        write_json(path / "manifest.json", manifest)
    assert (
        "Used in place of the planned value: rate 0.05 for 0.1 (2 runs of rate=0.1)."
        in make_again(project).note
    )


def read_rate(run: Path) -> float:
    rate: float = read_json(run / "params.json")["parameters"]["rate"]
    return rate


def test_only_the_variants_that_are_named_are_read(project: Project) -> None:
    values = {0.1: [0.5, 0.6], 0.2: [0.6, 0.7], 0.3: [0.7, 0.8]}
    spec = SPEC | {"variants": [{"rate": 0.1}, {"rate": 0.3}]}
    made = make(project, values, spec)
    assert [row["labels"] for row in made.value["rows"]] == [[0.1], [0.3]]

    shown = {run for row in made.value["rows"] for run in row["cells"]["accuracy"]["runs"]}
    assert len(shown) == 4
    for run in project.runs:
        if run.name not in shown:
            shutil.rmtree(run)
    before = made.text("json")
    assert make_again(project).text("json") == before


def test_csv_and_json_have_the_numbers_unrounded_and_their_runs(project: Project) -> None:
    values = {0.1: [0.501, 0.512, 0.523], 0.2: [0.4, None, None]}
    made = make(project, values)
    rows = list(csv.DictReader(made.text("csv").splitlines()))
    cells = made.cells()

    for row, (rate, column) in zip(rows, values.items(), strict=True):
        found = [value for value in column if value is not None]
        cell = cells[f"rate={rate}"]
        assert float(row["accuracy"]) == cell["value"] == pytest.approx(np.mean(found))
        assert int(row["accuracy (n)"]) == cell["n"] == len(found)
        assert row["accuracy (mark)"] == (cell["mark"] or "")
        assert int(row["failed"]) == len(column) - len(found)
        for name, end in (("low", 0), ("high", 1)):
            if len(found) > 1:
                known = stats.t.interval(0.95, 2, np.mean(found), stats.sem(found))[end]
                assert float(row[f"accuracy ({name})"]) == cell[name] == pytest.approx(known)
            else:
                assert row[f"accuracy ({name})"] == "" and cell[name] is None
    runs = {
        (run / "run.json"): json.loads((run / "run_summary.json").read_text())
        for run in project.runs
    }
    finished = {path.parent.name for path, run in runs.items() if run["state"] == "finished"}
    assert {run for cell in cells.values() for run in cell["runs"]} == finished


@pytest.mark.parametrize("statistics", [{}, {"statistic": "iqm", "interval": "bca"}])
def test_the_same_runs_give_the_same_bytes(project: Project, statistics: dict[str, str]) -> None:
    made = make(project, three_kinds(5), resamples=200, **statistics)
    before = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    shutil.rmtree(made.folder)
    make_again(project)

    assert set(before) == {"t.csv", "t.md", "t.tex", "t.json"}
    assert before == {path.name: path.read_bytes() for path in made.folder.iterdir()}


def test_a_table_of_failed_runs_only_is_a_table_all_the_same(project: Project) -> None:
    made = make(project, {0.1: [None, None], 0.2: [None, None]})

    assert "Failed and left out: 4 of 4 runs." in made.note
    assert made.text("csv").count("\n") == 3


def test_a_single_variant_is_called_by_its_name(project: Project) -> None:
    made = make(project, {0.1: [0.5, 0.6]})

    assert made.value["label_names"] == ["variant"]
    assert made.value["rows"][0]["labels"] == ["rate=0.1"]
    assert made.marks() == [None]


def test_a_parameter_may_be_called_like_what_an_experiment_says(project: Project) -> None:
    matrix = {"rate": [0.1], "baseline": [True, False]}
    project.change(
        "experiments/toy.yaml", matrix=matrix, seeds=[0, 1], hypothesis="x", baseline=None
    )
    made = make_of(project, logs({0.1: [0.5, 0.6]}))
    assert made.value["label_names"] == ["baseline"]
    assert [row["labels"] for row in made.value["rows"]] == [[True], [False]]


def test_seeds_that_ran_different_code_are_noted(project: Project) -> None:
    def edited(variant: str, seed: int) -> Usage:
        """A module that was edited after seed 0 of the first variant."""
        digest = "old" if (variant, seed) == ("rate=0.1", 0) else "new"
        return Usage(files={"libs/model.py": UsedFile(1, 2, digest)}, python="3.11.7")

    made = make(project, {0.1: [0.5, 0.6], 0.2: [0.7, 0.8]})
    assert "different" not in made.note
    give_usage(project, edited)
    note = make_again(project).note
    assert note.endswith(" Seeds of rate=0.1 ran different code: libs/model.py.")
    group = project.path / "results/groups/g"
    export_group("baseline", sorted((project.path / "results/experiments").iterdir()), group, None)
    rows = csv.DictReader((group / "variants.csv").read_text().splitlines())
    assert {(row["variant"], row["differences"]) for row in rows} == {
        ("rate=0.1", "code: libs/model.py"),
        ("rate=0.2", ""),
    }


def test_rows_that_ran_with_other_files_or_packages_are_noted(project: Project) -> None:
    make(project, {0.1: [0.5, 0.6], 0.2: [0.7, 0.8]})
    give_usage(
        project,
        lambda variant, seed: Usage(
            files={"settings.yaml": UsedFile(1, 2, variant)}, packages={"numpy": variant[-3:]}
        ),
    )
    assert make_again(project).note.endswith(
        " Rows ran different versions of settings.yaml."
        " Runs differ in their environment: numpy 0.1 or 0.2."
    )
