"""Results of exported runs, by variant and seed, for tables, figures and claims."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caduceus.errors import SpecError
from caduceus.io.csv_rows import columns_of
from caduceus.io.phrases import count_of, pasted
from caduceus.paper.history_values import ends_before, value_at, value_by_best
from caduceus.project.paper import Entry, Side
from caduceus.project.paper_selections import CandidateRun, candidate_runs, is_shown
from caduceus.runs.equal_seeds import EqualSeeds, equal_seeds, repeats
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.metric import Metric, default_axis
from caduceus.runs.record import RunRecord
from caduceus.runs.unknown_metrics import logged_instead, no_number
from caduceus.runs.variants import leaves, matches

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
    """

    record: RunRecord
    parameters: Mapping[str, Any]

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
        return self.record.summary.variant or ""

    @property
    def seed(self) -> int:
        """Its seed; 0 if it isn't known."""
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
            return value_at(self.history, metric.name, axis, metric.position)
        if best := metric.best_by:
            return value_by_best(self.history, metric.name, best.name, best.goal)
        last = self.summary.get(metric.name)
        if isinstance(last, int | float) and not isinstance(last, bool):
            return float(last)
        return None


@dataclass(frozen=True)
class Variant:
    """A variant of an experiment, and its runs in the order of their seeds.

    Attributes:
        experiment: the id of its experiment.
        name: its name.
        parameters: its parameters, nested keys joined by dots.
        results: its runs, of those with equal rows the first alone.
        equal_seeds: the sets of its runs with equal rows, which are one observation each.
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
        """Whether all its runs, of several seeds, have equal rows."""
        finished = sum(result.state == "finished" for result in self.results)
        return bool(self.equal_seeds) and finished == 1

    def by_seed(self, metric: Metric) -> dict[int, float]:
        """Return the metric of each run that has it, by seed."""
        values = {result.seed: result.value(metric) for result in self.results}
        return {seed: value for seed, value in values.items() if value is not None}

    def runs(self, metric: Metric) -> list[str]:
        """Return the ids of the runs that have the metric."""
        return [result.run for result in self.results if result.value(metric) is not None]


def read_results(plans: Sequence[Path], entry: Entry, where: str) -> list[Variant]:
    """Return the variants that an entry of `paper` shows, in the order of the experiment files.

    Args:
        plans: results/experiments/ID.json of the experiments; those that the entry doesn't show
            are skipped.
        entry: the entry.
        where: its keys, for error messages, such as paper.tables.accuracy.

    Raises:
        SpecError: no run has one of its metrics.
    """
    results = [
        result
        for path in plans
        for planned in candidate_runs(Plan.read(path))
        if is_shown(planned, entry)
        for result in [read_result(planned, RunRecord(RunFolder.of_plan(path, planned.run)))]
        if is_shown(_known(planned, result), entry)
    ]
    _check_metrics(entry, results, where)
    return by_variant(results)


def by_variant(results: Sequence[Result]) -> list[Variant]:
    """Group runs by variant, in their order.

    Skipped trials are left out, and of runs with equal rows all but the first.
    """
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.state != "skipped":
            grouped.setdefault((result.experiment, result.variant), []).append(result)
    return [_variant(runs) for runs in grouped.values()]


def _variant(runs: Sequence[Result]) -> Variant:
    first, equal = runs[0], equal_seeds(result.record.summary for result in runs)
    repeated = repeats(equal)
    kept = tuple(result for result in runs if result.run not in repeated)
    return Variant(first.experiment, first.variant, first.parameters, kept, tuple(equal))


def without_variation(found: "Comparison", first: Variant, second: Variant) -> "Comparison":
    """Return a comparison that says which variants are deterministic."""
    sides: tuple[tuple[Equal, Variant], ...] = (("first", first), ("second", second))
    equal = [name for name, variant in sides if variant.is_deterministic]
    return replace(found, equal=tuple(dict.fromkeys((*equal, *found.equal))))


def find_side(variants: Sequence[Variant], side: Side, where: str) -> Variant:
    """Return the one variant that has the parameters of a side.

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
    names = "; ".join(f"{variant.name} of {variant.experiment}" for variant in found or variants)
    if found:
        raise SpecError(f"matches several variants: {names}; name more parameters", where)
    raise SpecError(f"matches no variant; there are {names}", where)


def read_result(planned: CandidateRun, record: RunRecord) -> Result:
    """Read an exported run; a trial gets the parameters that the sweep chose."""
    own = planned.parameters
    if own is None:  # a trial, whose parameters the sweep has chosen
        own = dict(leaves(record.params.parameters))
    config = leaves(record.identity.config)
    about = {name: value for name, value in config if name.partition(".")[0] not in _NO_PARAMETERS}
    return Result(record, {**about, **own})


def _known(planned: CandidateRun, result: Result) -> CandidateRun:
    """Return the planned run with its parameters, which a trial has only once it ran."""
    about = (planned.run, planned.experiment, planned.group, planned.variant, planned.seed)
    return CandidateRun(*about, planned.parameters or result.parameters)


def _check_metrics(entry: Entry, results: Sequence[Result], where: str) -> None:
    finished = [result for result in results if result.state == "finished"]
    for heading, metric in entry.metrics.items():
        check_place(heading, metric, finished, where)
        # If all runs diverged there is no number, which is a result and no mistake in `paper`.
        if not finished or any(result.number(metric) is not None for result in finished):
            continue
        place = ""
        if metric.position is not None:
            axis = _axis_at(metric, finished)
            at = metric.place(axis)
            has_ended = all(
                ends_before(result.history, axis, metric.position) for result in finished
            )
            place = f"at {at}, as all runs end before" if has_ended else f"at {at} or before"
        message = no_number(metric, logged_by(finished), place)
        raise SpecError(f"metrics.{heading}: {message}", where)


def _axis_at(metric: Metric, results: Sequence[Result]) -> str:
    """Return the axis of `at`: the named one, else that of the runs whose rows have the metric."""
    with_metric = (each for each in results if metric.name in columns_of(each.history))
    declared = dict.fromkeys(each.axis_of(metric.name) for each in with_metric)
    return metric.axis or default_axis(list(declared))


def with_axis(metric: Metric, results: Sequence[Result]) -> Metric:
    """Return a metric that names the axis of `at`, if it has that key."""
    at = metric.position
    return metric if at is None else replace(metric, at={_axis_at(metric, results): at})


def logged_by(results: Iterable[Result]) -> list[str]:
    """Return the names of the metrics that runs logged, in their rows or their summaries."""
    return sorted(
        {name for result in results for name in (*result.summary, *columns_of(result.history))}
    )


def check_place(heading: str, metric: Metric, finished: Sequence[Result], where: str) -> None:
    """Check that `at` means the same place in every run."""
    if metric.at is None:
        return
    logged = [(result, columns_of(result.history)) for result in finished]
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
        axis = _axis_at(metric, results)
        if ended := [result for result in results if ends_before(result.history, axis, at)]:
            yield (
                f"Ended before {metric.place(axis)} and left out: {len(ended)} of "
                f"{count_of(len(results), 'run')} ({heading})."
            )
