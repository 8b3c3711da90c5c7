"""The report that `snakemake` leaves, and Snakemake's own."""

from pathlib import Path

import pytest
from chromium import Browser
from projects import Project


def test_a_page_whose_script_has_failed_is_not_waited_for(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>half a page</p><script>throw new Error('no curves')</script>")
    with pytest.raises(AssertionError, match=r"no curves[^$]*shows: half a page"):
        browser.open(page)


def test_the_report_shows_what_was_run(trained: Project, browser: Browser) -> None:
    browser.open(trained.path / "results/report/index.html")
    assert browser.console() == []
    assert browser.texts("h1") == ["tests"]
    assert len(browser.find("#run-table tbody tr")) == 4
    # curve.py: 1 - 1 / (step + 2) - rate - seed / 1000
    assert [text.split()[0] for text in browser.texts("#legend td:nth-child(2)")] == [
        "0.7328",
        "0.6328",
    ]
    assert browser.run("return document.querySelector('#figures img').naturalWidth") > 0
    assert browser.texts("#tables h3") == ["accuracy"]


def test_a_verification_that_was_made_is_shown(finished: Project) -> None:
    finished.write("results/verification.json", '{"mode": "offline", "checks": []}')
    assert finished.planned() == {"make_report": 1, "report_failures": 1}


def test_snakemakes_own_report_has_the_tables_and_figures(finished: Project) -> None:
    finished.snakemake("--report", "snakemake.html").check()
    page = (finished.path / "snakemake.html").read_text()
    assert "its log was exported exactly" in page
    for name in ("index.html", "accuracy.csv"):
        assert name in page
