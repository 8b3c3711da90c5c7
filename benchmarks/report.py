"""The report of many runs of 200 rows: what it takes to make, to open, and to use.

    python benchmarks/report.py --runs 10000

The page is opened from disk in Chromium (installed from Debian where it is missing), beside two
others: a plain Bokeh page with the mean curves of one metric and the table of runs, and a page that
has as many bytes as the report and does nothing, which is what reading the file takes. `opened` is
when everything is drawn, charts too. Wall times depend on what else the machine does; ratios
compare pages that were opened in turn.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, DataTable, TableColumn
from bokeh.plotting import figure
from bokeh.resources import INLINE
from caduceus.io.csv_rows import read_rows
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.page import write_page
from caduceus.statistics.settings import Methods

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from chromium import Browser
from report_data import METRICS, write_group

# When each page is done, in JavaScript.
REPORT = "document.documentElement?.dataset.ready"
BOKEH = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
BARE = "document.readyState === 'complete'"
# Actions of a user, and what says that the page has followed.
COUNT = "document.querySelector('#run-count').textContent"
CHART = "Bokeh.documents.at(-1)"
VARIANTS = "document.querySelector('#variant-count').textContent"
FIRST_ROW = "document.querySelector('#run-table tbody').firstChild"
TYPE = """const box = document.querySelector('#run-filter'); box.value = '=7';
          box.dispatchEvent(new Event('input'))"""
SORT = "[...document.querySelectorAll('#run-table .sort')].at(-1).click()"
SWITCH = """const menu = document.querySelector('#metric');
            menu.selectedIndex = 1 - menu.selectedIndex; menu.dispatchEvent(new Event('change'))"""
ALL = "document.querySelector('#show-all').click()"
ACTIONS = {
    "filter the runs": (TYPE, COUNT),
    "sort the runs": (SORT, FIRST_ROW),
    "another metric": (SWITCH, CHART),
    "all variants": (ALL, VARIANTS),
}


class Opened(NamedTuple):
    """Seconds until the first paint and until all is drawn; CPU of the page; MB of its objects."""

    paint: float
    opened: float
    processor: float
    heap: float


def make_report(folder: Path, page: Path) -> None:
    import_light_pyarrow()
    write_page(read_contents("runs", Sources([folder / "runs.csv"]), Methods()), page)


def measure_making(folder: Path, page: Path) -> None:
    """Make the report in a process of its own, and print its CPU and peak memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = multiprocessing.get_context("spawn").Process(target=make_report, args=(folder, page))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit("the report couldn't be made")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = (folder / "history.parquet").stat().st_size
    print(
        f"made in {seconds:.1f} s of CPU with {after.ru_maxrss / 1024:.0f} MB of memory: "
        f"{page.stat().st_size / 1e6:.1f} MB from {rows / 1e6:.1f} MB of rows"
    )


def write_plain(folder: Path, page: Path) -> None:
    """Write a Bokeh page with each variant's mean curve of a metric, and the table of runs."""
    table = pq.read_table(folder / "history.parquet", columns=["variant", "_step", METRICS[-1]])
    means = table.group_by(["variant", "_step"]).aggregate([(METRICS[-1], "mean")]).to_pandas()
    curves = [(part["_step"], part.iloc[:, -1]) for _, part in means.groupby("variant")]
    chart = figure(width=1100, height=400)
    chart.multi_line(*([[*curve[axis]] for curve in curves] for axis in (0, 1)))
    rows = read_rows(folder / "runs.csv")
    source = ColumnDataSource({name: [row[name] for row in rows] for name in rows[0]})
    columns = [TableColumn(field=name, title=name) for name in rows[0]]
    page.write_text(file_html(column(chart, DataTable(source=source, columns=columns)), INLINE))


def open_page(browser: Browser, page: Path) -> Opened:
    """Open a page in place of the one before it."""
    browser.driver.get("about:blank")
    browser.driver.get(page.as_uri())
    browser.wait(lambda: browser.run("return window.opened"))
    found = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    metrics = {metric["name"]: metric["value"] for metric in found}
    [paint, opened] = browser.run(
        "return [performance.getEntriesByName('first-contentful-paint')[0]?.startTime, opened]"
    )
    heap = metrics["JSHeapUsedSize"] / 1e6
    return Opened((paint or opened) / 1000, opened / 1000, metrics["TaskDuration"], heap)


def watch(browser: Browser, done: str) -> str:
    """Have each page that opens store in `window.opened` when `done` is true, in ms.

    Returns the id by which the browser removes the script again.
    """
    script = f"""const look = () => {{
        if ({done}) window.opened = performance.now(); else setTimeout(look, 5); }};
        look();"""
    command = "Page.addScriptToEvaluateOnNewDocument"
    return str(browser.driver.execute_cdp_cmd(command, {"source": script})["identifier"])


def seconds_of(browser: Browser, action: str, sign: str) -> float:
    """Return how long the page takes until an action changes what `sign` is, and is drawn."""
    return float(
        browser.run(
            f"""const before = {sign}; const started = performance.now();
            {action};
            return new Promise((resolve) => {{
              const end = () => resolve(performance.now() - started);
              const look = () => ({sign}) === before ? setTimeout(look, 1)
                : requestAnimationFrame(() => setTimeout(end));
              look();
            }});"""
        )
        / 1000
    )


def middle(found: list[Opened]) -> Opened:
    """Return the median of each number."""
    return Opened(*map(statistics.median, zip(*found, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="in tens, a variant each (1000)")
    parser.add_argument("--rows", type=int, default=200, help="of each run (200)")
    parser.add_argument("--repeats", type=int, default=5, help="of opening (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "results/groups/baseline"
        variants = [f"width={place}" for place in range(options.runs // 10)]
        write_group(folder, variants, 10, options.rows)
        report, plain, bare = (Path(name) / f"{each}.html" for each in ("report", "plain", "bare"))
        measure_making(folder, report)
        write_plain(folder, plain)
        filling = "x" * report.stat().st_size
        bare.write_text(f"<!doctype html><p>bare</p><script type='text/plain'>{filling}</script>")
        pages = {report: REPORT, plain: BOKEH, bare: BARE}
        times: dict[Path, list[Opened]] = {page: [] for page in pages}
        with Browser() as browser:
            browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
            for _ in range(options.repeats):
                for page, done in pages.items():
                    watching = watch(browser, done)
                    times[page].append(open_page(browser, page))
                    command = "Page.removeScriptToEvaluateOnNewDocument"
                    browser.driver.execute_cdp_cmd(command, {"identifier": watching})
            print(
                f"{'page':8} {'MB':>6} {'paint s':>8} {'opened s':>9} {'CPU s':>6} {'heap MB':>8}"
            )
            for page, found in times.items():
                size, shown = page.stat().st_size / 1e6, middle(found)
                print(
                    f"{page.stem:8} {size:6.1f} {shown.paint:8.2f} {shown.opened:9.2f} "
                    f"{shown.processor:6.2f} {shown.heap:8.0f}"
                )
            for other in (plain, bare):
                ratio = statistics.median(
                    one.opened / two.opened
                    for one, two in zip(times[report], times[other], strict=True)
                )
                print(f"the report opens in {ratio:.2f} times the time of the {other.stem} page")
            watch(browser, REPORT)
            open_page(browser, report)
            for action, (script, sign) in ACTIONS.items():
                print(f"{action:16} {seconds_of(browser, script, sign):.2f} s")


if __name__ == "__main__":
    main()
