"""The page of `caduceus board` in a real browser, while a real build goes on underneath."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Board, Page
from chromium import Browser
from growing_runs import Results, log_rows, log_system, running
from projects import Project, end_group, start_snakemake, wait_for

HOSTILE = '</script><img src=x onerror="document.title = 1">'
# Logs a row for each gate that opens: a file of the run's seed and the step.
GATED = """\
import argparse
import os
import time
from pathlib import Path

import numpy as np
import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--label")
parser.add_argument("--seed", type=int)
options = parser.parse_args()
gates = Path(os.environ["GATES"])
kind = "hostile" if options.label.startswith("<") else "plain"

run = wandb.init()
for step in range(6):
    while not (gates / f"{kind}{step}").exists():
        time.sleep(0.02)
    pixels = np.full((8, 8, 3), 40 * step, np.uint8)
    picture = wandb.Image(pixels, caption=f"{step} {options.label}")
    run.log({"val/loss": 1 / (step + 1), "samples": picture})
    print("\\n".join(f"line {step}.{place} {options.label}" for place in range(60)), flush=True)
    if kind == "hostile" and step == 1:
        raise ValueError(options.label)
table = wandb.Table(columns=["picture", options.label], data=[[picture, "a cell"]])
run.log({"predictions": table})
run.finish()
"""
PAPER = {
    "tables": {"loss": {"title": HOSTILE, "metrics": {"loss": "val/loss"}, "goal": "minimize"}},
    "claims": {
        "better": {
            "statement": f"Plain is better. {HOSTILE}",
            "compare": {
                "metric": "val/loss",
                "goal": "minimize",
                "better": {"label": "plain"},
                "worse": {"label": HOSTILE},
            },
        }
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project")
    project.write("experiments/train.py", GATED)
    metric = {"name": "val/loss", "goal": "minimize"}
    matrix = {"label": ["plain", HOSTILE]}
    project.change("experiments/toy.yaml", parameters={}, matrix=matrix, seeds=[0], metric=metric)
    project.change("config.yaml", paper=PAPER)
    (project.path / "gates").mkdir()
    return project


@pytest.fixture
def build(project: Project) -> Iterator[int]:
    """The id of `snakemake` at work on the project."""
    process = start_snakemake(project, GATES=str(project.path / "gates"))
    yield process.pid
    end_group(process.pid)
    process.wait()


def test_the_page_follows_a_build(project: Project, build: int, browser: Browser) -> None:
    plain, hostile = "toy label=plain seed=0", f"toy label={HOSTILE} seed=0"

    def open_gates(kind: str, *steps: int) -> None:
        for step in steps:
            (project.path / f"gates/{kind}{step}").touch()

    with Board(project) as board:
        browser.open_address(board.address)
        page = Page(browser)
        open_gates("plain", 0, 1)
        open_gates("hostile", 0)
        for name, progress in ((plain, "step 1"), (hostile, "step 0")):
            browser.wait(lambda name=name, at=progress: page.row(name).get("progress") == at)
            assert page.row(name)["state"] == "▶ running"
        browser.wait(lambda: page.row(plain).get("val/loss", "–") != "–")
        assert float(page.row(plain)["val/loss"]) == 0.5

        # A row that grows keeps the focus of the keyboard.
        browser.run(
            f"""[...document.querySelectorAll("#run-table a")]
                  .find((each) => each.textContent === "{plain}").focus()"""
        )
        open_gates("plain", 2)
        browser.wait(lambda: page.row(plain)["progress"] == "step 2")
        assert browser.driver.switch_to.active_element.text == plain
        known = [[0, 1, 2], pytest.approx([1, 1 / 2, 1 / 3])]
        browser.wait(lambda: known in drawn(browser))
        assert browser.run("return variants.length") == 2  # also if runs came before their plan

        # The run's own page: what it prints is followed until the reader scrolls up.
        browser.driver.switch_to.active_element.click()
        page.wait_for_text("#run-title", plain)
        page.wait_for_text("#console-text", "line 2.59 plain")
        page.wait_for_text("#media-items figcaption", "2 plain")
        browser.wait(
            lambda: (
                browser.run("return document.querySelector('#media-items img').naturalWidth") == 8
            )
        )
        at_end = """const pre = document.querySelector("#console-text");
                    return pre.scrollHeight - pre.scrollTop - pre.clientHeight < 8"""
        browser.wait(lambda: browser.run(at_end))
        browser.run("document.querySelector('#console-text').scrollTop = 40")
        browser.wait(
            lambda: not browser.run("return document.querySelector('#console-follow').checked")
        )
        open_gates("plain", 3)
        page.wait_for_text("#console-text", "line 3.59 plain")
        page.wait_for_text("#media-step-value", "3")
        assert browser.run("return document.querySelector('#console-text').scrollTop") == 40

        # A failure is announced; what it says stays text.
        page.go("#runs")
        open_gates("hostile", 1)
        browser.wait(lambda: page.row(hostile)["state"] == "✕ failed")
        assert f"ValueError: {HOSTILE}" in page.row(hostile)["note"]
        page.wait_for_text("#told", "failed")

        # The whole of a run, once it is there.
        open_gates("plain", 4, 5)
        browser.wait(lambda: page.row(plain)["state"] == "✓ finished")
        browser.wait(lambda: list(range(6)) in [steps for steps, _ in drawn(browser)])
        page.go(f"#run/{run_of(project, 'plain')}")
        page.wait_for_text("#logged-table tbody", "a cell")
        assert browser.texts("#logged-table thead th")[1] == "plain"
        wait_for(lambda: (project.path / "results/paper/claims.json").exists())

        page.go("#compare/" + "/".join(run_of(project, each) for each in ("plain", "<")))
        page.wait_for_text("#compare-count", "values differ")
        assert ["≠", "parameter label", "plain", HOSTILE] in [
            [cell.text for cell in row.find_elements("css selector", "td, th")]
            for row in browser.find("#compare-table tbody tr")
        ]

        page.go("#paper")
        page.wait_for_text("#paper-parts", f"Plain is better. {HOSTILE}")
        page.wait_for_text("#paper-parts .verdict", "not enough runs")
        page.wait_for_text("#paper-parts table", "0.1667")

        assert browser.console() == []
        assert browser.driver.title.endswith("board")
        assert not browser.find("main img[onerror]")
        board.end()
        page.wait_for_text("#connection", "Connection lost")


def test_a_metric_of_the_system_gives_way_until_one_is_chosen(
    project: Project, browser: Browser
) -> None:
    results = Results(project.path)
    results.plan({"r": ("a", 0)})

    def shown(metric: str) -> bool:
        return drawn(browser) != [] and browser.run("return curves.metric") == metric

    with running(results.folder("r")), Board(project) as board:
        log = results.start("r")
        browser.open_address(board.address)
        log_system(log, {"memory": 40.0})
        browser.wait(lambda: shown("system.memory"))
        log_system(log, {"memory": 41.0}, second=2)
        browser.wait(lambda: drawn(browser) == [[[1, 2], [40.0, 41.0]]])
        log_rows(log, [{"acc": 0.5}])
        browser.wait(lambda: shown("acc"))
        log_rows(log, [{"loss": 2.0}], first=1)  # the experiment's
        browser.wait(lambda: shown("loss"))
        assert browser.find("#metric")[0].get_property("value") == "loss"
        assert drawn(browser) == [[[1], [2.0]]]

        browser.run(
            """const menu = document.querySelector("#metric");
               menu.value = "acc";
               menu.dispatchEvent(new Event("change"));"""
        )
        log_rows(log, [{"val/loss": 3.0, "acc": 0.75}], first=2)
        browser.wait(lambda: drawn(browser) == [[[0, 2], [0.5, 0.75]]])
        browser.wait(lambda: browser.run("return 'val/loss' in data.axes"))
        assert shown("acc")


def run_of(project: Project, label: str) -> str:
    """The id of the run whose label begins so."""
    runs = project.read_json("results/experiments/toy.json")["runs"]
    [found] = [run for run, about in runs.items() if about["variant"].startswith(f"label={label}")]
    return str(found)


def drawn(browser: Browser) -> list[list[list[float]]]:
    """The steps and values of each average curve in the chart."""
    found = browser.run(
        """if (!curves.layers.averages) return [];
           const { xs, ys } = curves.layers.averages.source.data;
           return xs.map((each, at) => [[...each], [...ys[at]]]);"""
    )
    assert isinstance(found, list)
    return found
