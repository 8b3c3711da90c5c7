"""Thousands of runs, from their logs to the paper: `python benchmarks/thousands.py`.

Ten experiments have ten variants of ten seeds each, and each has a table, curves and a claim.
Measured are, in this order,

- `caduceus plan` while nothing is trained;
- `caduceus build`, after the logs of all runs were put in place: it makes every export, table and
  figure;
- another build, which finds nothing to do and keeps which runs have settled;
- `caduceus status`, which nobody asked before;
- a build after the paper's tables and figures were deleted;
- a build after one run was trained again, which is one whose train.json differs;
- a build after the figures' widths were changed;
- Snakemake's graph of all jobs with nothing to do, and that without settled runs.

Peers are measured in the same run: pandas, which reads every history that was exported and averages
it by step, a loop that asks for the times of all files of the runs, as ninja does, and Snakemake,
which looks at every job. CPU is that of a call with all its jobs, and memory that of its largest
process. `--plan-only` stops after the plan.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from caduceus.io.files import write_json
from caduceus.project.identity import identity
from caduceus.project.plan_run import plan_run
from caduceus.project.project import load_project
from caduceus.runs.files.upload import Upload
from export import log_run, write_logs
from scale import AS_MAKE, finish_project

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from exported_runs import train_record

ROWS = 200
SNAKEFILE = Path(__file__).parents[1] / "scripts/caduceus/project/template/Snakefile"
CADUCEUS = (sys.executable, "-m", "caduceus")
BUILD = (*CADUCEUS, "build", *AS_MAKE[3:], "--plain")  # by the project's own Snakefile
PANDAS = """
import pandas, pathlib
paths = sorted(pathlib.Path("results/runs").glob("*/metrics_history.csv"))
rows = pandas.concat(pandas.read_csv(path).assign(run=path.parent.name) for path in paths)
print(rows.groupby("_step").mean(numeric_only=True).tail(1))
"""
STAT = """
import os
for place, folders, names in os.walk("results/runs"):
    for name in names:
        os.stat(os.path.join(place, name))
"""


def write_paper(folder: Path, runs: int, experiments: int) -> None:
    """A project whose experiments have a table, curves and a claim each."""
    (folder / "experiments").mkdir(parents=True)
    (folder / "experiments/train.py").write_text("print('trained')\n")
    paper: dict[str, dict[str, object]] = {"tables": {}, "figures": {}, "claims": {}}
    names = [f"part{number}" for number in range(experiments)]
    for name in names:
        experiment = {
            "id": name,
            "type": "baseline",
            "program": "experiments/train.py",
            "parameters": {"part": name},
            "matrix": {"width": list(range(10))},
            "baseline": {"width": 0},
            "seeds": list(range(runs // 10 // experiments)),
        }
        (folder / f"experiments/{name}.yaml").write_text(yaml.safe_dump(experiment))
        shown = {"experiments": [name]}
        loss = {"metrics": {"loss": "train/loss"}, "goal": "minimize"}
        paper["tables"][name] = shown | loss
        paper["figures"][name] = {**shown, "kind": "curves", "metrics": {"loss": "train/loss"}}
        claim = {"better": {"width": 1}, "worse": {"width": 0}, "metric": "train/loss"}
        paper["claims"][name] = {
            **shown,
            "statement": "Wider is better.",
            "compare": claim | {"goal": "minimize"},
        }
    config = {"experiments": [f"experiments/{name}.yaml" for name in names], "paper": paper}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def write_trained(folder: Path, log: Path) -> list[Path]:
    """Have every run trained, and Snakemake take it for its own; returns their folders."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    project = load_project(config, [], folder)
    runs = {folder / "results/runs" / run: found for run, found in project.runs.items()}
    write_logs(log, list(runs))
    for place, (experiment, run) in runs.items():
        identity(experiment, run, project.settings.wandb).write(place / "run.json")
        with contextlib.chdir(folder):
            spec, params = experiment.spec, place.relative_to(folder) / "params.json"
            plan_run(run.definition, spec.code, Path(f"experiments/{spec.id}.yaml"), params)
        train_record(place.name, "finished", None, {}).write(place / "train.json")
        Upload(run=place.name).write(place / "upload.json")
    finish_project(folder)
    for place in runs:
        (place / "manifest.json").unlink()
    for made in ("experiments", "groups", "paper"):
        shutil.rmtree(folder / "results" / made)
    return list(runs)


@dataclass(frozen=True)
class Call:
    """A command that has ended: its time, its use of the machine, and what it printed."""

    seconds: float
    cpu_s: float  # with that of its child processes
    memory_mb: float  # of its largest process
    printed: str


def call(command: Sequence[str], folder: Path) -> Call:
    """Run a command, and end with what it printed if it fails."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{printed[-4000:]}")
    return Call(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, printed)


def show(title: str, found: Call, peers: str = "") -> None:
    figures = f"{found.seconds:8.1f} s{found.cpu_s:8.1f} s{found.memory_mb:7.0f} MB"
    print(f"{title:28}{figures}   {peers}".rstrip(), flush=True)


def measure(title: str, folder: Path, command: Sequence[str] = BUILD) -> Call:
    """Build, and print what it took and what it did; no stamp answers."""
    for stamp in ("build", "dry_run"):
        (folder / ".snakemake/caduceus" / stamp).unlink(missing_ok=True)
    found = call(command, folder)
    table = found.printed.partition("Job stats:")[2].partition("\n\n")[0]
    jobs = [f"{count} {rule}" for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)]
    show(title, found, ", ".join(jobs) or "nothing")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="in tens for each experiment (1000)")
    parser.add_argument("--experiments", type=int, default=10, help="that have them (10)")
    parser.add_argument("--plan-only", action="store_true", help="train and export nothing")
    options = parser.parse_args()
    print(f"{'':28}{'wall':>10}{'CPU':>10}{'memory':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        write_paper(folder, options.runs, options.experiments)
        shutil.copy(SNAKEFILE, folder)
        show("plan", call([*CADUCEUS, "plan"], folder))
        if options.plan_only:
            return
        first, *_ = write_trained(folder, log_run(Path(name), ROWS))
        everything = measure("everything, from the logs", folder)
        measure("nothing has changed", folder)
        show("status", call([*CADUCEUS, "status"], folder))
        shutil.rmtree(folder / "results/paper")
        measure("the paper alone", folder)
        train = first / "train.json"
        record = json.loads(train.read_text())
        record["attempts"][0]["wall_s"] += 1
        write_json(train, record)
        measure("one run has changed", folder)
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["paper"]["venue"] = "ieee"
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        measure("another width", folder)
        whole = measure("nothing, by Snakemake", folder, AS_MAKE)
        reduced = measure("nothing, runs settled", folder)
        print(f"{'':57}{whole.cpu_s / reduced.cpu_s:.1f} times the CPU by Snakemake")
        for title, code, ours in (("pandas", PANDAS, everything), ("stat", STAT, reduced)):
            peer = call([sys.executable, "-c", code], folder)
            show(title, peer, f"{ours.cpu_s / peer.cpu_s:.1f} times its CPU is ours")


if __name__ == "__main__":
    main()
