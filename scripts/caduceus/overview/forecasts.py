"""How long runs may take, estimated from finished ones."""

import heapq
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from caduceus.runs.record import RunRecord


@dataclass(frozen=True)
class Duration:
    """The seconds of a finished run over all its attempts, without lost time."""

    program: str
    experiment: str
    variant: str
    seconds: float


def durations_of(records: Iterable[RunRecord]) -> list[Duration]:
    """Return the durations of the finished runs; runs with a damaged file are left out."""
    return [
        Duration(
            record.params.program,
            record.identity.experiment,
            record.identity.variant,
            record.train.kept_s,
        )
        for record in records
        if not record.damage
        and record.train
        and record.train.state == "finished"
        and record.folder.params_json.exists()
    ]


class TypicalDurations:
    """How long runs take, by those that have finished."""

    def __init__(self, durations: Iterable[Duration]) -> None:
        self._seconds: dict[tuple[str, ...], list[float]] = {}
        for each in durations:
            kinds = (each.program, each.experiment, each.variant)
            for length in (1, 2, 3):
                self._seconds.setdefault(kinds[:length], []).append(each.seconds)
        self._medians: dict[tuple[str, ...], float] = {}

    def seconds_of(self, program: str, experiment: str, variant: str) -> float | None:
        """Return the median seconds of the most similar runs; None if there are none.

        These are runs of the same variant, else of the same experiment, else of the same program.
        """
        kinds = (program, experiment, variant)
        similar = next((kinds[:n] for n in (3, 2, 1) if kinds[:n] in self._seconds), None)
        if similar is None:
            return None
        if similar not in self._medians:
            self._medians[similar] = statistics.median(self._seconds[similar])
        return self._medians[similar]


def makespan_s(tasks: Iterable[tuple[float, int]], cores: int) -> float:
    """Return the seconds until the last of several tasks ends, if the longest start first.

    Args:
        tasks: seconds and threads of each.
        cores: how many threads there are; a task that wants more gets all.
    """
    free = [0.0] * cores  # when each core is free
    for seconds, threads in sorted(tasks, reverse=True):
        taken = [heapq.heappop(free) for _ in range(min(threads, cores))]
        for _ in taken:
            heapq.heappush(free, max(taken) + seconds)
    return max(free)


def duration_text(seconds: float) -> str:
    """Return a duration for a reader: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
