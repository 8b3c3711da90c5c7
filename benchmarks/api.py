"""The export from a W&B server beside the SDK's own scan: `python benchmarks/api.py`.

A loopback server, the one the tests use, holds a run of 20,000 rows of 6 metrics. In turn, the
whole process each:

- `caduceus export-server-run`, which also writes the summary, artifacts and a manifest of digests;
- a plain loop with `wandb.Api().run(...).scan_history()` and the csv module, at its default page
  of 1,000 steps.

Both lists of rows are then compared, value by value. With --stride the run logs only every so many
steps, as many programs do. --delay puts so many milliseconds before each answer, as a network does.
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from caduceus.io.cells import parse
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.client import Server
from caduceus.server.runs import read_state
from caduceus.system.wandb_account import Account

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from wandb_server import WandbServer

PATH = RunPath("alice", "benchmark", "long")
SCAN = """
import csv, sys
import wandb
run = wandb.Api().run(sys.argv[1])
rows = list(run.scan_history())
names = sorted({name for row in rows for name in row})
with open(sys.argv[2], "w", newline="") as stream:
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    writer.writerows(rows)
"""


def rows_of(count: int, stride: int) -> list[dict[str, float]]:
    generator = random.Random(0)
    return [
        {
            "_step": stride * number,
            "_runtime": number / 10,
            "_timestamp": 1.8e9 + number / 10,
            "train/loss": generator.random(),
            "train/accuracy": generator.random(),
            "val/loss": generator.random() / 1000,
            "learning_rate": 1e-5 / (number + 1),
            "examples": 7 * number,
            "gradient/norm": generator.gauss(0, 1),
        }
        for number in range(count)
    ]


def read(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as stream:
        return [
            {name: float(parse(cell)) for name, cell in row.items() if cell}
            for row in csv.DictReader(stream)
        ]


def measure(folder: Path, count: int, stride: int, delay_ms: float, repeats: int) -> None:
    with WandbServer() as server:
        rows = rows_of(count, stride)
        server.add_run(PATH.run, PATH.project, PATH.entity, rows=rows)
        server.fail("", delay=delay_ms / 1000)
        account = Account(server.url, server.key, "the benchmark")
        state = read_state(Server(account), PATH)
        assert state is not None
        state.write(folder / "server.json")
        environment = server.environment(folder)
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ours: list[float] = []
        theirs: list[float] = []
        for turn in range(repeats):
            out = folder / str(turn)
            export = [sys.executable, "-m", "caduceus", "export-server-run"]
            export += [str(folder / "server.json"), "--out", str(out / "manifest.json")]
            ours.append(seconds_of(export, environment))
            scan = [sys.executable, "-c", SCAN, str(PATH), str(folder / "scan.csv")]
            theirs.append(seconds_of(scan, environment))
            assert read(out / "metrics_history.csv") == read(folder / "scan.csv") == rows
    for name, found in (("caduceus export-server-run", ours), ("scan_history", theirs)):
        median = statistics.median(found)
        rate = count / median
        ratio = median / statistics.median(ours)
        print(f"  {name:28}{median:8.2f} s {rate:10.0f} rows/s   {ratio:5.1f} of ours")
    print("  the same rows from both, value by value")


def seconds_of(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--stride", type=int, default=1, help="steps between two rows")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.rows} rows of 6 metrics, every {options.stride} steps, {options.delay:g} ms")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.rows, options.stride, options.delay, options.repeats)


if __name__ == "__main__":
    main()
