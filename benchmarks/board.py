"""The board of many runs, its time, CPU and memory: `python benchmarks/board.py`.

1,000 runs of 2,000 rows are written as exports, but for 100 whose logs grow by a row a second, as
of programs that run. `caduceus board` is started over them in a process of its own. Measured are

- the time from the start of the process to its address, and to the first answer with all runs;
- an overview and the curves of 200 runs, asked for once all are read;
- the time from a row in a log to the change that arrives at a page, with all others growing too;
- the share of a core that the board takes meanwhile, and its greatest memory.

`--shown ROWS` measures in Debian's Chromium instead: a run of a `caduceus try`, which Snakemake
drives, logs so many rows by wandb, and for each the time from `run.log` to the page that shows it
is taken. wandb writes its log once a second, which is part of that time.

The peer, in the same run, is the loop that one would write: each second it asks for the state of
each log and reads those anew that have grown.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from growing_runs import Results, log_rows, running

METRICS = ("train/loss", "val/loss", "val/accuracy", "lr")
PEER = """
import pathlib, sys, time
from caduceus.wandb_log import read_log
logs, seen = [pathlib.Path(line.strip()) for line in sys.stdin], {}
while True:
    for log in logs:
        state = log.stat().st_size
        if seen.get(log) != state:
            seen[log] = state
            read_log(log).history[-1]
    time.sleep(1)
"""


PROGRAM = """
import argparse, os, random, time
from pathlib import Path
import wandb

GAIN = 0
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
seed = parser.parse_args().seed
run = wandb.init()
for row in range(int(os.environ.get("ROWS", 0))):
    run.log({"row": row})
    with Path(os.environ["LOGGED"], run.id).open("a") as logged:
        logged.write(f"{time.time()}\\n")
    time.sleep(0.5 + random.random())
run.log({"acc": GAIN + random.Random(seed).random()})
run.finish()
"""
# Notes when the page shows another row among the last values of the run.
NOTE_SHOWN = """
window.rowsShown = [];
const note = () => {
  for (const line of document.querySelectorAll("#run-values tr")) {
    const value = line.querySelector("th")?.textContent === "row" ? line.querySelector("td") : null;
    if (value && rowsShown.at(-1)?.[0] !== Number(value.textContent))
      rowsShown.push([Number(value.textContent), Date.now() / 1000]);
  }
};
new MutationObserver(note).observe(document.querySelector("#run-values"),
                                   { childList: true, subtree: true, characterData: true });
"""


def row(step: int, seed: int) -> dict[str, float]:
    return {name: (1 + seed % 7 + place) / (step + 1) for place, name in enumerate(METRICS)}


def write_results(folder: Path, runs: int, growing: int, rows: int) -> tuple[Results, list[Path]]:
    """Write results/ of a project; returns the logs that are to grow."""
    results = Results(folder)
    names = {f"toy-{place:05d}": (f"v{place // 10}", place % 10) for place in range(runs)}
    results.plan(names)
    logs = []
    for place, (name, (variant, seed)) in enumerate(names.items()):
        logged = [row(step, place) for step in range(rows)]
        if place < growing:
            log = results.start(name, variant, seed)
            log_rows(log, logged)
            logs.append(log)
        else:
            results.finish(name, logged, variant=variant, seed=seed)
    return results, logs


@dataclass
class Client:
    """A page of the board."""

    port: int
    token: str

    def ask(self, path: str, body: object = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}"}
        content = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, content, headers)
        found = connection.getresponse().read()
        connection.close()
        return found

    def overview(self) -> dict[str, object]:
        found = json.loads(self.ask("/api/overview"))
        assert isinstance(found, dict)
        return found


def follow(client: Client, since: object, run: str, arrived: list[tuple[int, float]]) -> None:
    """Note when each number of rows of a run arrives in the stream of changes."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
    headers = {"Authorization": f"Bearer {client.token}"}
    connection.request("GET", f"/api/changes?since={since}", headers=headers)
    stream = connection.getresponse()
    while line := stream.readline():
        if line.startswith(b"data: "):
            live = json.loads(line[6:]).get("live", {}).get(run)
            if live:
                arrived.append((live["rows"], time.time()))


def grow(logs: Sequence[Path], rows: int, seconds: int) -> list[tuple[int, float]]:
    """Add a row to each log each second; returns when each row of the first was written."""
    written = []
    for second in range(seconds):
        until = time.monotonic() + 1
        for place, log in enumerate(logs):
            log_rows(log, [row(rows + second, place)], first=rows + second)
            if place == 0:
                written.append((rows + second + 1, time.time()))
        time.sleep(max(0, until - time.monotonic()))
    return written


def shares(processes: Sequence[psutil.Process], before: Sequence[float], wall_s: float) -> None:
    for name, process, start in zip(("board", "peer"), processes, before, strict=True):
        share = (cpu_s(process) - start) / wall_s
        memory = process.memory_info().rss / 1e6
        print(f"{name}: {100 * share:.1f} % of a core, {memory:.0f} MB")


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(folder: Path, runs: int, growing: int, rows: int, seconds: int) -> None:
    results, logs = write_results(folder, runs, growing, rows)
    with ExitStack() as stack:
        for log in logs:
            stack.enter_context(running(results.folder(log.stem.removeprefix("run-"))))
        command = [sys.executable, "-m", "caduceus", "board", "--project", str(folder)]
        started = time.monotonic()
        board = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        stack.callback(board.wait)
        stack.callback(board.terminate)
        assert board.stdout is not None
        address = board.stdout.readline().strip()
        port, token = address.split(":")[2].split("/?token=")
        print(f"address after {time.monotonic() - started:.2f} s")
        client = Client(int(port), token)
        asked = time.monotonic()
        first = client.overview()
        took = time.monotonic() - asked
        assert isinstance(first["runs"], list)
        print(f"first answer in {took:.2f} s, with {len(first['runs'])} of {runs} runs")
        while (found := client.overview())["is_reading"]:
            time.sleep(0.05)
        print(f"all runs read {time.monotonic() - started:.2f} s after the start")
        asked = time.monotonic()
        size = len(client.ask("/api/overview"))
        print(f"overview: {time.monotonic() - asked:.3f} s, {size / 1e6:.1f} MB")
        assert isinstance(found["runs"], list)
        wanted = [{"run": each["run"]} for each in found["runs"][-200:]]
        for again in ("first", "again"):
            asked = time.monotonic()
            client.ask("/api/curves", {"metric": METRICS[0], "points": 500, "runs": wanted})
            print(f"curves of {len(wanted)} runs, {again}: {time.monotonic() - asked:.2f} s")
        peer = subprocess.Popen([sys.executable, "-c", PEER], stdin=subprocess.PIPE, text=True)
        stack.callback(peer.wait)
        stack.callback(peer.kill)
        assert peer.stdin is not None
        peer.stdin.write("".join(f"{log}\n" for log in logs))
        peer.stdin.close()
        arrived: list[tuple[int, float]] = []
        name = logs[0].stem.removeprefix("run-")
        given = (client, client.overview()["sequence"], name, arrived)
        threading.Thread(target=follow, args=given, daemon=True).start()
        grow(logs, rows, 3)  # until both have read everything once
        processes = [psutil.Process(board.pid), psutil.Process(peer.pid)]
        before, begun = [cpu_s(each) for each in processes], time.monotonic()
        written = grow(logs, rows + 3, seconds)
        shares(processes, before, time.monotonic() - begun)
        lags = [
            min((at for count, at in arrived if count >= rows), default=float("inf")) - when
            for rows, when in written[:-3]
        ]
        if lags:
            print(
                f"a new row arrives after {statistics.median(lags):.2f} s, at most {max(lags):.2f}"
            )


def measure_shown(folder: Path, rows: int) -> None:
    from boards import Board
    from chromium import Browser
    from projects import EXPORTS, Project, end

    project, logged = Project.create(folder / "project"), folder / "logged"
    logged.mkdir()
    project.write("experiments/train.py", PROGRAM)
    changes = {"matrix": {}, "parameters": {}, "metric": {"name": "acc"}}
    project.change("experiments/toy.yaml", **changes)
    project.run(*project.command("--cores", "2", *EXPORTS)).check()
    project.replace("experiments/train.py", "GAIN = 0", "GAIN = -1")
    words = [sys.executable, "-m", "caduceus", "try", "a loss", "--", *project.command()[3:]]
    tried = project.begin(*words, ROWS=str(rows + 10), LOGGED=str(logged))
    with Board(project) as board, Browser() as browser:
        browser.open_address(board.address)
        browser.wait(lambda: next(logged.iterdir(), None))
        run = next(logged.iterdir())
        browser.run(f"location.hash = '#run/{run.name}'")
        browser.wait(lambda: browser.find("#run-values tr"))
        browser.run(NOTE_SHOWN)
        browser.wait(lambda: (browser.run("return rowsShown.at(-1)?.[0]") or 0) >= rows)
        shown = browser.run("return rowsShown")
    times = [float(line) for line in run.read_text().splitlines()]
    lags = [
        next(at for last, at in shown if last >= row) - times[row]
        for row in range(shown[0][0] + 1, shown[-1][0] + 1)
    ]
    end(tried)
    print(
        f"{len(lags)} rows are shown {statistics.median(lags):.2f} s after run.log, at most "
        f"{max(lags):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="in all (1000)")
    parser.add_argument("--growing", type=int, default=100, help="of them still running (100)")
    parser.add_argument("--rows", type=int, default=2000, help="of each run (2000)")
    parser.add_argument("--seconds", type=int, default=30, help="for which runs grow (30)")
    parser.add_argument("--shown", type=int, help="in a browser, so many rows of a real run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.shown:
            measure_shown(Path(folder), given.shown)
        else:
            measure(Path(folder), given.runs, given.growing, given.rows, given.seconds)


if __name__ == "__main__":
    main()
