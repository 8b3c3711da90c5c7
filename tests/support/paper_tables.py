"""Tables of a paper, made from runs with given values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from caduceus.__main__ import main
from exported_runs import Logged, export_runs, load
from projects import Project

SPEC: dict[str, Any] = {"metrics": {"accuracy": "val/accuracy"}, "decimals": 3}
Values = Mapping[float, Iterable[float | None]]  # of each rate, in the order of the seeds


@dataclass
class Made:
    """The files of a table."""

    folder: Path
    name: str

    def text(self, suffix: str) -> str:
        return (self.folder / f"{self.name}.{suffix}").read_text()

    @property
    def value(self) -> dict[str, Any]:
        return json.loads(self.text("json"))

    @property
    def note(self) -> str:
        return " ".join(self.value["notes"])

    def cells(self, heading: str = "accuracy") -> dict[str, dict[str, Any]]:
        return {row["variant"]: row["cells"][heading] for row in self.value["rows"] if row["cells"]}

    def marks(self, heading: str = "accuracy") -> list[str | None]:
        return [row["cells"][heading]["mark"] for row in self.value["rows"]]


def logs(values: Values) -> Logged:
    """Runs that log one accuracy, and fail where it is None."""
    table = {rate: list(column) for rate, column in values.items()}

    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
        value = table[parameters["rate"]][seed]
        return None if value is None else [{"val/accuracy": value, "val/loss": 1 - value}]

    return logged


def make(
    project: Project, values: Values, spec: Mapping[str, Any] = SPEC, **statistics: Any
) -> Made:
    """The table of runs with these values."""
    plan(project, values)
    return make_of(project, logs(values), spec, **statistics)


def plan(project: Project, values: Values) -> None:
    seeds = len(list(next(iter(values.values()))))
    project.change("experiments/toy.yaml", matrix={"rate": list(values)}, seeds=list(range(seeds)))


def make_of(
    project: Project, logged: Logged, spec: Mapping[str, Any] = SPEC, **statistics: Any
) -> Made:
    """The table of runs that have logged this."""
    project.change("config.yaml", paper={"tables": {"t": spec}, "statistics": statistics})
    export_runs(project, logged)
    return make_again(project)


def make_again(project: Project, *words: str) -> Made:
    """The table, of the runs as they are now, with further arguments of the command."""
    loaded = load(project)
    plans = [project.path / f"results/experiments/{name}.json" for name in loaded.experiments]
    folder = project.path / "results/paper/tables"
    entry, methods = loaded.paper.tables["t"].to_json(), asdict(loaded.paper.statistics)
    settings = ["--spec", json.dumps(entry), "--statistics", json.dumps(methods)]
    assert (
        main(["make-table", *map(str, plans), *settings, *words, "--out", f"{folder}/t.csv"]) == 0
    )
    return Made(folder, "t")


def noise(seed: int, n: int, size: float = 0.01) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, n)


def three_kinds(n: int) -> dict[float, list[float]]:
    """The best, one that can't be told from it, and one that is worse in each pair of seeds."""
    best = 0.8 + noise(1, n)
    return {
        0.1: list(best),
        0.2: list(best + np.resize([-0.025, 0.02], n)),
        0.3: list(best - 0.05 - abs(noise(2, n))),
    }
