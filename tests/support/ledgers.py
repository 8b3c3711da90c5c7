"""Results folders with runs whose attempts cost something."""

import csv
import json
from pathlib import Path
from typing import Any

from caduceus.paper.compute import sum_compute
from caduceus.runs.files.attempt import Attempt, Gpu, Machine
from run_files import attempt as run_attempt
from run_files import identity, plan, summary, train

MACHINE = {"cpu": "Some(R) CPU_7 & more", "cpus": 64, "memory_gb": 515.4}
H100 = {"name": "NVIDIA H100 80GB HBM3", "memory_gb": 85.5}
RTX = {"name": "NVIDIA GeForce RTX 4090", "memory_gb": 25.8}


def attempt(number: int = 1, wall_s: float = 60.0, **changes: Any) -> Attempt:
    """An attempt as train records it."""
    models = changes.get("gpu_models", [])
    values: dict[str, Any] = {
        "lost_s": None,
        "machine": Machine(**MACHINE),
        "threads": 4,
        "gpus": tuple(f"GPU-{place}" for place in range(len(models))),
        "commit": "c0ffee",
        "is_dirty": False,
        "environment": "e1",
        "wall_s": wall_s,
        "cpu_s": 2 * wall_s,
        "peak_memory_gb": 1.5,
        "energy_j": 300 * wall_s * len(models) if models else None,
    }
    gpu_models = tuple(Gpu(**model) for model in models)
    return run_attempt(number, **values | changes | {"gpu_models": gpu_models})


KILLED = {"state": "interrupted", "cpu_s": None, "peak_memory_gb": None, "energy_j": None}


class Results:
    """A results folder in the making."""

    def __init__(self, path: Path):
        self.path = path
        self.plans: dict[str, dict[str, str | None]] = {}

    def add(
        self,
        run: str,
        experiment: str,
        *attempts: Attempt,
        trial: str | None = None,
        is_planned: bool = True,
    ) -> None:
        folder = self.path / "runs" / run
        identity(run, experiment=experiment).write(folder / "run.json")
        train(run, *attempts).write(folder / "train.json")
        if is_planned:
            self.plans.setdefault(experiment, {})[run] = trial

    def add_foreign(self, folder: str, runtime_s: float) -> None:
        about = summary(folder.rpartition("/")[2], host="h", runtime_s=runtime_s)
        about.write(self.path / folder / "run_summary.json")

    def sum(self) -> dict[str, Any]:
        paths = []
        for experiment, runs in self.plans.items():
            paths.append(self.path / f"experiments/{experiment}.json")
            plan(runs, id=experiment).write(paths[-1])
        sum_compute(paths, self.path / "paper")
        return json.loads((self.path / "paper/compute.json").read_text())

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.path / "paper/attempts.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    @property
    def latex(self) -> str:
        return " ".join((self.path / "paper/compute.tex").read_text().replace("~", " ").split())


def add_everything(results: Results) -> None:
    """Runs of every kind, with every fate."""
    two = {"gpu_models": [H100, H100]}
    results.add("good-1", "big_model", attempt(1, 7200, **two))
    lost = {"lost_s": 100.0, "gpu_models": [H100]}
    results.add(
        "good-2",
        "big_model",
        attempt(1, 50, state="failed", gpu_models=[H100]),
        attempt(2, 600, **lost | KILLED),
        attempt(3, 5400, gpu_models=[H100]),
    )
    results.add("bad", "big_model", attempt(1, 30, state="failed", gpu_models=[RTX]))
    for number in range(3):
        results.add(f"s-t{number:04d}", "tuning", attempt(1, 600), trial=f"{number:04d}")
    results.add("old", "big_model", attempt(1, 3600, gpu_models=[RTX]), is_planned=False)
    results.add_foreign("projects/team/other/runs/theirs", 900)
