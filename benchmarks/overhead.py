"""Compare the pipeline with plain ways to train: `python benchmarks/overhead.py`.

An ordinary program, which trains a small network by torch and logs with wandb, runs with one seed
after another, on two cores or one (`--cores 1`), by each of these ways in turn:

- preloaded: Caduceus, up to the exported runs and the table of their group; the experiment has
  `preload: auto`, so that all but the first runs are forked from a process that has imported what
  these did
- pipeline: the same without `preload`
- loop: the same program in a shell loop, as many at a time as there are cores, with wandb offline
- untracked loop: the same without wandb
- one process: one for each core, which trains its share of the seeds and logs each as a run of
  wandb: nothing is imported twice. On one core that is one process that trains all.
- untracked process: the same without wandb

Prints for runs of each length the wall and the CPU time of each way, the ratios to it of the first
two, and how long cores idled: cores times wall less CPU time. CPU time counts all processes, and
depends less on what else the machine does; wall and idle times need a machine with nothing beside.
"""

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from caduceus.runs.files.train import Train
from caduceus.system.descendants import found_descendants

PYTHON = sys.executable
os.environ["PATH"] = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
os.environ |= {"WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}  # as the pipeline gives a run
MODEL = '''\
"""A classifier of random points, trained with Adam."""

import torch


def train(log, steps, seed):
    torch.manual_seed(seed)
    x = torch.randn(4000, 64)
    y = (x[:, :8].prod(dim=1) > 0).long()
    hidden = torch.nn.Linear(64, 256)
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Linear(256, 2))
    optimizer = torch.optim.Adam(model.parameters())
    for step in range(steps):
        chosen = torch.randint(len(x), (100,))
        loss = torch.nn.functional.cross_entropy(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            log({"step": step, "train/loss": loss.item()})
'''
TRACKED = '''\
"""Trains seeds one after another, and logs each as a run of wandb."""

import argparse
import contextlib

import wandb
from model import train

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int)
parser.add_argument("--seed", type=int, nargs="+")
options = parser.parse_args()
for seed in options.seed:
    with wandb.init(config={"steps": options.steps, "seed": seed}) as run:
        train(run.log, options.steps, seed)
'''
UNTRACKED = '''\
"""Trains seeds one after another, and logs nothing. Prints the CPU seconds of each."""

import sys
import time

from model import train

steps, *seeds = map(int, sys.argv[1:])
for seed in seeds:
    started = time.process_time()
    train(lambda row: None, steps, seed)
    print(time.process_time() - started)
'''
TABLE = "results/groups/baseline/runs.csv"
BUILD = ["snakemake", TABLE, "--quiet", "all", "--cores"]
WAYS = ("preloaded", "pipeline", "loop", "untracked loop", "one process", "untracked process")


@dataclass(frozen=True)
class Cost:
    """The wall time and the CPU time of a command and all processes below it, in seconds."""

    wall: float
    cpu: float


def measure(words: list[str], folder: Path) -> Cost:
    """Run a command; the CPU time of processes that outlive it counts too."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:  # a pipe would wait for those processes too
        with found_descendants(), contextlib.suppress(ChildProcessError):
            finished = subprocess.run(words, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            wall = time.perf_counter() - started
            while True:
                os.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if finished.returncode:
            output.seek(0)
            sys.exit(output.read())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


def write_project(folder: Path, runs: int, steps: int, preload: str | None = None) -> None:
    experiment = {
        "id": "net",
        "type": "baseline",
        "hypothesis": "Adam learns.",
        "program": "experiments/tracked.py",
        "parameters": {"steps": steps},
        "seeds": list(range(runs)),
        "preload": preload or [],
        "metric": {"name": "train/loss", "goal": "minimize"},
    }
    measure(["caduceus", "init", str(folder)], folder.parent)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"experiments": ["experiments/net.yaml"], "paper": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "experiments/net.yaml").write_text(yaml.safe_dump(experiment))
    for name, text in {"model": MODEL, "tracked": TRACKED, "untracked": UNTRACKED}.items():
        (folder / f"experiments/{name}.py").write_text(text)


def at_a_time(cores: int, command: str, shares: list[str], folder: Path) -> Cost:
    """Run a command once for each share, which follows it, and as many at a time as cores."""
    loop = f"printf '%s\\n' \"$@\" | xargs -P {cores} -I SHARE sh -c '{command} SHARE'"
    return measure(["sh", "-c", loop, "sh", *shares], folder)


def measure_ways(
    preloaded: Path, pipeline: Path, runs: int, steps: int, cores: int
) -> dict[str, Cost]:
    """Run all seeds by each way, in two projects that differ only in what is preloaded."""
    seeds = [str(seed) for seed in range(runs)]
    tracked = f"{PYTHON} experiments/tracked.py --steps={steps} --seed"
    untracked = f"{PYTHON} experiments/untracked.py {steps}"
    shares = [" ".join(seeds[first::cores]) for first in range(min(cores, runs))]
    return {
        "untracked process": at_a_time(cores, untracked, shares, pipeline),
        "one process": at_a_time(cores, tracked, shares, pipeline),
        "untracked loop": at_a_time(cores, untracked, seeds, pipeline),
        "loop": at_a_time(cores, tracked, seeds, pipeline),
        "pipeline": measure([*BUILD, str(cores)], pipeline),
        "preloaded": measure([*BUILD, str(cores)], preloaded),
    }


def cpu_of_programs(folder: Path) -> float:
    """CPU seconds of the programs that the pipeline ran, all of which must have finished."""
    records = [*map(Train.read, folder.glob("results/runs/*/train.json"))]
    if failed := [record.error for record in records if record.state != "finished"]:
        sys.exit(f"{len(failed)} runs failed: {failed[0]}")
    return sum(attempt.cpu_s or 0.0 for record in records for attempt in record.attempts)


def median_ratio(costs: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(cost / other for cost, other in zip(costs, others, strict=True))


def print_table(seconds: float, runs: int, cores: int, found: Mapping[str, Sequence[Cost]]) -> None:
    title = f"{runs} runs of {seconds:g} s"
    ratios = f"{'preloaded':>12}{'pipeline':>11}"
    print(f"\n{title:<20}{'wall s':>9}{ratios}{'CPU s':>11}{ratios}{'idle s':>9}")
    for way in WAYS:
        line = f"  {way:<18}"
        for kind in ("wall", "cpu"):
            costs = {each: [getattr(cost, kind) for cost in found[each]] for each in found}
            line += f"{statistics.median(costs[way]):{9 if kind == 'wall' else 11}.1f}"
            line += f"{median_ratio(costs['preloaded'], costs[way]):12.2f}"
            line += f"{median_ratio(costs['pipeline'], costs[way]):11.2f}"
        idle = statistics.median(cores * cost.wall - cost.cpu for cost in found[way])
        print(f"{line}{idle:9.1f}")


def steps_per_second(folder: Path) -> float:
    """How fast the network trains, after the first optimizer step has imported parts of torch."""
    steps = 1000
    words = [PYTHON, "experiments/untracked.py", str(steps), "0", "1"]
    printed = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    return steps / float(printed.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=12, help="(12)")
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=[20, 2], help="of training in a run (20 2)"
    )
    parser.add_argument("--repeats", type=int, default=1, help="of all ways (1)")
    parser.add_argument("--cores", type=int, default=2, help="that all ways get (2)")
    options = parser.parse_args()
    cores = options.cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    with tempfile.TemporaryDirectory() as name:
        trial = Path(name) / "trial"
        write_project(trial, 1, 1)
        speed = steps_per_second(trial)
        for seconds in options.seconds:
            steps = max(1, round(seconds * speed))
            found: dict[str, list[Cost]] = {way: [] for way in WAYS}
            beside = []
            for repeat in range(options.repeats):
                pipeline, preloaded = (Path(name) / f"{seconds:g}-{repeat}-{n}" for n in range(2))
                write_project(pipeline, options.runs, steps)
                write_project(preloaded, options.runs, steps, "auto")
                ways = measure_ways(preloaded, pipeline, options.runs, steps, cores)
                for way, cost in ways.items():
                    found[way].append(cost)
                nothing = measure([*BUILD, str(cores)], pipeline)
                cpu_of_programs(preloaded)
                rest = found["pipeline"][-1].cpu - cpu_of_programs(pipeline)
                beside.append((rest - nothing.cpu) / options.runs)
            print_table(seconds, options.runs, cores, found)
            print(
                f"The pipeline's CPU time beside the programs: {statistics.median(beside):.2f} s a "
                f"run, and {nothing.cpu:.1f} s for Snakemake with nothing to do"
            )


if __name__ == "__main__":
    main()
