"""The curve of a metric of a run: from its export, or from its growing logs."""

import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.io.csv_rows import columns_of
from caduceus.io.files import Json
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.overview.board.columns import Column, join
from caduceus.overview.board.growing_history import GrowingHistory, is_system
from caduceus.overview.board.run_rows import NOT_FINITE
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.paper.history_values import number_columns
from caduceus.runs.files.export import STEP, Summary
from caduceus.runs.variants import leaves
from caduceus.statistics.curves import on_axis
from caduceus.statistics.samples import Array

MEMORY = 256_000_000  # bytes of decoded histories that are kept
_RUNTIME = TIME_COLUMNS[0]
_HISTORY, _SYSTEM = "metrics_history.csv", "system_metrics.csv"


@dataclass(frozen=True)
class Series:
    """A metric on an axis, by the axis: places and values, both (n,).

    Attributes:
        axis: the axis that was taken.
        is_in_order: whether it has the rows as they were logged, so that later rows only add to it.
    """

    axis: str
    places: Array
    values: Array
    is_in_order: bool = True


@dataclass(frozen=True)
class RunMetrics:
    """The metrics of a run, each with its axis; those that the program hid are left out."""

    axes: Mapping[str, str] = field(default_factory=dict)


class Histories:
    """Decoded histories; of those that weren't asked for lately the memory is freed.

    Args:
        memory: bytes to keep.
    """

    def __init__(self, memory: int = MEMORY):
        self._memory = memory
        self._exported: OrderedDict[tuple[str, str, str, str], Series] = OrderedDict()
        self._metrics: dict[str, tuple[str, RunMetrics]] = {}
        self._growing: OrderedDict[str, GrowingHistory] = OrderedDict()

    def series(self, tracked: TrackedRun, metric: str, axis: str | None) -> Series:
        """Return the curve of a metric; an empty one if the run hasn't logged it.

        Args:
            tracked: the run.
            metric: the metric.
            axis: None for the one that the program declared, else `_step`.

        Raises:
            ResultError: its export is damaged.
        """
        own = self.metrics(tracked).axes.get(metric, STEP)
        chosen = axis or own
        if tracked.history is not None:
            self._keep(tracked)
            return _growing_series(tracked.history, metric, chosen)
        if not tracked.is_exported:
            return Series(chosen, np.empty(0), np.empty(0))
        key = (tracked.run, tracked.epoch, metric, chosen)
        if key not in self._exported:
            if "pyarrow" not in sys.modules:  # with it histories are read several times as fast
                import_light_pyarrow()
            self._exported[key] = _exported_series(tracked.folder.path, metric, chosen)
            self._free()
        self._exported.move_to_end(key)
        return self._exported[key]

    def metrics(self, tracked: TrackedRun) -> RunMetrics:
        """Return what a run logs as numbers.

        Raises:
            ResultError: its export is damaged.
        """
        if tracked.history is not None:
            self._keep(tracked)
            return _growing_metrics(tracked.history)
        if not tracked.is_exported:
            return RunMetrics()
        known = self._metrics.get(tracked.run)
        if known is None or known[0] != tracked.epoch:
            known = tracked.epoch, _exported_metrics(tracked.folder.path)
            self._metrics[tracked.run] = known
        return known[1]

    def forget(self, run: str) -> None:
        """Free all that is kept of a run that is gone."""
        self._metrics.pop(run, None)
        self._growing.pop(run, None)

    def _keep(self, tracked: TrackedRun) -> None:
        """Have the columns of a running run, and free those of others where memory ends."""
        history = tracked.history
        assert history is not None
        self._growing[tracked.run] = history
        self._growing.move_to_end(tracked.run)
        if not history.has_columns:
            history.restore_columns()
            tracked.grow(float("inf"))
        self._free()

    def free(self) -> None:
        """Free the memory of the histories that were asked for longest ago."""
        self._free()

    def _free(self) -> None:
        used = sum(16 * len(each.places) for each in self._exported.values())
        used += sum(history.bytes for history in self._growing.values())
        while used > self._memory and len(self._exported) > 1:
            _, series = self._exported.popitem(last=False)
            used -= 16 * len(series.places)
        while used > self._memory and len(self._growing) > 1:
            _, history = self._growing.popitem(last=False)
            used -= history.bytes
            history.drop_columns()


def _growing_series(history: GrowingHistory, metric: str, axis: str) -> Series:
    is_sampled = metric in history.stats
    columns = history.stats if is_sampled else history.columns
    if is_sampled:
        axis = _RUNTIME  # W&B's own samples have no step
    of_axis, of_metric = columns.get(axis, Column()), columns.get(metric, Column())
    series = _ordered(axis, *join(of_axis, of_metric))
    # Thinning a column moves its rows, so that a page can't continue where it stopped reading.
    is_whole = not of_axis.thinned and not of_metric.thinned
    return replace(series, is_in_order=series.is_in_order and is_whole)


def _ordered(axis: str, places: Array, values: Array) -> Series:
    found = on_axis(places, values)
    is_in_order = not (found.falls or found.replaced or found.without)
    return Series(axis, found.axis, found.values, is_in_order)


def _exported_series(folder: Path, metric: str, axis: str) -> Series:
    path = folder / _HISTORY
    if is_system(metric) and metric in columns_of(folder / _SYSTEM):
        path = folder / _SYSTEM
        axis = axis if not metric.startswith("system.") else _RUNTIME
    found = number_columns(path, [axis, metric])
    if not found:
        return Series(axis, np.empty(0), np.empty(0))
    at, values = found
    both = at.is_there & values.is_there
    return _ordered(axis, at.numbers[both], values.numbers[both])


def _growing_metrics(history: GrowingHistory) -> RunMetrics:
    definitions = history.definitions
    axes = {}
    for name in history.columns:
        defined = definitions.get(name)
        if name[0] != "_" and not (defined and defined.hidden):
            default = _RUNTIME if is_system(name) else STEP
            axes[name] = (defined and defined.step_metric) or default
    axes |= {name: _RUNTIME for name in history.stats if name != _RUNTIME}
    return RunMetrics(axes)


def _exported_metrics(folder: Path) -> RunMetrics:
    summary = Summary.read(folder / "run_summary.json")
    last = dict(leaves(summary.summary))
    media = set(_media(summary.summary))
    axes = {}
    for name in columns_of(folder / _HISTORY):
        defined = (summary.defined_metrics or {}).get(name)
        is_number = _may_be_number(last.get(name, 0))
        is_hidden = name in media or (defined and defined.hidden)
        if name[:1] != "_" and is_number and not is_hidden:
            axes[name] = summary.axis_of(name)
    axes |= dict.fromkeys(_system_columns(folder), _RUNTIME)
    return RunMetrics(axes)


def _system_columns(folder: Path) -> Iterator[str]:
    path = folder / _SYSTEM
    return filter(is_system, columns_of(path) if path.exists() else ())


def _media(values: Mapping[str, Json], above: str = "") -> Iterator[str]:
    """Yield the names of the media in a summary."""
    for key, value in values.items():
        name = above + key.replace(".", "\\.")
        if isinstance(value, Mapping):
            if "_type" in value:
                yield name
            else:
                yield from _media(value, f"{name}.")


def _may_be_number(value: object) -> bool:
    return value in NOT_FINITE or (isinstance(value, int | float) and not isinstance(value, bool))
