"""Ledgers of tries on the board and in the report, in a real browser, by the real gate."""

import shutil
from pathlib import Path

import pytest
from boards import Board, Page
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.page import write_page
from caduceus.runs.files.tries import LedgerFolder
from caduceus.statistics.settings import Methods
from caduceus.system.leases import held
from chromium import Browser
from report_data import write_group
from selenium.webdriver.common.keys import Keys
from tried_edits import KilledError, TriedProject

HOSTILE = '</script><img src=x onerror="document.title = 1"> \u202eback\x1b[31m'
ROWS = """return [...document.querySelectorAll(".try-table tbody tr[data-try]")].map((row) =>
            [...row.cells].slice(0, 3).map((cell) => cell.textContent.trim()))"""
CHARTS = "return document.querySelectorAll('.try-chart:not([hidden]) .bk-Figure').length"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> TriedProject:
    """A project with a discarded, a kept and a refused try, and a fourth one that was killed."""
    path = tmp_path_factory.mktemp("tries") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)  # no power cut is tested here
        tried = TriedProject.create(path)
        patch.chdir(path)
        tried.build()
        tried.project.write("held.csv", "1\n")
        settings = {
            "experiment": "experiments/toy.yaml",
            "protected": ["held.csv"],
            "holdout": {"parameters": {"split": "holdout"}, "metric": "held"},
        }
        tried.project.write_yaml("experiments/toy.try.yaml", settings)
        tried.edit(GAIN=-0.02)
        assert tried.attempt(HOSTILE).verdict == "discarded"
        tried.edit(GAIN=0.05)
        assert tried.attempt("a wider layer").verdict == "kept"
        tried.project.write("held.csv", "2\n")
        tried.edit(GAIN=0.3)
        assert tried.attempt("more data").verdict == "refused"
        tried.project.write("held.csv", "1\n")
        tried.edit(GAIN=0.1)
        tried.kill_after = len(tried.trained) + 8
        with pytest.raises(KilledError):
            tried.attempt("a wider one still")
        tried.kill_after = None
    return tried


def test_the_board_follows_a_try(
    tried: TriedProject, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tried.project.path
    monkeypatch.chdir(path)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    tries = path / "results/tries"
    with Board(tried.project) as board:
        browser.open_address(board.address)
        page = Page(browser)
        page.go("#tries")
        page.wait_for_text(".try-now h4", "Interrupted: try 4")
        shown = '</script><img src=x onerror="document.title = 1"> \\u202eback\\x1b[31m'
        assert browser.run(ROWS) == [
            ["4", "a wider one still", "‖ interrupted"],
            ["3", "more data", "⊘ refused"],
            ["2", "a wider layer", "✓ kept"],
            ["1", shown, "✕ discarded"],
        ]
        browser.wait(lambda: browser.run(CHARTS) == 2)
        numbers = browser.run(
            "return [...document.querySelector('[data-try=\"4\"]').cells].slice(3, 8)"
            ".map((cell) => cell.textContent)"
        )
        assert numbers == [""] * 5  # a running try has none

        # What runs now, and then its verdict.
        with held(tries / "lease.json", tries / "lock", None):
            page.wait_for_text(".try-now h4", "Now: try 4")
            assert "pairs are there; it is decided after" in page.text(".try-now")
        browser.run("document.querySelector('[data-try=\"2\"] button').focus()")
        assert tried.attempt("a wider one still").verdict == "kept"
        browser.wait(lambda: browser.run(ROWS)[0] == ["4", "a wider one still", "✓ kept"])
        browser.wait(lambda: not page.text(".try-now"))
        page.wait_for_text("#told", "try 4: kept")
        page.wait_for_text("[aria-label='Incumbents'] tbody th", "try 4, present")
        page.wait_for_text(".ledger dl", "2 times")

        # The edit on demand, by the keyboard, which has kept its place.
        focused = browser.driver.switch_to.active_element
        assert focused.text == "a wider layer"
        focused.send_keys(Keys.ENTER)
        page.wait_for_text("pre.diff .added", "+GAIN = 0.05")
        assert page.text("pre.diff .removed") == "-GAIN = 0.0\n"
        assert focused.get_attribute("aria-expanded") == "true"
        assert len(browser.find(".try-runs a")) > 10
        focused.send_keys(Keys.ENTER)
        assert not browser.find("pre.diff")

        # Filter and sort as in the table of runs.
        search = browser.find(".ledger input[type=search]")[0]
        search.send_keys("effect>0.01")
        assert [row[0] for row in browser.run(ROWS)] == ["4", "2"]
        search.clear()
        search.send_keys("DATA")
        assert [row[0] for row in browser.run(ROWS)] == ["3"]
        search.send_keys(Keys.CONTROL, "a")
        search.send_keys(Keys.DELETE)
        browser.click(".try-table thead button[data-column='better by']")
        assert [row[0] for row in browser.run(ROWS)] == ["1", "2", "4", "3"]
        head = browser.find(".try-table th[aria-sort='ascending']")
        assert [each.text for each in head] == ["better by ↑"]

        # A damaged file costs one line, a ledger that is gone the rest.
        first = (tries / "toy/0001.json").read_text()
        (tries / "toy/0001.json").write_text("{")
        page.wait_for_text(".ledger .failed", "0001.json: not JSON")
        assert len(browser.run(ROWS)) == 3
        shutil.move(tries / "toy", path / "elsewhere")
        page.wait_for_text("#tries-note", "There is no ledger toy.")
        shutil.move(path / "elsewhere", tries / "toy")
        page.wait_for_text(".ledger .failed", "0001.json: not JSON")
        (tries / "toy/0001.json").write_text(first)  # for the tests that share the project

        assert browser.console() == []
        assert browser.driver.title == "Tries · tests · board"
        assert not browser.find("img[onerror]")


def test_the_report_has_the_same_page_frozen(
    tried: TriedProject, browser: Browser, tmp_path: Path
) -> None:
    table = tried.project.path / "results/tries/toy/tries.csv"
    shown, *others = LedgerFolder(table.parent).tries()[1].runs
    write_group(tmp_path / "groups/baseline", ["a"], seeds=2, rows=3, toy_v0_s1={"run": shown})
    sources = Sources([tmp_path / "groups/baseline/runs.csv"], tries=[table])
    write_page(read_contents("tests", sources, Methods()), tmp_path / "a.html")
    browser.open(tmp_path / "a.html")
    rows = browser.run(ROWS)
    assert ["2", "a wider layer", "✓ kept"] in rows and ["3", "more data", "⊘ refused"] in rows
    assert browser.run(CHARTS) == 2
    ends = browser.run(
        "return Bokeh.documents.flatMap((each) => each.roots())"
        ".filter((each) => each.below[0].axis_label === 'try').map((each) => each.x_range.end)"
    )
    assert sorted(ends) == [4.4, 4.6]  # both end with try 4
    browser.click("[data-try='2'] button")
    browser.wait(lambda: Page(browser).text("pre.diff .added") == "+GAIN = 0.05\n")
    # Each of its runs that the report has is a link to that run's row.
    browser.click(".details summary")
    assert browser.texts(".try-runs a") == [f"this try {shown}"]
    assert f"incumbent {others[0]}" in browser.texts(".try-runs span")
    browser.click(".try-runs a")
    browser.wait(lambda: Page(browser).text("#run-count").startswith("1 of 2 runs"))
    assert browser.texts("#run-table tbody td button") == ["toy a seed=1"]
    assert browser.console() == []
    assert not browser.find("img[onerror]")
