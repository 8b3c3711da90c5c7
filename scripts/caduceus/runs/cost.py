"""What attempts cost together: time, processors, GPUs, memory, energy."""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any

from caduceus.runs.attempts import Attempt, gpu_seconds
from caduceus.runs.files.export import Summary

_HOUR_S, _KWH_J = 3600, 3.6e6


def elsewhere(summary: Summary) -> Attempt:
    """A run that was made elsewhere, as an attempt: only the time of its last process is known.

    Args:
        summary: run_summary.json.
    """
    return {
        "attempt": None,
        "state": summary.state,
        "started_at": summary.started_at,
        "host": summary.host,
        "commit": summary.git.commit or None,
        "lost_s": None,
        "wall_s": summary.runtime_s or 0.0,
        "cpu_s": None,
        "peak_memory_gb": None,
        "gpus": None,
    }


def is_measured(attempt: Attempt) -> bool:
    """Whether more is known than the time: not if it was made elsewhere or nobody saw its end."""
    return attempt["cpu_s"] is not None


def total_cost(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """What attempts cost together.

    Returns:
        `attempts` (how many), `wall_hours` (summed over them, whatever ran at the same time),
        `cpu_hours`, `gpu_hours` (for which GPUs were taken), `gpu_hours_by_model`, `energy_kwh`
        (of the GPUs), `peak_memory_gb` (10^9 bytes, the largest process), each null if no attempt
        says it; `unmeasured` and `unmetered`: how many attempts there are whose processor time, and
        with GPUs whose energy, isn't known, and so isn't in the sums.
    """
    has_gpus = [attempt for attempt in attempts if attempt["gpus"]]
    energies = [attempt.get("energy_j") for attempt in has_gpus]
    known_gpus = [attempt for attempt in attempts if attempt["gpus"] is not None]
    by_model: dict[str, float] = {}
    for attempt in has_gpus:
        for name in gpu_names(attempt):
            by_model[name] = by_model.get(name, 0.0) + attempt["wall_s"] / _HOUR_S
    return {
        "attempts": len(attempts),
        "wall_hours": fsum(attempt["wall_s"] for attempt in attempts) / _HOUR_S,
        "cpu_hours": _sum((attempt["cpu_s"] for attempt in attempts), _HOUR_S),
        "gpu_hours": _sum(map(gpu_seconds, known_gpus), _HOUR_S),
        "gpu_hours_by_model": dict(sorted(by_model.items())),
        "energy_kwh": _sum(energies, _KWH_J),
        "peak_memory_gb": max(
            (attempt["peak_memory_gb"] for attempt in attempts if is_measured(attempt)),
            default=None,
        ),
        "unmeasured": sum(not is_measured(attempt) for attempt in attempts),
        "unmetered": energies.count(None),
    }


def gpu_names(attempt: Attempt) -> list[str]:
    """The models of an attempt's GPUs, one for each."""
    models = attempt.get("gpu_models") or [None] * len(attempt["gpus"] or ())
    return [model["name"] if model else "unknown model" for model in models]


def _sum(values: Iterable[float | None], unit: float) -> float | None:
    """The sum of what is known, in `unit`, exact whatever the order; None if nothing is."""
    known = [value for value in values if value is not None]
    return fsum(known) / unit if known else None
