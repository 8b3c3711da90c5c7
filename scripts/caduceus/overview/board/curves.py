"""Curves and averages as the page takes them: thinned, and packed as numbers in base64."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from caduceus.errors import CaduceusError
from caduceus.overview.board.answer_texts import Packed
from caduceus.overview.board.columns import thinned
from caduceus.overview.board.series import Histories, Series
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.paper.report.packing import thin
from caduceus.runs.equal_seeds import equal_seeds, repeats
from caduceus.runs.record import RunRecord
from caduceus.statistics.curves import align, breaks, estimate_steps
from caduceus.statistics.estimates import estimate_by
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods

_MOST_STEPS = 2000  # at which averages are computed

Row = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """Curves that are asked for: the metric, its axis (None for its own), and how many points."""

    metric: str
    axis: str | None = None
    points: int = 1000


@dataclass(frozen=True)
class Wanted:
    """A curve that is asked for: from a place on, if the epoch of the run still is this one."""

    run: str
    epoch: str | None = None
    start: int = 0


def curve(tracked: TrackedRun, histories: Histories, query: Query, wanted: Wanted) -> Row:
    """Return a run's curve, or what was added to it; an error of its files is its `error`."""
    try:
        found = histories.series(tracked, query.metric, query.axis)
    except (CaduceusError, OSError, ValueError) as error:
        nothing = Series(query.axis or "_step", np.empty(0), np.empty(0))
        return _curve(tracked, nothing, Wanted(wanted.run), query.points, str(error))
    return _curve(tracked, found, wanted, query.points, None)


def _curve(
    tracked: TrackedRun, series: Series, wanted: Wanted, points: int, error: str | None
) -> Row:
    total = len(series.places)
    holds = wanted.epoch == tracked.epoch and series.is_in_order and 0 < wanted.start <= total
    start = wanted.start if holds else 0
    places, values = series.places[start:], series.values[start:]
    kept = thinned(values, points) if len(values) > points else np.arange(len(values))
    return {
        "run": tracked.run,
        "axis": series.axis,
        "epoch": tracked.epoch,
        "from": start,
        "to": total,
        "is_whole": not holds,
        "count": len(kept),
        "x": packed(places[kept], "<f8"),
        "y": packed(values[kept], "<f4"),
        "segments": tracked.starts if series.axis == "_step" else [],
        "is_thinned": len(kept) < len(values),
        "not_finite": int((~np.isfinite(values)).sum()),
        "error": error,
    }


@dataclass(frozen=True)
class VariantRuns:
    """The runs of a variant whose curves are averaged."""

    experiment: str
    variant: str
    runs: Sequence[TrackedRun]
    error: str | None = None
    repeated: Sequence[str] = ()  # runs whose rows are those of another seed, which count once

    @classmethod
    def of(
        cls, experiment: str, variant: str, runs: Sequence[TrackedRun], folds: int | None
    ) -> "VariantRuns":
        """Choose among the runs of a variant's name those of one code.

        Runs of earlier code have the same name: where some are planned now, these are averaged.
        For `folds` see `equal_seeds`.
        """
        planned = [tracked for tracked in runs if tracked.planned is not None]
        if planned:
            finished = [tracked for tracked in planned if tracked.facts.rows_sha256 is not None]
            found: set[str] = set()
            if len({tracked.facts.rows_sha256 for tracked in finished}) < len(finished):
                found = repeats(equal_seeds((RunRecord(run.folder) for run in finished), folds))
            kept = [tracked for tracked in planned if tracked.run not in found]
            repeated = [tracked.run for tracked in planned if tracked.run in found]
            return cls(experiment, variant, kept, None, repeated)
        seeds = [tracked.about.get("seed") for tracked in runs]
        if len(known := [seed for seed in seeds if seed is not None]) > len(set(known)):
            line = "its runs have equal seeds, so they are of different code: draw them one by one"
            return cls(experiment, variant, (), line)
        return cls(experiment, variant, runs)


def average(variant: VariantRuns, histories: Histories, query: Query, methods: Methods) -> Row:
    """Return a variant's average curve with its interval; damaged runs are left out and named."""
    curves: dict[str, tuple[Array, Array]] = {}
    errors = [variant.error] if variant.error else []
    for tracked in variant.runs:
        try:
            found = histories.series(tracked, query.metric, query.axis)
        except (CaduceusError, OSError, ValueError) as error:
            errors.append(f"{tracked.run} is left out: {error}")
            continue
        is_finite = np.isfinite(found.values)
        if is_finite.any():
            curves[tracked.run] = found.places[is_finite], found.values[is_finite]
    answer: Row = {
        "experiment": variant.experiment,
        "variant": variant.variant,
        "runs": list(curves),
        "live": sum(tracked.state == "running" for tracked in variant.runs),
        "repeated": variant.repeated,
        "error": "; ".join(errors) or None,
    }
    return answer | _averaged(list(curves.values()), methods, query.points)


def _averaged(curves: Sequence[tuple[Array, Array]], methods: Methods, points: int) -> Row:
    if not curves:
        nothing = np.empty(0)
        return _packed_average(nothing, np.empty((4, 0)))
    steps, values = align(curves, _MOST_STEPS)
    n, mean, low, high = estimate_steps(values, methods)
    low, high = (np.where(n > 1, end, mean) for end in (low, high))
    series = np.stack((mean, low, high, n))
    kept = thin(series[:3], points)
    steps, series = steps[kept], series[:, kept]
    places = breaks(steps, curves)
    steps = np.insert(steps, places, steps[places])
    return _packed_average(steps, np.insert(series, places, np.nan, axis=1))


def _packed_average(steps: Array, series: Array) -> Row:
    names = ("mean", "low", "high", "n")
    numbers: Mapping[str, str] = {
        name: packed(values, "<f4") for name, values in zip(names, series, strict=True)
    }
    return {"count": len(steps), "x": packed(steps, "<f8"), **numbers}


def method_text(methods: Methods) -> str:
    """Describe how curves are averaged, such as "mean, 95 % interval by Student's t"."""
    return estimate_by(methods, [0.0, 0.0]).method


def packed(values: Array, kind: str) -> Packed:
    """Return numbers of a numpy type as base64."""
    with np.errstate(over="ignore"):  # beyond single precision a value is drawn as infinite
        numbers = np.asarray(values).astype(kind)
    return Packed(base64.b64encode(numbers.tobytes()).decode())
