"""The report: what its page holds, and what it does in a real browser."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from caduceus.io.files import write_json, write_whole
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.packing import thin
from caduceus.paper.report.page import write_page
from caduceus.statistics import estimate_mean
from caduceus.statistics.curves import align, estimate_steps
from caduceus.statistics.estimates import estimate_by
from caduceus.statistics.settings import Methods
from chromium import Browser
from report_data import write_group
from run_files import plan, sweep_plan

METHODS = Methods(resamples=999)
HOSTILE = '</script><script>document.title = "taken"</script><img src=x onerror="alert(1)">'
CELL = {
    "n": 3,
    "value": 93.94,
    "low": 92.74,
    "high": 95.14,
    "std": 0.5,
    "method": "mean, 95 % interval by Student's t",
    "mark": "best",
    "p": None,
    "decimals": 1,
    "runs": ["toy-v0-s0", "toy-v0-s2"],
}
TABLE = {
    "name": "accuracy",
    "title": "Accuracy in %",
    "notes": ["Mean of <b>three</b> seeds."],
    "label_names": ["rate"],
    "headings": ["final", "best"],
    "rows": [
        {
            "labels": [0.1],
            "cells": {"final": CELL, "best": CELL | {"mark": "tied", "low": 90.0, "p": 0.04}},
            "published": None,
        },
        {"labels": ["human"], "cells": {}, "published": {"value": 96, "interval": 0.5}},
    ],
}
CLAIM = {
    "name": "wider",
    "statement": "Wider is better.",
    "verdict": "not enough runs",
    "reason": "With 3 runs p can't be below 0.25; 6 would do.",
    "metric": "val/accuracy",
    "n": 3,
    "effect": 0.031,
    "low": -0.01,
    "high": 0.07,
    "p": 0.25,
    "p_adjusted": 0.25,
    "minimum_p": 0.25,
    "effect_size": None,
    "method": "two-sided sign-flip test by seed",
    "runs": ["toy-v0-s0", "toy-v1-s0"],
}
BY_ITEM = CLAIM | {"name": "items", "by": "seed and item", "verdict": "supported"}
BY_ITEM |= {"n": 20, "items": 200, "clusters": 20, "seeds": [1]}
SWEEP = sweep_plan({"method": "random", "metric": {"name": "val/loss", "goal": "minimize"}})
TRIALS = """\
trial,runs,state,objective,best_so_far,stopped_early,config.rate
0,toy-v0-s0,finished,0.5,0.5,false,0.1
1,toy-v0-s1,finished,0.7,0.5,true,0.3
2,toy-v0-s2,failed,,0.5,false,0.2
3,toy-v1-s0,finished,0.4,0.4,false,0.15
"""


def make_report(sources: Sources, out: Path, title: str = "team/toys") -> Path:
    write_page(read_contents(title, sources, METHODS), out)
    return out


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups of two variants with three seeds, one run of them failed, and a paper."""
    results = tmp_path_factory.mktemp("report") / "results"
    failed = {"state": "failed", "error": HOSTILE, "name": f"toy {HOSTILE}"}
    write_group(results / "groups/baseline", ["rate=0.1", HOSTILE], 3, 40, toy_v0_s1=failed)
    write_group(results / "groups/novel", ["rate=0.1", "rate=0.2"], 3, 40)
    metric = {"name": "val/accuracy", "goal": "maximize"}
    toys = plan({"toy-v0-s0": None}, name="Toys", hypothesis="It helps.", metric=metric)
    toys.write(results / "experiments/toy.json")
    write_json(results / "paper/tables/accuracy.json", TABLE)
    write_whole(results / "paper/figures/bars.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    figure = {"name": "bars", "title": "Bars", "caption": "Three runs.", "runs": ["toy-v0-s0"]}
    write_json(results / "paper/figures/bars.json", figure)
    write_json(results / "paper/claims.json", {"alpha": 0.05, "claims": [CLAIM, BY_ITEM]})
    sweep = results / "sweeps/tune-1"
    SWEEP.write(sweep / "sweep.json")
    write_whole(sweep / "trials.csv", TRIALS)
    write_whole(sweep / "importance.csv", "name,mean,low,high\nrate,0.81,0.7,0.92\n")
    write_whole(
        sweep / "confirmed.csv",
        "trial,of_trial,runs,n,mean,low,high,config.rate\nc4.0,3,toy-v1-s1,1,0.45,,,0.15\n",
    )
    row = {"runs": 12, "failed": 1, "attempts": 13, "wall_hours": 30.5, "cpu_hours": 61.0}
    row |= {"gpu_hours": None, "energy_kwh": None, "shared": 0, "peak_memory_gb": 0.8}
    compute = {
        "experiments": [{"experiment": "toy", "kind": "planned"} | row],
        "total": {"experiment": "total", "kind": None} | row,
    }
    write_json(results / "paper/compute.json", compute)
    check = {"name": "login", "is_ok": False, "evidence": "refused", "mend": "wandb login"}
    write_json(results / "verification.json", {"mode": "online", "checks": [check]})
    return results


def sources_of(results: Path) -> Sources:
    return Sources(
        groups=sorted(results.glob("groups/*/runs.csv")),
        plans=[results / "experiments/toy.json"],
        tables=[results / "paper/tables/accuracy.json"],
        figures=[results / "paper/figures/bars.svg"],
        claims=results / "paper/claims.json",
        sweeps=[results / "sweeps/tune-1/trials.csv"],
        compute=results / "paper/compute.json",
        verification=results / "verification.json",
    )


@pytest.fixture(scope="module")
def page(results: Path) -> Path:
    return make_report(sources_of(results), results / "report/index.html")


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page)
    return browser


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def all_runs_of(results: Path) -> list[dict[str, str]]:
    return [row for path in sorted(results.glob("groups/*/runs.csv")) for row in rows_of(path)]


def curves_of(results: Path, group: str, variant: str, metric: str) -> np.ndarray[Any, Any]:
    """The values (runs, steps) of a variant's finished runs."""
    table = pq.read_table(results / f"groups/{group}/history.parquet").to_pylist()
    failed = {r["run"] for r in rows_of(results / f"groups/{group}/runs.csv") if r["error"]}
    values: dict[str, list[float]] = {}
    for row in table:
        if row["variant"] == variant and row["run"] not in failed:
            values.setdefault(row["run"], []).append(row[metric])
    return np.array(list(values.values()))


def layers(browser: Browser) -> dict[str, int]:
    """How many curves the chart of the learning curves has in each layer."""
    counts = browser.run(
        """const chart = Bokeh.documents.flatMap((document) => document.roots())
             .find((root) => root.renderers.some(({ glyph }) => glyph.type === "Patches"));
           return chart.renderers.map(({ data_source }) => data_source.data.xs.length);"""
    )
    return dict(zip(("bands", "singles", "averages", "chosen"), counts, strict=True))


def shown_range(browser: Browser) -> list[float]:
    return browser.run(
        """const chart = Bokeh.documents.flatMap((document) => document.roots())
             .find((root) => root.renderers.some(({ glyph }) => glyph.type === "Patches"));
           return [chart.x_range.start, chart.x_range.end];"""
    )


def legend(browser: Browser) -> list[list[str]]:
    return [
        [cell.text for cell in row.find_elements("css selector", "th, td")]
        for row in browser.find("#legend tbody tr:not(.level)")
    ]


def test_thinning_keeps_the_ends_and_every_extreme() -> None:
    values = np.random.default_rng(0).normal(size=(2, 5000))
    places = thin(values, 200)
    assert list(places) == sorted(set(places))
    assert len(places) <= 300
    assert {0, 4999, *values.argmin(axis=1), *values.argmax(axis=1)} <= set(places)
    for start in range(0, 5000, 100):
        stretch = values[0, start : start + 100]
        kept = [place for place in places if start <= place < start + 100]
        assert start + stretch.argmin() in kept
        assert start + stretch.argmax() in kept


def test_a_short_curve_is_drawn_whole() -> None:
    assert list(thin(np.zeros((1, 7)), 7)) == list(range(7))


@pytest.mark.parametrize("interval", [None, "bootstrap"])
@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_a_curve_is_the_statistic_of_its_runs_at_each_step(
    statistic: str, interval: str | None
) -> None:
    values = np.random.default_rng(1).normal(size=(7, 4))
    values[:, 2] = 0.5  # runs that agree
    how = replace(METHODS, statistic=statistic, interval=interval)
    n, value, low, high = estimate_steps(values, how)
    for step in range(4):
        known = estimate_by(how, values[:, step])
        # Runs that agree have no interval: there the band is as narrow as the line.
        ends = (0.5, 0.5) if step == 2 else (known.low, known.high)
        found = (n[step], value[step], low[step], high[step])
        assert found == pytest.approx((known.n, known.value, *ends))


def test_runs_that_log_at_different_steps_are_straight_between_them() -> None:
    steps, values = align(
        [(np.array([0.0, 10.0]), np.array([0.0, 1.0])), (np.array([5.0]), np.array([3.0]))]
    )
    assert list(steps) == [0, 5, 10]
    assert values[0].tolist() == [0, 0.5, 1]
    assert np.isnan(values[1]).tolist() == [True, False, True]


def test_the_same_results_give_the_same_bytes(results: Path, page: Path, tmp_path: Path) -> None:
    again = make_report(sources_of(results), tmp_path / "index.html")
    assert again.read_bytes() == page.read_bytes()


def test_a_report_needs_no_more_than_groups(
    results: Path, browser: Browser, tmp_path: Path
) -> None:
    groups = Sources([results / "groups/novel/runs.csv"])
    browser.open(make_report(groups, tmp_path / "index.html"))
    assert browser.console() == []
    assert browser.texts("nav a") == ["Overview", "Learning curves", "Runs"]


def test_a_run_of_a_whole_project_is_a_variant_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "results/projects/team/toys/groups/loose"
    loose = {"experiment": None, "variant": None}
    write_group(folder, ["a"], 2, 5, toy_v0_s0=loose, toy_v0_s1=loose | {"error": "x"})
    found = read_contents("", Sources([folder / "runs.csv"]), METHODS)
    assert found["groups"] == ["team/toys/loose"]
    variants = json.loads(found["blocks"]["first"]["variants"])
    assert variants["name"] == ["toy a seed=0", "toy a seed=1"]


def test_the_page_opens_without_a_network_and_without_a_complaint(opened: Browser) -> None:
    asked = [url for url in opened.requests() if not url.startswith("data:")]
    assert asked == [opened.driver.current_url]
    assert opened.console() == []


def test_the_page_may_load_nothing_and_run_nothing_but_its_own(opened: Browser) -> None:
    opened.run(
        """const script = document.createElement("script");
           script.textContent = "document.title = 'taken'";
           const image = new Image();
           image.src = "https://example.org/x.png";
           document.body.append(script, image);"""
    )
    opened.wait(lambda: opened.run("return document.images[document.images.length - 1].complete"))
    refused = " ".join(opened.console())
    assert "script-src" in refused
    assert "img-src" in refused
    assert opened.driver.title == "team/toys · report"


def test_nothing_that_users_write_becomes_markup(opened: Browser) -> None:
    assert opened.driver.title == "team/toys · report"
    assert opened.find("#runs img, #failures img, #legend img, #run-table script") == []
    assert f"toy {HOSTILE}" in opened.texts("#run-table .link")
    assert opened.texts("#failures td") == [HOSTILE]
    assert any(HOSTILE in text for text in opened.texts("#legend label"))


def test_the_table_has_the_numbers_of_the_runs(opened: Browser, results: Path) -> None:
    runs = [
        row
        for group in ("baseline", "novel")
        for row in rows_of(results / f"groups/{group}/runs.csv")
    ]
    names = opened.texts("#run-table .link")
    assert names == [row["name"] for row in runs]
    head = opened.texts("#run-table thead th")
    place = head.index("val/accuracy")
    for row, known in zip(opened.find("#run-table tbody tr"), runs, strict=True):
        cells = [cell.text for cell in row.find_elements("css selector", "td")]
        assert float(cells[place]) == pytest.approx(float(known["summary.val/accuracy"]), abs=5e-5)
        assert cells[head.index("seed")] == known["seed"]


def test_the_table_sorts_filters_and_follows_links(opened: Browser, results: Path) -> None:
    runs = [
        row
        for group in ("baseline", "novel")
        for row in rows_of(results / f"groups/{group}/runs.csv")
    ]
    accuracies = sorted(float(row["summary.val/accuracy"]) for row in runs)
    [head] = [each for each in opened.find("#run-table .sort") if each.text == "val/accuracy"]
    place = opened.texts("#run-table thead th").index("val/accuracy") + 1
    column = f"#run-table tbody td:nth-child({place})"
    head.click()
    assert [float(text) for text in opened.texts(column)] == pytest.approx(accuracies, abs=5e-5)
    opened.driver.switch_to.active_element.click()  # the focus is where it was
    assert [float(text) for text in opened.texts(column)] == pytest.approx(
        accuracies[::-1], abs=5e-5
    )

    # The runs of variant 1 have the parameter rate = 0.01, whatever their names say.
    for query, count in {
        "NOVEL =0.2": 3,
        "rate=1e-2": 6,
        "rate<=0.01 seed!=0": 4,
        "rate=0.2": 0,
    }.items():
        opened.find("#run-filter")[0].clear()
        opened.find("#run-filter")[0].send_keys(query)
        assert opened.texts("#run-count") == [f"{count} of 12 runs"]
    opened.find("#run-filter")[0].clear()
    opened.find("#run-grouping")[0].send_keys("rate")
    assert opened.texts("#run-table .level") == [
        "rate 0.01: 6 finished",
        "rate 0.1: 5 finished, 1 failed",
    ]
    opened.find("#run-grouping")[0].send_keys("nothing")
    opened.click("#run-state option", 2)
    assert opened.texts("#run-count") == ["1 of 12 runs"]
    opened.click("#run-table .link")
    assert f"error\n{HOSTILE}" in opened.texts("#run-table .details")[0]

    opened.click(".claim a")
    assert opened.texts("#run-count")[0].startswith("4 of 12 runs")


def test_the_legend_reads_the_curves_off_at_any_step(opened: Browser, results: Path) -> None:
    def known(group: str, variant: str, step: int) -> list[float]:
        found = estimate_mean(curves_of(results, group, variant, "val/accuracy")[:, step])
        return [found.value, found.low, found.high, found.n]

    shown = [
        ("baseline", "rate=0.1"),
        ("baseline", HOSTILE),
        ("novel", "rate=0.1"),
        ("novel", "rate=0.2"),
    ]
    slider = opened.find("#step")[0]
    for keys, step in ((None, 39), ("\ue010\ue012\ue012", 37), ("\ue011\ue014", 1)):
        if keys:
            slider.send_keys(keys)
        assert opened.texts("#step-value") == [str(10 * step)]
        opened.run("return new Promise(requestAnimationFrame)")
        for (_, value, interval, n), variant in zip(legend(opened), shown, strict=True):
            low, high = json.loads(interval)
            numbers = [float(value), low, high, float(n)]
            assert numbers == pytest.approx(known(*variant, step), abs=5e-5), (step, variant)


def test_curves_are_hidden_by_variant_and_by_group(opened: Browser) -> None:
    assert layers(opened) == {"bands": 4, "singles": 0, "averages": 4, "chosen": 0}
    opened.click("#legend tr:not(.level) input")
    assert layers(opened)["averages"] == 3
    opened.click("#legend .level input", 1)
    assert layers(opened)["averages"] == 1
    assert opened.texts("#variant-count") == ["1 of 4 shown"]
    opened.find("#variant-filter")[0].send_keys("novel 0.2")
    opened.click("#show-all")
    assert opened.texts("#variant-count") == ["2 of 4 shown"]


def test_single_runs_are_drawn_when_they_are_asked_for(opened: Browser) -> None:
    opened.click("#singles")
    opened.wait(lambda: layers(opened)["singles"] == 12)
    opened.click("#singles")
    opened.wait(lambda: layers(opened)["singles"] == 0)
    opened.click("#run-table input", 1)
    opened.wait(lambda: layers(opened)["chosen"] == 1)
    assert opened.console() == []


def test_the_mouse_reads_off_zooms_and_moves_along(opened: Browser) -> None:
    [chart] = opened.find("#curve-chart")
    opened.point(chart, -100, 0).perform()
    opened.wait(lambda: opened.texts("#step-value") != ["390"])
    assert 100 < int(opened.texts("#step-value")[0]) < 200

    whole = shown_range(opened)
    opened.point(chart, -100, -100).click_and_hold().move_by_offset(150, 150).release().perform()
    opened.wait(lambda: shown_range(opened) != whole)
    start, end = shown_range(opened)
    assert whole[0] < start < end < whole[1]
    opened.click("#later")
    assert shown_range(opened) == pytest.approx([(start + end) / 2, end + (end - start) / 2])
    opened.click("#earlier")
    assert shown_range(opened) == pytest.approx([start, end])
    opened.click("#zoom-out")
    assert shown_range(opened)[1] - shown_range(opened)[0] == pytest.approx(2 * (end - start))
    opened.click("#zoom-reset")
    opened.wait(lambda: shown_range(opened) == pytest.approx(whole))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 240 runs of 120 variants, whose curves are more than a chunk."""
    folder = tmp_path_factory.mktemp("many") / "results/groups/baseline"
    write_group(folder, [f"width={place}" for place in range(120)], 2, 200)
    return make_report(Sources([folder / "runs.csv"]), folder.parents[1] / "report/index.html")


def test_variants_are_ordered_by_their_values(opened: Browser) -> None:
    planned = [row[0] for row in legend(opened)]
    for order, sign in (("descending", -1), ("ascending", 1)):
        opened.click("#legend .sort")
        [head] = opened.find("#legend th[aria-sort]")
        assert head.get_attribute("aria-sort") == order
        assert opened.driver.switch_to.active_element.text.startswith("value")
        values = [float(row[1]) for row in legend(opened)]
        for group in (values[:2], values[2:]):
            assert group == sorted(group, key=lambda value: sign * value)
    opened.click("#legend .sort")
    assert [row[0] for row in legend(opened)] == planned
    assert opened.console() == []


def test_many_runs_and_variants_are_shown_a_page_at_a_time(browser: Browser, many: Path) -> None:
    def first_run() -> str:
        return browser.texts("#run-table .link")[0]

    def press(where: str, name: str) -> None:
        [place] = [at for at, text in enumerate(browser.texts(f"#{where} button")) if text == name]
        browser.click(f"#{where} button", place)

    browser.open(many)
    assert len(browser.find("#run-table tbody tr")) == 50
    assert browser.find("#run-table")[0].get_attribute("aria-rowcount") == "241"
    assert "1 to 50 of 240" in browser.texts("#run-pages")[0]
    press("run-pages", "Last")
    assert first_run() == "toy width=100 seed=0"
    assert len(browser.find("#run-table tbody tr")) == 40
    [row] = browser.find("#run-table tbody tr:first-child")
    assert row.get_attribute("aria-rowindex") == "202"
    press("run-pages", "Next")  # there is no next page, and the button keeps the focus
    assert first_run() == "toy width=100 seed=0"
    assert browser.driver.switch_to.active_element.text == "Next"
    browser.click("#run-table .sort")
    assert first_run() == "toy width=0 seed=0"
    browser.click("#run-pages option", 1)
    assert len(browser.find("#run-table tbody tr")) == 200
    browser.find("#run-filter")[0].send_keys("width=77 seed=1")
    assert browser.texts("#run-count") == ["1 of 240 runs"]
    assert not browser.find("#run-pages")[0].is_displayed()

    assert len(legend(browser)) == 100
    press("legend-pages", "Next")
    assert [row[0] for row in legend(browser)] == [f"width={place}" for place in range(100, 120)]
    browser.find("#variant-filter")[0].send_keys("width=119")
    assert [row[0] for row in legend(browser)] == ["width=119"]
    browser.find("#variant-filter")[0].clear()
    browser.click("#show-all")
    browser.wait(lambda: layers(browser)["averages"] == 120)
    assert layers(browser)["bands"] == 0
    assert browser.console() == []


def test_curves_of_every_chunk_are_drawn_as_logged(browser: Browser, many: Path) -> None:
    browser.open(many)
    assert len(browser.find("script[id^='singles-1-0-']")) > 1
    browser.find("#run-filter")[0].send_keys("width=119 seed=1")
    browser.click("#run-table input")
    browser.wait(lambda: layers(browser)["chosen"] == 1)
    drawn = browser.run(
        """const chart = Bokeh.documents.flatMap((document) => document.roots())
             .find((root) => root.renderers.some(({ glyph }) => glyph.type === "Patches"));
           const { xs, ys } = chart.renderers[3].data_source.data;
           return [[...xs[0]], [...ys[0]]];"""
    )
    history = pq.read_table(many.parents[1] / "groups/baseline/history.parquet").to_pylist()
    rows = [row for row in history if row["run"] == "toy-v119-s1"]
    assert drawn[0] == [row["_step"] for row in rows]
    assert drawn[1] == pytest.approx([row["val/accuracy"] for row in rows], rel=1e-6)


def test_lines_are_smoothed_and_the_table_has_what_was_logged(
    opened: Browser, results: Path
) -> None:
    before = legend(opened)
    opened.run(
        """const slider = document.querySelector("#smoothing");
           slider.value = 0.9;
           slider.dispatchEvent(new Event("input"));"""
    )
    logged = curves_of(results, "baseline", "rate=0.1", "val/accuracy").mean(axis=0)
    weights = 0.9 ** np.arange(len(logged))
    places = range(len(logged))
    known = [weights[: at + 1][::-1] @ logged[: at + 1] / weights[: at + 1].sum() for at in places]

    def drawn() -> list[float]:
        return opened.run(
            """const chart = Bokeh.documents.flatMap((document) => document.roots())
                 .find((root) => root.renderers.some(({ glyph }) => glyph.type === "Patches"));
               return [...chart.renderers[2].data_source.data.ys[0]];"""
        )

    opened.wait(lambda: drawn() == pytest.approx(known, rel=1e-5))
    assert opened.texts("#smoothing-value") == ["0.9"]
    assert legend(opened) == before


def test_another_metric_and_a_logarithmic_axis_are_drawn(opened: Browser) -> None:
    before = legend(opened)
    opened.click("#metric option")
    opened.click("#log")
    opened.wait(lambda: legend(opened) != before)
    assert opened.console() == []


def test_the_paper_stands_in_the_page(opened: Browser) -> None:
    assert opened.texts("#tables tbody tr") == [
        "0.1 93.9 ± 1.2 93.9 [90.0, 95.1]† 2 –",
        "human – – – 96 ± 0.5",
    ]
    assert opened.texts("#tables strong") == ["93.9"]
    assert "Mean of <b>three</b> seeds." in opened.texts("#tables .note")
    assert opened.run("return document.querySelector('#figures img').naturalWidth") > 0
    assert opened.texts("#figures figcaption")[0].startswith("Bars. Three runs.")
    assert opened.texts(".claim .verdict") == ["… not enough runs", "✓ supported"]
    claim, by_item = (" ".join(text.split()) for text in opened.texts(".claim dl"))
    assert "0.031 [−0.01, 0.07]" in claim
    assert "n 3 effect" in claim
    assert "tested by seed and item runs 2 test items 200 in 20 clusters effect" in by_item


def test_sweeps_compute_verification_and_failures_stand_in_the_page(opened: Browser) -> None:
    assert opened.texts("#sweeps p")[0] == (
        "random, minimize val/loss: 4 trials, 1 failed, 1 stopped early."
    )
    tables = [
        [row.text for row in table.find_elements("css selector", "tbody tr")]
        for table in opened.find("#sweeps table")
    ]
    assert tables == [
        ["rate 81 % 70 to 92 %"],
        ["3 1 0.45 – 0.15"],
        ["3 0.4 0.15", "0 0.5 0.1", "1 0.7 yes 0.3"],
    ]
    assert opened.texts("#compute tbody tr") == [
        "toy planned 12 1 13 30.5 61 – – 0.8",
        "total 12 1 13 30.5 61 – – 0.8",
    ]
    assert opened.texts("#verification tr") == ["✕ failed login refused\nwandb login"]
    assert opened.texts("#overview dd") == ["12", "1", "4", "2", "30.5 h"]
