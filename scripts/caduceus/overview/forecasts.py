"""How long runs may take, by those that were made before."""

import heapq
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json


@dataclass(frozen=True)
class Duration:
    """How long a finished run took in all its attempts, without what was lost, in seconds."""

    program: str
    experiment: str
    variant: str
    seconds: float


def read_durations(results: Path) -> list[Duration]:
    """Those of all finished runs below `results`."""
    found = []
    for path in sorted((results / "runs").glob("*/train.json")):
        train = read_json(path)
        if train["state"] != "finished" or not path.with_name("params.json").exists():
            continue
        identity: dict[str, Any] = read_json(path.with_name("run.json"))
        program = read_json(path.with_name("params.json"))["program"]
        seconds = train["compute"]["wall_s"] - train["compute"]["lost_s"]
        found.append(Duration(program, identity["experiment"], identity["variant"], seconds))
    return found


def typical_s(
    durations: Iterable[Duration], program: str, experiment: str = "", variant: str = ""
) -> float | None:
    """The median of the runs that are most alike, in seconds; None if none is.

    Those of the same variant of an experiment, else of the same experiment, else of the same
    program.
    """
    of_program = [each for each in durations if each.program == program]
    of_experiment = [each for each in of_program if each.experiment == experiment]
    of_variant = [each for each in of_experiment if each.variant == variant]
    alike = of_variant or of_experiment or of_program
    return statistics.median(each.seconds for each in alike) if alike else None


def makespan_s(works: Iterable[tuple[float, int]], cores: int) -> float:
    """When the last of several works ends, the longest begun first, in seconds.

    Args:
        works: of each its seconds and its threads.
        cores: how many threads there are; who wants more gets all.
    """
    free = [0.0] * cores  # when each core is free
    for seconds, threads in sorted(works, reverse=True):
        taken = [heapq.heappop(free) for _ in range(min(threads, cores))]
        for _ in taken:
            heapq.heappush(free, max(taken) + seconds)
    return max(free)


def in_words(seconds: float) -> str:
    """A duration for the reader: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
