"""Results of exported runs, by variant and seed, for tables, figures and claims."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caduceus.errors import SpecError
from caduceus.io.csv_rows import columns_of
from caduceus.io.phrases import count_of, pasted
from caduceus.paper.history_values import Place, place_in, value_by_best
from caduceus.project.fold_units import FoldUnit, fold_unit
from caduceus.project.paper_selections import CandidateRun
from caduceus.project.sides import Side
from caduceus.runs.equal_seeds import EqualSeeds, equal_seeds, repeats
from caduceus.runs.metric import BestBy, Metric, default_axis
from caduceus.runs.record import RunRecord
from caduceus.runs.unknown_metrics import logged_instead
from caduceus.runs.variants import leaves, matches
from caduceus.statistics.settings import Methods

if TYPE_CHECKING:  # numpy takes 0.1 s of CPU, and the checklist needs none
    from caduceus.statistics.comparisons import Comparison, Equal

# Keys of a run's W&B config that are no parameters of its variant.
_NO_PARAMETERS = ("seed", "hypothesis", "baseline")


@dataclass(frozen=True)
class Result:
    """An exported run, with the parameters that name its variant.

    Attributes:
        record: the run.
        parameters: of its variant, nested keys joined by dots.
        fold: its variant and its seed in the paper, if one of its parameters chooses the fold of a
            cross-validation; None for other runs.
    """

    record: RunRecord
    parameters: Mapping[str, Any]
    fold: FoldUnit | None = None

    @property
    def run(self) -> str:
        """The run's id."""
        return self.record.run

    @property
    def experiment(self) -> str:
        """The id of its experiment; empty if it belongs to none."""
        return self.record.summary.experiment or ""

    @property
    def variant(self) -> str:
        """Its variant; empty if it belongs to no experiment."""
        if self.fold is not None:
            return self.fold.variant
        return self.record.summary.variant or ""

    @property
    def seed(self) -> int:
        """Its seed, or the number of its fold; 0 if it isn't known."""
        if self.fold is not None:
            return self.fold.number
        return self.record.summary.seed or 0

    @property
    def state(self) -> str:
        """Its state, such as finished or failed."""
        return self.record.summary.state

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return self.record.folder.path

    @property
    def history(self) -> Path:
        """The file of its rows."""
        return self.folder / "metrics_history.csv"

    @cached_property
    def columns(self) -> list[str]:
        """The columns of its rows."""
        return columns_of(self.history)

    def axis_of(self, metric: str) -> str:
        """Return the x axis of a metric: the one that the program declared, else `_step`."""
        return self.record.summary.axis_of(metric)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """W&B's summary, with nested keys joined by dots."""
        return dict(leaves(self.record.summary.summary))

    def value(self, metric: Metric) -> float | None:
        """Return the metric if it is finite; None if the run lacks it or hasn't finished."""
        number = self.number(metric) if self.state == "finished" else None
        return number if number is not None and math.isfinite(number) else None

    def number(self, metric: Metric) -> float | None:
        """Return the metric, which may be NaN or infinite; None if the run lacks it."""
        if metric.position is not None:
            axis = metric.axis or self.axis_of(metric.name)
            return self.place(metric.name, axis, metric.position).value
        if best := metric.best_by:
            key = (metric.name, best)
            if key not in self._by_best:
                found = value_by_best(self.history, metric.name, best.name, best.goal)
                self._by_best[key] = found
            return self._by_best[key]
        last = self.summary.get(metric.name)
        if isinstance(last, int | float) and not isinstance(last, bool):
            return float(last)
        return None

    def place(self, metric: str, axis: str, at: float) -> Place:
        """Return what it has of a metric at a value of an axis; its rows are read once for each."""
        key = (metric, axis, at)
        if key not in self._places:
            self._places[key] = place_in(self.history, *key)
        return self._places[key]

    @cached_property
    def _places(self) -> dict[tuple[str, str, float], Place]:
        return {}

    @cached_property
    def _by_best(self) -> dict[tuple[str, BestBy], float | None]:
        return {}


@dataclass(frozen=True)
class Variant:
    """A variant of an experiment, and its runs in the order of their seeds.

    Attributes:
        experiment: the id of its experiment.
        name: its name.
        parameters: its parameters, nested keys joined by dots.
        results: its runs, of equal seeds that count once the first alone.
        equal_seeds: the sets of its runs with equal rows.
    """

    experiment: str
    name: str
    parameters: Mapping[str, Any]
    results: tuple[Result, ...]
    equal_seeds: tuple[EqualSeeds, ...] = ()

    @property
    def failed(self) -> int:
        """The number of runs that haven't finished."""
        return sum(result.state != "finished" for result in self.results)

    @property
    def is_deterministic(self) -> bool:
        """Whether all its runs, of several seeds, count as one."""
        finished = sum(result.state == "finished" for result in self.results)
        return bool(self.equal_seeds) and finished == 1

    def by_seed(self, metric: Metric) -> dict[int, float]:
        """Return the metric of each run that has it, by seed."""
        values = {result.seed: result.value(metric) for result in self.results}
        return {seed: value for seed, value in values.items() if value is not None}

    def runs(self, metric: Metric) -> list[str]:
        """Return the ids of the runs that have the metric."""
        return [result.run for result in self.results if result.value(metric) is not None]


def by_variant(results: Sequence[Result], methods: Methods) -> list[Variant]:
    """Group runs by variant, in their order.

    Skipped trials are left out, and of equal seeds that count once all but the first.
    """
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.state != "skipped":
            grouped.setdefault((result.experiment, result.variant), []).append(result)
    return [_variant(runs, methods) for runs in grouped.values()]


def _variant(runs: Sequence[Result], methods: Methods) -> Variant:
    first = runs[0]
    equal = equal_seeds((result.record for result in runs), methods.folds)
    repeated = repeats(equal)
    kept = tuple(result for result in runs if result.run not in repeated)
    return Variant(first.experiment, first.variant, first.parameters, kept, tuple(equal))


def without_variation(found: "Comparison", first: Variant, second: Variant) -> "Comparison":
    """Return a comparison that says which variants are deterministic."""
    sides: tuple[tuple[Equal, Variant], ...] = (("first", first), ("second", second))
    equal = [name for name, variant in sides if variant.is_deterministic]
    return replace(found, equal=tuple(dict.fromkeys((*equal, *found.equal))))


def find_side(
    variants: Sequence[Variant],
    side: Side,
    where: str,
    known: Callable[[], Sequence[Variant]] | None = None,
) -> Variant:
    """Return the one variant that has the parameters of a side.

    Args:
        variants: the variants.
        side: the parameters.
        where: the side's keys, for error messages.
        known: returns the variants that an error names if none has them; `variants` by default.

    Raises:
        SpecError: none has them, or several have.
    """
    wanted = {name: value for name, value in side.items() if name != "experiment"}
    found = [
        variant
        for variant in variants
        if side.get("experiment", variant.experiment) == variant.experiment
        and matches(variant.parameters, wanted)
    ]
    if len(found) == 1:
        return found[0]
    named = found or (known() if known else variants)
    names = "; ".join(f"{variant.name} of {variant.experiment}" for variant in named)
    if found:
        raise SpecError(f"matches several variants: {names}; name more parameters", where)
    raise SpecError(f"matches no variant; there are {names}", where)


def read_result(planned: CandidateRun, record: RunRecord, methods: Methods) -> Result:
    """Read an exported run; a trial gets the parameters that the sweep chose."""
    own = planned.parameters
    if own is None:  # a trial, whose parameters the sweep has chosen
        own = dict(leaves(record.params.parameters))
    config = leaves(record.identity.config)
    about = {name: value for name, value in config if name.partition(".")[0] not in _NO_PARAMETERS}
    parameters = {**about, **own}
    fold = fold_unit(planned.variant, planned.seed, parameters, methods)
    return Result(record, fold.parameters if fold else parameters, fold)


def axis_at(metric: Metric, results: Sequence[Result]) -> str:
    """Return the axis of `at`: the named one, else that of the runs whose rows have the metric."""
    with_metric = (each for each in results if metric.name in each.columns)
    declared = dict.fromkeys(each.axis_of(metric.name) for each in with_metric)
    return metric.axis or default_axis(list(declared))


def with_axis(metric: Metric, results: Sequence[Result]) -> Metric:
    """Return a metric that names the axis of `at`, if it has that key."""
    at = metric.position
    return metric if at is None else replace(metric, at={axis_at(metric, results): at})


def logged_by(results: Iterable[Result]) -> list[str]:
    """Return the names of the metrics that runs logged, in their rows or their summaries."""
    return sorted({name for result in results for name in (*result.summary, *result.columns)})


def check_place(heading: str, metric: Metric, finished: Sequence[Result], where: str) -> None:
    """Check that `at` means the same place in every run."""
    if metric.at is None:
        return
    logged = [(result, result.columns) for result in finished]
    logged = [(result, columns) for result, columns in logged if metric.name in columns]
    axes = dict.fromkeys(metric.axis or result.axis_of(metric.name) for result, _ in logged)
    if len(axes) > 1:
        raise SpecError(
            f"metrics.{heading}.at: the runs have different axes for {pasted(metric.name)} "
            f"({', '.join(axes)}); name one, such as {{{next(iter(axes))}: {metric.position}}}",
            where,
        )
    known = dict.fromkeys(name for _, columns in logged for name in columns)
    for axis in axes:
        if axis not in known:
            raise SpecError(
                f"metrics.{heading}.at: no run that logs {pasted(metric.name)} logs {pasted(axis)}"
                f"; {logged_instead(axis, known)}",
                where,
            )


def ended_notes(metrics: Mapping[str, Metric], results: Sequence[Result]) -> Iterator[str]:
    """Yield a sentence for each metric whose place some of the finished runs don't reach."""
    for heading, metric in metrics.items():
        at = metric.position
        if at is None:
            continue
        axis = axis_at(metric, results)
        if ended := [each for each in results if each.place(metric.name, axis, at).has_ended]:
            yield (
                f"Ended before {metric.place(axis)} and left out: {len(ended)} of "
                f"{count_of(len(results), 'run')} ({heading})."
            )
