"""The cost of attempts together: time, processors, GPUs, memory, energy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from caduceus.runs.files.attempt import Attempt

_HOUR_S, _KWH_J = 3600, 3.6e6


@dataclass(frozen=True)
class Cost:
    """Sum the cost of attempts; a sum is None if no attempt knows its part.

    Attributes:
        attempts: how many there are.
        wall_hours: the sum of their times, whether or not they ran at the same time.
        cpu_hours: processor hours.
        gpu_hours: hours for which GPUs were taken, summed over them; a share of a GPU counts as
            such.
        gpu_hours_by_model: the same by the GPU's model.
        energy_kwh: the energy of the GPUs.
        peak_memory_gb: 10^9 bytes, of the largest process.
        unmeasured: how many attempts lack their processor time, and so aren't in the sums.
        unmetered: how many attempts with GPUs lack their energy.
        shared: how many of them had a share of a GPU, whose energy belongs to several runs.
    """

    attempts: int
    wall_hours: float
    cpu_hours: float | None
    gpu_hours: float | None
    gpu_hours_by_model: dict[str, float]
    energy_kwh: float | None
    peak_memory_gb: float | None
    unmeasured: int
    unmetered: int
    shared: int


def total_cost(attempts: Sequence[Attempt]) -> Cost:
    """Sum up what attempts cost."""
    has_gpus = [attempt for attempt in attempts if attempt.gpus]
    energies = [attempt.energy_j for attempt in has_gpus]
    known_gpus = [attempt for attempt in attempts if attempt.gpus is not None]
    by_model: dict[str, float] = {}
    for attempt in has_gpus:
        for name in attempt.gpu_names:
            hours = attempt.wall_s * (attempt.gpu_share or 1) / _HOUR_S
            by_model[name] = by_model.get(name, 0.0) + hours
    return Cost(
        attempts=len(attempts),
        wall_hours=fsum(attempt.wall_s for attempt in attempts) / _HOUR_S,
        cpu_hours=_sum((attempt.cpu_s for attempt in attempts), _HOUR_S),
        gpu_hours=_sum((attempt.gpu_s for attempt in known_gpus), _HOUR_S),
        gpu_hours_by_model=dict(sorted(by_model.items())),
        energy_kwh=_sum(energies, _KWH_J),
        peak_memory_gb=max(
            (a.peak_memory_gb for a in attempts if a.is_measured and a.peak_memory_gb is not None),
            default=None,
        ),
        unmeasured=sum(not attempt.is_measured for attempt in attempts),
        unmetered=energies.count(None),
        shared=sum(attempt.gpu_share is not None for attempt in has_gpus),
    )


def _sum(values: Iterable[float | None], unit: float) -> float | None:
    """Sum up the known values in `unit`, exactly in any order; None if no value is known."""
    known = [value for value in values if value is not None]
    return fsum(known) / unit if known else None
