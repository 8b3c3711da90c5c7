"""The report of 1,000 runs of 200 rows: how long it takes to make, and until it is loaded.

    python benchmarks/report.py

A page is there when all of it is drawn, charts too. It is loaded from disk in Chromium (installed
from Debian where it is missing) several times. Wall time is what a reader waits on this machine;
the processor's time in the page doesn't count what else the machine is doing.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.page import write_page
from caduceus.statistics.settings import Methods

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from chromium import Browser
from report_data import write_group


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def processor_seconds(browser: Browser) -> float:
    """The time of the processor that the page has taken since it was opened."""
    found = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return {metric["name"]: metric["value"] for metric in found}["TaskDuration"]


def show_every_run(browser: Browser) -> None:
    """Show all variants and each of their runs, until it is drawn."""
    browser.click("#show-all")
    browser.click("#singles")
    browser.run("return new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="in tens, a variant each (1000)")
    parser.add_argument("--rows", type=int, default=200, help="of each run (200)")
    parser.add_argument("--repeats", type=int, default=5, help="of loading (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "results/groups/baseline"
        variants = [f"width={place}" for place in range(options.runs // 10)]
        write_group(folder, variants, 10, options.rows)
        sources, page = Sources([folder / "runs.csv"]), Path(name) / "index.html"
        made = seconds_of(lambda: write_page(read_contents("runs", sources, Methods()), page))
        print(f"made in {made:.1f} s, {page.stat().st_size / 1e6:.1f} MB")
        waits, works = [], []
        with Browser() as browser:
            browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
            for _ in range(options.repeats):
                waits.append(seconds_of(lambda: browser.open(page)))
                works.append(processor_seconds(browser))
            drawn = seconds_of(lambda: show_every_run(browser))
        print(f"loaded in {statistics.median(waits):.2f} s ({min(waits):.2f} to {max(waits):.2f})")
        print(f"of these, the processor worked {statistics.median(works):.2f} s for the page")
        print(f"all variants and runs drawn in {drawn:.2f} s")


if __name__ == "__main__":
    main()
