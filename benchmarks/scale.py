"""A dry run and a run with nothing to do, on 1,000 planned runs, beside DVC on as many stages.

    pip install 'caduceus-ml[benchmark]'
    python benchmarks/scale.py

A run of ours is five jobs (plan, identity, training, artifacts, export), a stage of DVC's one
command. DVC is therefore timed on as many stages as there are runs, and on as many as there are
jobs. The commands are timed in turn, the whole process each time. Without
DVC, ours are timed alone.
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

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SNAKEMAKE = ["snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "2"]
AS_MAKE = [*SNAKEMAKE, "--scheduler", "greedy"]
FOLDERS = ("media", "artifacts", "code")  # the outputs that are folders


def seconds_of(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    output_of(command, folder)
    return time.perf_counter() - started


def output_of(command: list[str], folder: Path) -> str:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}\n{finished.stdout[-2000:]}{finished.stderr[-2000:]}")
    return finished.stdout


def write_project(folder: Path, runs: int) -> None:
    """A project of one experiment, planned only."""
    (folder / "experiments").mkdir(parents=True)
    (folder / "experiments/train.py").write_text("print('trained')\n")
    experiment = {
        "id": "scale",
        "type": "baseline",
        "program": "experiments/train.py",
        "matrix": {
            "learning_rate": [0.1, 0.01, 0.001, 0.0001],
            "width": list(range(min(25, runs // 4))),
        },
        "seeds": list(range(max(1, runs // 100))),
    }
    (folder / "experiments/scale.yaml").write_text(yaml.safe_dump(experiment))
    config = {"experiments": ["experiments/scale.yaml"]}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def finish_project(folder: Path) -> None:
    """Make every file that the project lacks, and have Snakemake take all for its own."""
    _, *rows = output_of([*SNAKEMAKE, "--summary"], folder).splitlines()
    for row in rows:
        path = folder / row.partition("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            continue
        if path.name in FOLDERS:
            path.mkdir()
        else:  # Snakemake's last act is to print the verdicts of claims.json
            path.write_text('{"claims": []}' if path.suffix == ".json" else path.name)
    seconds_of([*SNAKEMAKE, "--touch"], folder)


def write_dvc(folder: Path, stages: int) -> None:
    """Make as many stages of one command each."""
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
    parser.add_argument("--runs", type=int, default=1000, help="planned: hundreds, or few (1000)")
    parser.add_argument("--repeats", type=int, default=3, help="of each command (3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder / "planned", options.runs)
        write_project(folder / "finished", options.runs)
        finish_project(folder / "finished")
        commands = {
            "Caduceus, dry run": ([*SNAKEMAKE, "--dry-run"], folder / "planned"),
            "Caduceus, nothing to do": (SNAKEMAKE, folder / "finished"),
        }
        has_dvc = shutil.which("dvc") is not None
        if not has_dvc:
            print("without DVC, which isn't installed: pip install 'caduceus-ml[benchmark]'")
        for stages in (options.runs, 5 * options.runs) if has_dvc else ():
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
