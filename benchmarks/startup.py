"""Measure the CPU seconds that starts take: `python benchmarks/startup.py`, two minutes.

Runs the project that `caduceus init` writes, of runs so short that all but the start is overhead,
and beside it the same program in a bare loop with wandb offline. Prints the CPU seconds of each
process tree, and their ratios: those of whole projects to the loop, those of commands to a Python
that does nothing.

Before that, a program with torch and wandb up to its first optimizer step: started afresh, forked
from a process that has imported them (`preload` in an experiment; with all that the fork costs the
server and its client), and beside both a forked child that does nothing. With `--only-starts` no
more than that.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml
from caduceus.system import processes
from caduceus.system.preloading.starting import Preload, fork

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
RATES = (0.01, 0.1)
STEP = """
import torch
import wandb

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters())
model(torch.ones(8, 4)).sum().backward()
optimizer.step()
"""
PRELOADED = ("torch", "torch._dynamo", "wandb")


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


def start_cpu_s(folder: Path, program: str, modules: tuple[str, ...] | None) -> float:
    """CPU seconds of a program from its start to its end; with `modules`, of a fork of them."""
    words = [sys.executable, program]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "console").open("wb") as console, Path(os.devnull).open() as nothing:
        if modules is None:
            return processes.run(words, folder, environment, console).cpu_s
        before = time.process_time()
        descriptors = {0: nothing.fileno(), 1: console.fileno(), 2: console.fileno()}
        preload = Preload(modules, owner=os.getpid())
        forked = fork(words, folder, environment, descriptors, preload)
        guard = psutil.Process(forked.guard)
        server = guard.parent()
        assert server is not None
        until_now = sum(server.cpu_times()[:4])
        processes.run(words, folder, environment, console, forked=forked)
    guard.wait()  # its parent then counts what it and the program used
    while server.children():
        time.sleep(0.01)
    return sum(server.cpu_times()[:4]) - until_now + time.process_time() - before


def compare_starts(folder: Path, repeats: int) -> None:
    (folder / "step.py").write_text(STEP)
    (folder / "nothing.py").write_text("")
    start_cpu_s(folder, "step.py", PRELOADED)  # starts the server
    ways = {
        "fresh": ("step.py", None),
        "forked": ("step.py", PRELOADED),
        "a bare child": ("nothing.py", PRELOADED),
    }
    found = {
        way: statistics.median(start_cpu_s(folder, *given) for _ in range(repeats))
        for way, given in ways.items()
    }
    print("CPU seconds                     of torch and wandb up to the first optimizer step")
    for way, seconds in found.items():
        print(f"  {way:<28}{seconds:8.3f}  {seconds / found['fresh']:6.3f} times the fresh start's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="two runs each (3)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of a command (5)")
    parser.add_argument("--only-starts", action="store_true", help="no project, no commands")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compare_starts(Path(name), options.repeats)
        if options.only_starts:
            return
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
