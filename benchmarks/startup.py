"""Measure the CPU seconds of Caduceus' own processes: `python benchmarks/startup.py`, two minutes.

Runs the project that `caduceus init` writes, of runs so short that all but the start is overhead,
and beside it the same program in a bare loop with wandb offline. Prints the CPU seconds of each
process tree, and their ratios: those of whole projects to the loop, those of commands to a Python
that does nothing.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
RATES = (0.01, 0.1)


def cpu_s(words: list[str], folder: Path) -> float:
    """CPU seconds of a command and all processes below it, which it must wait for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    finished = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished.returncode:
        sys.exit(finished.stdout + finished.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_cpu_s(words: list[str], folder: Path, repeats: int) -> float:
    return statistics.median(cpu_s(words, folder) for _ in range(repeats))


def make_project(folder: Path, seeds: int) -> int:
    """Write the project, and return the number of its runs."""
    cpu_s(["caduceus", "init", str(folder)], folder.parent)
    path = folder / "experiments/first.yaml"
    experiment = yaml.safe_load(path.read_text())
    experiment["seeds"] = list(range(seeds))
    experiment["matrix"] = {"learning_rate": list(RATES)}
    path.write_text(yaml.safe_dump(experiment))
    return seeds * len(RATES)


def bare_loop(folder: Path, seeds: int) -> float:
    """CPU seconds of the project's program, called for each run with wandb offline."""
    os.environ["WANDB_MODE"] = "offline"
    try:
        return sum(
            cpu_s([sys.executable, "experiments/train.py", f"--learning_rate={rate}", seed], folder)
            for rate in RATES
            for seed in (f"--seed={seed}" for seed in range(seeds))
        )
    finally:
        del os.environ["WANDB_MODE"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="two runs each (3)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of a command (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        runs = make_project(folder, options.seeds)
        snakemake = ["snakemake", "--cores", "2", "--quiet", "all"]
        loop = bare_loop(folder, options.seeds)
        group = "results/groups/baseline/runs.csv"
        trained = cpu_s([snakemake[0], group, *snakemake[1:]], folder)
        paper = cpu_s(snakemake, folder)
        print(f"CPU seconds                     of a bare loop over {runs} runs: {loop:.2f}")
        for what, seconds in (("runs, exported", trained), ("and the paper", trained + paper)):
            print(f"  {what:<28}{seconds:8.2f}  {seconds / loop:5.2f} times the loop's")
        python = median_cpu_s([sys.executable, "-c", "pass"], folder, options.repeats)
        print(f"CPU seconds                     of a Python that does nothing: {python:.3f}")
        commands = {
            "caduceus --version": ["caduceus", "--version"],
            "caduceus --help": ["caduceus", "--help"],
            "caduceus status": ["caduceus", "status"],
            "snakemake, nothing to do": snakemake,
        }
        for what, words in commands.items():
            seconds = median_cpu_s(words, folder, options.repeats)
            print(f"  {what:<28}{seconds:8.2f}  {seconds / python:5.1f} times Python's")


if __name__ == "__main__":
    main()
