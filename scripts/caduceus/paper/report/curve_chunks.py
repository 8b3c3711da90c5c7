"""Write curves as chunks of packed numbers, each of which a page decodes when it draws from it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from caduceus.io.files import Json
from caduceus.paper.report.packing import pack
from caduceus.statistics.samples import Array

_POINTS = 32_768  # about 1 MB for averages
_LARGEST_EXACT = 2**24  # whole numbers up to here are exact in single precision
_MOST_TICKS = 4000  # places of the slider, more than a screen has pixels


@dataclass(frozen=True)
class OwnedCurve:
    """A curve of a variant or run (its index), with steps (n,) and series (series, n)."""

    owner: int
    steps: Array
    series: Array


@dataclass(frozen=True)
class Curves:
    """Written curves.

    Attributes:
        head: `owners` and `lengths` of the curves; by chunk, the number of its `curves` and the
            bytes of each of its `steps`, 4 or 8; the number of `series`.
        chunks: the packed steps and values of each chunk. Steps follow each other curve by curve;
            so do values, in single precision, and those of a curve series by series.
        ticks: values of the axis at which curves have points, evenly chosen if there are many.
    """

    head: dict[str, Json]
    chunks: list[tuple[str, str]]
    ticks: list[float]


@dataclass
class CurveWriter:
    """Packs curves as they come.

    Attributes:
        kind: of steps; with np.float32, large steps are in double precision nevertheless.
        points: of a chunk, after which the next one begins.
    """

    kind: type[Any]
    points: int = _POINTS
    _owners: list[int] = field(default_factory=list)
    _lengths: list[int] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _chunks: list[tuple[str, str]] = field(default_factory=list)
    _pending: list[OwnedCurve] = field(default_factory=list)
    _pending_points: int = 0
    _series: int = 0
    _ticks: list[Array] = field(default_factory=list)

    def add(self, curve: OwnedCurve) -> None:
        """Add a curve."""
        self._owners.append(curve.owner)
        self._lengths.append(len(curve.steps))
        self._series = len(curve.series)
        self._pending.append(curve)
        self._pending_points += len(curve.steps)
        if self._pending_points >= self.points:
            self._write()

    def written(self) -> Curves:
        """Return all curves."""
        self._write()
        head: dict[str, Json] = {
            "owners": list(self._owners),
            "lengths": list(self._lengths),
            "curves": list(self._counts),
            "steps": list(self._sizes),
            "series": self._series,
        }
        ticks = np.unique(np.concatenate([*self._ticks, np.empty(0)]))
        return Curves(head, self._chunks, _evenly(ticks).tolist())

    def _write(self) -> None:
        if not self._pending:
            return
        steps = [curve.steps for curve in self._pending]
        kind = self.kind if max(map(_largest, steps)) <= _LARGEST_EXACT else np.float64
        packed = pack(steps, kind), pack([curve.series for curve in self._pending], np.float32)
        self._chunks.append(packed)
        self._counts.append(len(steps))
        self._sizes.append(np.dtype(kind).itemsize)
        if self.kind is np.float64:
            self._ticks = [_evenly(np.unique(np.concatenate([*self._ticks, *steps])))]
        self._pending.clear()
        self._pending_points = 0


def _largest(steps: Array) -> float:
    return float(np.abs(steps).max(initial=0))


def _evenly(ticks: Array) -> Array:
    if len(ticks) <= _MOST_TICKS:
        return ticks
    chosen: Array = ticks[np.linspace(0, len(ticks) - 1, _MOST_TICKS).round().astype(int)]
    return chosen
