"""Everything that follows from 1,000 runs, made again: `python benchmarks/rebuild.py`.

Ten experiments of ten variants and ten seeds, each with a table, curves and a claim. Their logs are
there, as if all had been trained; timed, in this order, is a call of Snakemake as `make` calls it,
after

- every export, table and figure was deleted: all are made from the logs;
- nothing was changed;
- the paper's tables and figures were deleted;
- one run was trained again;
- the figures' widths were changed.

A run that is trained again is one whose train.json differs. Wall time is what a user waits on this
machine, and the jobs beside it say what was made.
"""

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
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


def measure(title: str, folder: Path) -> None:
    """Call Snakemake, and print how long it took and what it did."""
    started = time.perf_counter()
    finished = subprocess.run(AS_MAKE, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    printed = finished.stdout + finished.stderr
    if finished.returncode:
        sys.exit(f"{title}\n{printed[-4000:]}")
    table = printed.partition("Job stats:")[2].partition("\n\n")[0]
    jobs = [f"{count} {rule}" for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)]
    print(f"{title:28}{seconds:8.1f} s   {', '.join(jobs) or 'nothing'}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="in tens for each experiment (1000)")
    parser.add_argument("--experiments", type=int, default=10, help="that have them (10)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        write_paper(folder, options.runs, options.experiments)
        first, *_ = write_trained(folder, log_run(Path(name), ROWS))
        measure("everything, from the logs", folder)
        measure("nothing has changed", folder)
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


if __name__ == "__main__":
    main()
