"""Every benchmark runs, at the smallest size that goes through all of it."""

import os
import re
import subprocess
import sys

import pytest
from chromium import Browser
from projects import REPOSITORY

FOLDER = REPOSITORY / "benchmarks"
# What each prints last.
QUICK = {
    "api.py --rows 50 --repeats 1": "the same rows from both, value by value",
    "board.py --runs 6 --growing 2 --rows 20 --seconds 4": r"a new row arrives after [\d.]+ s",
    "export.py --rows 50 --repeats 1": r"loop with wandb.proto +[\d.]+ s",
    "items.py --share 0.001": r"skewed \(lognormal\) \| [\d.]+ /",
    "scale.py --runs 4 --repeats 1": r"nothing to do",
    "startup.py --only-starts --repeats 1": r"a bare child +[\d.]+ +[\d.]+ times the fresh start's",
    "sweep_search.py --problems branin --lags 1 --trials 12 --seeds 1": r"gp / least other +[\d.]+",
    "sweep_search.py --schedule --trials 10 --seeds 1": r"barrier +[\d.]+ +[\d.]+",
    "tries.py --ledgers 4 --tries 60": r"of these kept \| \d+ \| [\d.]+ \| [+-][\d.]+ \|",
    "verdicts.py --share 0.001": r"unpaired, one claim \| \d+",
}
# Each of these makes whole projects, which takes a minute or more.
LONG = {
    "board.py --shown 3": r"rows are shown [\d.]+ s after run.log",
    "export.py --runs 4": r"directly [\d.]+ s, by Snakemake [\d.]+ s",
    "inodes.py": r"logs a model and pictures: \d+ files and folders",
    "nothing.py --runs 4 --repeats 1": r"caduceus plan, from the stamp +[\d.]+ s",
    "overhead.py --runs 1 --seconds 0.1": r"and [\d.]+ s for Snakemake with nothing to do",
    "startup.py --seeds 1 --repeats 1": r"nothing to do +[\d.]+ +[\d.]+ times Python's",
    "thousands.py --runs 10 --experiments 1": (
        r"(?s)status +.*by Snakemake\n.*stat +.* MB +[\d.]+ times its CPU is ours"
    ),
    "try_series.py --edits 2 --epochs 1": r"nothing: 1 \w+",
    "terminal.py --seeds 1": r"Snakemake's own lines: [\d.]+ kB, [\d.]+ times as much",
}


def run(command: str) -> str:
    name, *words = command.split()
    finished = subprocess.run(
        [sys.executable, str(FOLDER / name), *words],
        cwd=FOLDER,
        env=os.environ | {"WANDB_SILENT": "true"},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.parametrize(
    "command", [*QUICK, *(pytest.param(name, marks=pytest.mark.soak) for name in LONG)]
)
def test_it_runs(command: str) -> None:
    assert re.search((QUICK | LONG)[command], run(command))


def test_the_report_is_made_and_loaded(browser: Browser) -> None:
    # 14 variants: the page shows 12 at first, and then all of them.
    printed = run("report.py --runs 140 --rows 5 --repeats 1")
    assert re.search(r"all variants +[\d.]+ s\n$", printed), printed


def test_every_benchmark_is_among_these() -> None:
    """That of SLURM shares its cluster with test_slurm.py."""
    named = {command.split()[0] for command in [*QUICK, *LONG]}
    assert {path.name for path in FOLDER.glob("*.py")} == named | {"report.py", "slurm.py"}
