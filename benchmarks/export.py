"""The export of W&B's log beside other readers of it: `python benchmarks/export.py`.

    pip install 'caduceus-ml[benchmark]'

Logs 100,000 rows of 6 metrics once, with the real SDK and with Trackio, and times, the whole
process each, in turn:

- `caduceus export`, which also writes the summary, media, artifacts and a manifest of digests;
- W&B's own reader, `wandb leet inspect --json`, its output turned into CSV;
- a plain loop with `wandb.proto` and `json`;
- a plain loop over Trackio's SQLite database, and Trackio's own reader.

Without Trackio its two are left out. With --runs it exports that many runs of 200 rows, by
`caduceus export` and through Snakemake; with --memory a million rows, and prints the peak memory.
"""

import argparse
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml
from caduceus.io.files import write_json
from caduceus.project.project import load_project
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.train import Train
from caduceus.wandb_log.framing import Damage, RecordReader
from caduceus.wandb_log.records import split_record
from caduceus.wandb_log.writing import LogWriter
from scale import AS_MAKE, finish_project, seconds_of, write_project

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
METRICS = """
import random
def metrics(step):
    return {"train/loss": random.random(), "train/accuracy": random.random(),
            "val/loss": random.random() / 1000, "learning_rate": 1e-5 / (step + 1),
            "examples": 7 * step, "gradient/norm": random.gauss(0, 1)}
"""
LOG = (
    METRICS
    + """
import sys, wandb
settings = wandb.Settings(x_disable_stats=True, silent=True)
with wandb.init(mode="offline", project="p", id="benchmark", settings=settings) as run:
    for step in range(int(sys.argv[1])):
        run.log(metrics(step))
"""
)
LOG_TRACKIO = (
    METRICS
    + """
import sys
from trackio.sqlite_storage import SQLiteStorage
SQLiteStorage.init_db("p")
rows = int(sys.argv[1])
for first in range(0, rows, 1000):
    steps = list(range(first, min(first + 1000, rows)))
    SQLiteStorage.bulk_log("p", "run", [metrics(step) for step in steps], steps=steps)
"""
)
WRITE_CSV = """
def write(rows, path):
    import csv
    names = dict.fromkeys(name for row in rows for name in row)
    with open(path, "w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
"""
LEET = (
    WRITE_CSV
    + """
import json, sys
records = (json.loads(line) for line in sys.stdin)
write([r["history"]["item"] for r in records if "history" in r], sys.argv[1])
"""
)
LOOP = (
    WRITE_CSV
    + """
import json, struct, sys
from wandb.proto import wandb_internal_pb2 as pb
data = open(sys.argv[1], "rb").read()
rows, position, parts = [], 7, b""
while position < len(data):
    left = 32768 - position % 32768
    if left < 7:
        position += left
        continue
    _, size, kind = struct.unpack_from("<IHB", data, position)
    parts += data[position + 7 : position + 7 + size]
    position += 7 + size
    if kind in (1, 4):
        record = pb.Record.FromString(parts)
        parts = b""
        if record.HasField("history"):
            rows.append({".".join(i.nested_key): json.loads(i.value_json)
                         for i in record.history.item})
write(rows, sys.argv[2])
"""
)
SQLITE = (
    WRITE_CSV
    + """
import json, sqlite3, sys
found = sqlite3.connect(sys.argv[1]).execute(
    "SELECT step, timestamp, metrics FROM metrics WHERE run_name = 'run' ORDER BY step")
write([{"step": s, "timestamp": t, **json.loads(m)} for s, t, m in found], sys.argv[2])
"""
)
TRACKIO = (
    WRITE_CSV
    + """
import sys
from trackio.sqlite_storage import SQLiteStorage
write(SQLiteStorage.get_logs("p", "run"), sys.argv[1])
"""
)


def log_run(folder: Path, rows: int) -> Path:
    """Log rows with the real SDK; returns the log."""
    environment = os.environ | {"WANDB_DIR": str(folder)}
    command = [sys.executable, "-c", LOG, str(rows)]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    return path


def compare(folder: Path, rows: int, repeats: int) -> None:
    log = log_run(folder, rows)
    python = [sys.executable, "-c"]
    out = str(folder / "out.csv")
    leet = f'wandb leet inspect --json "{log}" 2>/dev/null | "$0" -c "$1" "{out}"'
    commands = {
        "caduceus export": ["caduceus", "export", str(log), "--out", str(folder / "out")],
        "wandb leet inspect": ["sh", "-c", leet, sys.executable, LEET],
        "loop with wandb.proto": [*python, LOOP, str(log), out],
    }
    if shutil.which("trackio") is None:
        print("without Trackio, which isn't installed: pip install 'caduceus-ml[benchmark]'")
    else:
        os.environ["TRACKIO_DIR"] = str(folder / "trackio")
        subprocess.run([*python, LOG_TRACKIO, str(rows)], check=True)
        (database,) = (folder / "trackio").glob("*.db")
        commands["loop over Trackio's SQLite"] = [*python, SQLITE, str(database), out]
        commands["Trackio's own reader"] = [*python, TRACKIO, out]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            times[name].append(seconds_of(command, folder))
    ours = statistics.median(times["caduceus export"])
    print(f"{rows} rows of 6 metrics, a log of {log.stat().st_size / 1e6:.0f} MB, CSV")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:28}{median:8.2f} s   {median / ours:5.1f} of ours")


def measure_memory(folder: Path, rows: int) -> None:
    log = log_run(folder, rows)
    seconds = seconds_of(["caduceus", "export", str(log), "--out", str(folder / "out")], folder)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{rows} rows: {seconds:.1f} s, peak memory {peak:.0f} MiB")


def write_logs(log: Path, runs: Sequence[Path]) -> None:
    """Give each run (results/runs/RUN) a copy of a log with its own id and its own fractions."""
    with log.open("rb") as stream:
        records = list(map(split_record, RecordReader(stream, Damage()).read()))
    for run in runs:
        inside = run / "work/wandb/1/wandb/offline-run-20260101_000000-x"
        inside.mkdir(parents=True)
        # As long as what they replace, so that the lengths that a record names stay.
        name, drawn = run.name[-9:].encode(), random.Random(run.name)

        def fraction(found: re.Match[bytes], drawn: random.Random = drawn) -> bytes:
            return b"0." + bytes(drawn.choices(b"123456789", k=len(found[0]) - 2))

        with LogWriter(inside / f"run-{run.name}.wandb") as copy:
            for kind, content in records:
                own = re.sub(rb"\b0\.\d+", fraction, content)
                copy.append(kind, own.replace(b"benchmark", name))


def measure_runs(folder: Path, runs: int, rows: int) -> None:
    """Many short runs."""
    log = log_run(folder, rows)
    project = folder / "project"
    write_project(project, runs)
    planned = list(
        load_project(yaml.safe_load((project / "config.yaml").read_text()), [], project).runs
    )
    write_logs(log, [project / "results/runs" / run for run in planned])
    for run in planned:
        place = project / "results/runs" / run
        attempt = Attempt(attempt=1, state="finished", started_at=None, wall_s=1.0)
        Train.of(run, [attempt]).write(place / "train.json")
        names = ("experiment", "variant", "entity", "project", "group", "name", "mode")
        about = dict.fromkeys(names, "x")
        about |= {"job_type": "train", "notes": "", "tags": [], "config": {}, "seed": 0, "id": run}
        write_json(place / "run.json", about)
    directly = seconds_of(
        ["caduceus", "export", str(project / "results"), "--out", str(folder / "out")], folder
    )
    finish_project(project)
    for run in planned:
        (project / "results/runs" / run / "manifest.json").unlink()
    shutil.rmtree(project / "results/groups")  # which asks for them
    through = seconds_of([*AS_MAKE, "--until", "export_run", "--quiet", "all"], project)
    missing = [r for r in planned if not (project / "results/runs" / r / "manifest.json").exists()]
    if missing:
        sys.exit(f"not exported: {len(missing)} of {runs}")
    print(f"{runs} runs of {rows} rows: directly {directly:.1f} s, by Snakemake {through:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of the comparison (100000)")
    parser.add_argument("--repeats", type=int, default=3, help="of each command (3)")
    parser.add_argument("--runs", type=int, default=0, help="export this many short runs instead")
    parser.add_argument("--memory", action="store_true", help="export a million rows instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.runs:
            measure_runs(folder, options.runs, 200)
        elif options.memory:
            measure_memory(folder, 1_000_000)
        else:
            compare(folder, options.rows, options.repeats)


if __name__ == "__main__":
    main()
