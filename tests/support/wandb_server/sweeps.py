"""Sweeps: trials of a grid, random ones, and those of W&B's own engine, handed out to agents.

The engine is W&B's package `sweeps`, which its servers ran when it was published.
"""

import itertools
import json
import math
import random
from dataclasses import dataclass
from typing import Any

import sweeps as engine
import yaml

from .nodes import Node, Project, Run
from .store import Store


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

    def commands(self, store: Store, running: dict[str, bool]) -> list[dict[str, Any]]:
        """What an agent is to do that runs these: one trial at a time, while there are any."""
        if running:
            return [{"type": "stop", "run_id": name} for name in running if name in self._stopped()]
        if self.state == "PAUSED":
            return []
        chosen = self._next_trial() if self.state in ("PENDING", "RUNNING") else None
        if chosen is None:
            return [{"type": "exit"}]
        self.trials += 1
        run = store.make_run(self.project, f"{self.name}-{self.trials}")
        args = {name: {"value": value} for name, value in chosen.items()}
        run.config_text, run.sweep_name, run.state = json.dumps(args), self.name, "pending"
        program = self.settings.get("program")
        return [{"type": "run", "run_id": run.name, "program": program, "args": args}]

    def _stopped(self) -> set[str]:
        """The runs that the sweep's rule stops early."""
        if "early_terminate" not in self.settings:
            return set()
        return {run.name for run in engine.stop_runs(self.settings, self._known)}

    @property
    def _known(self) -> list[engine.SweepRun]:
        return [
            engine.SweepRun(
                name=run.name,
                state=run.state,
                config=json.loads(run.config_text),
                history=run.history,
                summary_metrics=run.summary,
            )
            for run in self.runs
        ]

    def _next_trial(self) -> dict[str, Any] | None:
        if self.method == "bayes":
            return self._next_by_bayes()
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

    def _next_by_bayes(self) -> dict[str, Any] | None:
        if self.trials >= self.settings.get("run_cap", math.inf):
            self.state = "FINISHED"
            return None
        self.state = "RUNNING"
        found = engine.next_run(self.settings, self._known)
        return {name: entry["value"] for name, entry in found.config.items()}


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
