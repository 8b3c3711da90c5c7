"""A dry run and a run with nothing to do, on 1,000 planned runs, beside DVC on as many stages.

    pip install 'caduceus[benchmark]'
    python benchmarks/scale.py

A run of ours is five jobs (plan, identity, training, artifacts, export), a stage of DVC's one
command. DVC is therefore timed on as many stages as there are runs, and on as many as there are
jobs. The commands are timed in turn, the whole process each time.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from caduceus.project.project import load_project

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SNAKEMAKE = ["snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
AS_MAKE = [*SNAKEMAKE, "--scheduler", "greedy", "--scheduler-subsample", "100"]
RUN_FILES = (
    "params.json",
    "run.json",
    "train.json",
    "upload.json",
    "run_summary.json",
    "metrics_history.csv",
    "system_metrics.csv",
    "media/",
    "artifacts/",
    "manifest.json",
    "work/code/",  # without it, only the export of a run is there, and nothing makes that again
)


def seconds_of(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}\n{finished.stdout[-2000:]}{finished.stderr[-2000:]}")
    return time.perf_counter() - started


def write_project(folder: Path, runs: int) -> None:
    """A project of one experiment, planned only."""
    (folder / "experiments").mkdir(parents=True)
    (folder / "experiments/train.py").write_text("print('trained')\n")
    experiment = {
        "id": "scale",
        "type": "baseline",
        "program": "experiments/train.py",
        "matrix": {"learning_rate": [0.1, 0.01, 0.001, 0.0001], "width": list(range(25))},
        "seeds": list(range(runs // 100)),
    }
    (folder / "experiments/scale.yaml").write_text(yaml.safe_dump(experiment))
    config = {"experiments": ["experiments/scale.yaml"]}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def finish_project(folder: Path) -> None:
    """Make every file of the project, and have Snakemake take them for its own."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    project = load_project(config, [], folder)
    files = ["results/failures.json"]
    files += [f"results/experiments/{experiment}.json" for experiment in project.experiments]
    files += [f"results/runs/{run}/{name}" for run in project.runs for name in RUN_FILES]
    files += [
        f"results/groups/{group}/{name}"
        for group in project.groups
        for name in ("runs.csv", "variants.csv", "history.parquet", "compute.json")
    ]
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir() if name.endswith("/") else path.write_text(name)
    seconds_of([*SNAKEMAKE, "--touch"], folder)


def write_dvc(folder: Path, stages: int) -> None:
    """As many stages of one command each."""
    folder.mkdir()
    (folder / "train.py").write_text("print('trained')\n")
    (folder / "out").mkdir()
    pipeline = {
        "stages": {
            f"run{n}": {
                "cmd": f"echo {n} > out/{n}.txt",
                "deps": ["train.py"],
                "outs": [f"out/{n}.txt"],
            }
            for n in range(stages)
        }
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump(pipeline))
    seconds_of(["git", "init", "--quiet", "."], folder)
    seconds_of(["dvc", "init", "--quiet"], folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="planned, in hundreds (1000)")
    parser.add_argument("--repeats", type=int, default=3, help="of each command (3)")
    options = parser.parse_args()
    if shutil.which("dvc") is None:
        sys.exit("dvc isn't installed: pip install 'caduceus[benchmark]'")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder / "planned", options.runs)
        write_project(folder / "finished", options.runs)
        finish_project(folder / "finished")
        commands = {
            "Caduceus, dry run": ([*SNAKEMAKE, "--dry-run"], folder / "planned"),
            "Caduceus, nothing to do": (SNAKEMAKE, folder / "finished"),
        }
        for stages in (options.runs, 5 * options.runs):
            project = folder / f"dvc{stages}"
            write_dvc(project, stages)
            commands[f"DVC, dry run, {stages} stages"] = (["dvc", "repro", "--dry"], project)
            ready = folder / f"dvc{stages}-ready"
            write_dvc(ready, stages)
            for n in range(stages):
                (ready / f"out/{n}.txt").write_text(f"{n}\n")
            # Takes the files for the stages' own, as --touch does; running them took 14 minutes.
            seconds_of(["dvc", "commit", "--force", "--quiet"], ready)
            commands[f"DVC, nothing to do, {stages} stages"] = (["dvc", "repro"], ready)
        times: dict[str, list[float]] = {title: [] for title in commands}
        for _ in range(options.repeats):
            for title, (command, where) in commands.items():
                times[title].append(seconds_of(command, where))
        medians = {title: statistics.median(found) for title, found in times.items()}
        for title, median in medians.items():
            kind = "dry run" if "dry run" in title else "nothing to do"
            ratio = median / medians[f"Caduceus, {kind}"]
            print(f"{title:36}{median:8.2f} s   {ratio:5.2f} of ours")


if __name__ == "__main__":
    main()
