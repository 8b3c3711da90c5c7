"""Sweeps: trials of a grid, or random ones, handed out to agents."""

import itertools
import math
import random
from dataclasses import dataclass
from typing import Any

import yaml

from .nodes import Node, Project, Run


@dataclass(kw_only=True, eq=False)
class Sweep(Node):
    project: Project
    config: str = "{}"
    state: str = "PENDING"
    description: str | None = None
    display_name: str | None = None
    trials: int = 0

    @property
    def name(self) -> str:
        return f"sweep{self.number:03}"

    @property
    def settings(self) -> dict[str, Any]:
        return yaml.safe_load(self.config)

    @property
    def method(self) -> str | None:
        return self.settings.get("method")

    @property
    def runs(self) -> list[Run]:
        return [run for run in self.project.runs.values() if run.sweep_name == self.name]

    def commands(self, running: dict[str, bool]) -> list[dict[str, Any]]:
        """What an agent is to do that runs these: one trial at a time, while there are any."""
        if running or self.state == "PAUSED":
            return []
        chosen = self._next_trial() if self.state in ("PENDING", "RUNNING") else None
        if chosen is None:
            return [{"type": "exit"}]
        self.trials += 1
        return [
            {
                "type": "run",
                "run_id": f"{self.name}-{self.trials}",
                "program": self.settings.get("program"),
                "args": {name: {"value": value} for name, value in chosen.items()},
            }
        ]

    def _next_trial(self) -> dict[str, Any] | None:
        parameters = self.settings["parameters"]
        draw = random.Random(f"{self.name} {self.trials}")
        chosen = {name: _draw(draw, spec) for name, spec in parameters.items()}
        if self.method == "grid":
            axes = [spec.get("values", [spec.get("value")]) for spec in parameters.values()]
            points = itertools.islice(itertools.product(*axes), self.trials, None)
            chosen = dict(zip(parameters, next(points, ()), strict=False))
        is_over = not chosen or self.trials >= self.settings.get("run_cap", math.inf)
        self.state = "FINISHED" if is_over else "RUNNING"
        return None if is_over else chosen


@dataclass(kw_only=True, eq=False)
class Agent(Node):
    sweep: Sweep
    host: str


def _draw(draw: random.Random, spec: dict[str, Any]) -> Any:
    if "parameters" in spec:
        return {name: _draw(draw, inner) for name, inner in spec["parameters"].items()}
    if "min" in spec:
        low, high = spec["min"], spec["max"]
        return draw.uniform(low, high) if isinstance(low + high, float) else draw.randint(low, high)
    return draw.choice(spec.get("values", [spec.get("value")]))
