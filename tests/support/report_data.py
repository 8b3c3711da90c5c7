"""Results as a report reads them, of runs that nobody has trained."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from caduceus.exports.group_history import RunHistory, write_history
from caduceus.io.cells import to_csv
from caduceus.io.files import write_whole

METRICS = ("train/loss", "val/accuracy")


def write_group(
    folder: Path, variants: Sequence[str], seeds: int, rows: int, **changed: Mapping[str, Any]
) -> list[str]:
    """Write results/groups/GROUP of an experiment, every run a curve of its own.

    Args:
        folder: results/groups/GROUP.
        variants: their names.
        seeds: of each.
        rows: of each run.
        changed: what a run's row in runs.csv has otherwise, by its id, `_` for `-`.

    Returns:
        The ids of the runs.
    """
    about, histories = [], []
    for place, variant in enumerate(variants):
        for seed in range(seeds):
            run = f"toy-v{place}-s{seed}"
            curve = _curve(place, seed, rows)
            row = {
                "run": run,
                "name": f"toy {variant} seed={seed}",
                "experiment": "toy",
                "type": "baseline",
                "variant": variant,
                "seed": seed,
                "state": "finished",
                "error": None,
                "config.rate": 10.0 ** -(1 + place % 4),
                **{f"summary.{name}": curve[-1][name] for name in METRICS},
                "git_commit": "0" * 40,
                "host": "node1",
                "started_at": "2026-01-01T00:00:00+00:00",
                "runtime_s": 60 + place + seed,
                **changed.get(run.replace("-", "_"), {}),
            }
            about.append(row)
            path = folder / f".{run}.csv"
            write_whole(path, to_csv(curve, ["_step"]))
            of_run = {name: row[name] for name in ("run", "experiment", "variant", "seed")}
            histories.append(RunHistory(of_run, path))
    write_history(histories, folder / "history.parquet")
    for history in histories:
        history.csv.unlink()
    write_whole(folder / "runs.csv", to_csv(about, ["run"]))
    return [row["run"] for row in about]


def _curve(place: int, seed: int, rows: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng((place, seed))
    noise = rng.normal(0, 0.02, (rows, 2))
    rate, top = 3 + place % 5, 0.95 - 0.02 * (place % 7) + 0.01 * rng.normal()
    found = []
    for step, (one, other) in enumerate(noise):
        at = math.exp(-rate * step / rows)
        values = (0.1 + 2 * at * math.exp(one), top - (top - 0.1) * at + other / 4)
        found.append({"_step": 10 * step} | dict(zip(METRICS, map(float, values), strict=True)))
    return found
