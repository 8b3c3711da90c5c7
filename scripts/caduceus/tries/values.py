"""The metric of the runs that decide a try, in pairs of the same seed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caduceus.io.cells import render
from caduceus.runs.record import RunRecord
from caduceus.runs.used_files import stale_files
from caduceus.runs.variants import leaves


@dataclass(frozen=True)
class Failed:
    """Why a run has no value."""

    run: str
    reason: str


Value = float | Failed | None  # None: the run is still to be trained


class TryFailedError(Exception):
    """A run of the try has no value."""

    def __init__(self, failed: Failed):
        super().__init__(f"run {failed.run}: {failed.reason}")


@dataclass(frozen=True)
class Pairs:
    """Pairs of runs of the same seed.

    Attributes:
        own: the values of the try, in the order of the seeds; empty while some runs are to be
            trained.
        incumbent: those of the incumbent.
        seeds: those of the values, or of the pairs to come.
        to_train: the seeds of runs to be trained, of the try and of the incumbent.
        left_out: seeds on which the incumbent failed.
    """

    own: tuple[float, ...] = ()
    incumbent: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    to_train: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    left_out: tuple[int, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether no run is to be trained."""
        return not any(self.to_train)


def read_value(record: RunRecord, metric: str) -> Value:
    """Return the metric of a run from its summary.

    A value that isn't finite counts as a failure, and so does a run without the metric. A finished
    run whose other files have changed since is still to be trained, and so is a failed one that
    `caduceus retry` has cleared.
    """
    is_exported = record.exported is not None and record.folder.manifest_json.exists()
    if not is_exported or stale_files(record.folder):
        return None
    if record.summary.state != "finished":
        if record.train is None:
            return None
        error = record.train.error if record.train else None
        return Failed(record.run, error or record.summary.state)
    summary = dict(leaves(record.summary.summary))
    value = summary.get(metric)
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = f"logged no number {metric}" if value is None else f"{metric} is no number"
        return Failed(record.run, what)
    number = float(value)
    return number if math.isfinite(number) else Failed(record.run, f"{metric} is {render(number)}")


def pair_up(
    seeds: Sequence[int],
    wanted: int,
    own: Callable[[int], Value],
    incumbent: Callable[[int], Value],
) -> Pairs:
    """Return the first pairs of a list of seeds, without those on which the incumbent failed.

    Args:
        seeds: in the order planned.
        wanted: how many pairs.
        own: the value of the try's run with a seed.
        incumbent: that of the incumbent's run.

    Raises:
        TryFailedError: a run of the try has no value.
    """
    used: list[int] = []
    left_out: list[int] = []
    missing: tuple[list[int], list[int]] = ([], [])
    values: list[tuple[float, float]] = []
    for seed in seeds:
        if len(used) == wanted:
            break
        other = incumbent(seed)
        if isinstance(other, Failed):
            left_out.append(seed)
            continue
        value = own(seed)
        if isinstance(value, Failed):
            raise TryFailedError(value)
        used.append(seed)
        if value is not None and other is not None:
            values.append((value, other))
        if value is None:
            missing[0].append(seed)
        if other is None:
            missing[1].append(seed)
    is_complete = len(values) == len(used)
    return Pairs(
        own=tuple(value for value, _ in values) if is_complete else (),
        incumbent=tuple(other for _, other in values) if is_complete else (),
        seeds=tuple(used),
        to_train=(tuple(missing[0]), tuple(missing[1])),
        left_out=tuple(left_out),
    )
