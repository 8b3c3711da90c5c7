"""The input of every kind of figure: its entry in `paper` and the results of its runs."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from caduceus.io.phrases import count_of
from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.percentages import percent_headings
from caduceus.paper.range_notes import range_notes
from caduceus.paper.results import Result, Variant, ended_notes
from caduceus.paper.selection_notes import selection_notes
from caduceus.project.paper import FigureEntry
from caduceus.project.paper_selections import goal_of
from caduceus.runs.equal_seeds import equal_notes
from caduceus.runs.files.plan import Spec
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.bounded import estimate_within
from caduceus.statistics.estimates import Estimate, estimate_by
from caduceus.statistics.settings import Methods

_DIGITS = 7  # significant digits of a drawn number, more than print resolves


@dataclass(frozen=True)
class FigureData:
    """The entry, the results and the settings of a figure.

    Attributes:
        entry: its entry in `paper.figures`.
        variants: the variants that it shows, in order.
        specs: the experiments, by id.
        methods: the statistical methods.
        where: the entry's keys, for error messages, such as paper.figures.accuracy.
    """

    entry: FigureEntry
    variants: Sequence[Variant]
    specs: Mapping[str, Spec]
    methods: Methods
    where: str

    @cached_property
    def labels(self) -> list[str]:
        """The label of each variant, with the number of failed runs."""
        sets = [[variant] for variant in self.variants]
        return label_variants(sets, varying_parameters(self.variants))

    @property
    def finished(self) -> list[Result]:
        """The runs that have finished."""
        results = (result for variant in self.variants for result in variant.results)
        return [result for result in results if result.state == "finished"]

    @cached_property
    def percents(self) -> frozenset[str]:
        """The headings of the metrics that are shown in percent."""
        return percent_headings(self.entry, self.variants, self.specs.values())

    def scale(self, heading: str) -> float:
        """Return the factor that converts a metric's values to the unit of the figure."""
        return 100.0 if heading in self.percents else 1.0

    def titled(self, heading: str) -> str:
        """Return a heading with the unit of its values."""
        return f"{heading} (%)" if heading in self.percents else heading

    def goal(self, metric: Metric) -> Goal | None:
        """Which values of a metric are better; None if no entry or experiment says it."""
        return goal_of(metric, self.entry.goal, self.specs.values())

    def estimate(self, values: Sequence[float]) -> Estimate:
        """Estimate the statistic of `paper.statistics` from `values` (n,)."""
        return estimate_by(self.methods, values)

    def estimate_metric(self, heading: str, values: Sequence[float]) -> Estimate:
        """Estimate the statistic of a metric's values, in its unit, within its declared range."""
        declared, scale = self.entry.metrics[heading].range, self.scale(heading)
        bounds = declared and [end if end is None else end * scale for end in declared]
        return estimate_within(self.methods, values, bounds)

    def method(self, counts: Iterable[int]) -> str:
        """Describe `estimate` for these numbers of runs: "mean, 95 % interval by Student's t"."""
        several = sorted({n for n in counts if n > 1})
        # The method depends on n alone; equal values skip the bootstrap.
        methods = [self.estimate([0.0] * n).method.partition(" by ") for n in several]
        if not methods:
            return self.methods.statistic
        return f"{methods[0][0]} by {' or '.join(dict.fromkeys(name for *_, name in methods))}"

    @property
    def interval_name(self) -> str:
        """The name of the intervals, such as "95 % interval"."""
        return f"{100 * self.methods.confidence:g} % interval"

    def failures(self) -> list[str]:
        """Return sentences on the runs that failed, have no number, or are equal, if any are."""
        runs = sum(len(variant.results) for variant in self.variants)
        failed = sum(variant.failed for variant in self.variants)
        sentences = [f"Failed and left out: {failed} of {count_of(runs, 'run')}."] if failed else []
        without = {
            heading: sum(result.value(metric) is None for result in self.finished)
            for heading, metric in self.entry.metrics.items()
        }
        if counts := ", ".join(f"{count} ({name})" for name, count in without.items() if count):
            sentences.append(f"Finished without a finite number: {counts}.")
        sentences += ended_notes(self.entry.metrics, self.finished)
        equal = [each for variant in self.variants for each in variant.equal_seeds]
        sentences += equal_notes(equal)
        sentences += range_notes(self.entry.metrics, self.variants)
        return [*sentences, *selection_notes(self.entry.metrics, self.variants)]


@dataclass(frozen=True)
class FigureContent:
    """The content of a figure, as NAME.json holds it.

    Attributes:
        caption: sentences that explain the marks.
        runs: the ids of the runs behind the numbers.
        numbers: everything that is drawn, as JSON values; an unknown number is None.
    """

    caption: str
    runs: list[str]
    numbers: dict[str, Any]


def label_variants(sets: Sequence[Sequence[Variant]], names: Sequence[str]) -> list[str]:
    """Label each set of variants by the parameters `names` and its number of failed runs."""
    labels = [variant_label(members[0], names) for members in sets]
    complete = []
    for label, members in zip(labels, sets, strict=True):
        name = label if labels.count(label) == 1 else members[0].name
        failed = sum(variant.failed for variant in members)
        complete.append(f"{name} ({failed} failed)" if failed else name)
    return complete


def rounded(values: Any) -> Any:
    """Round a number or an array for JSON; numbers that aren't finite become None."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, list):
        return [rounded(value) for value in values]
    return float(f"{values:.{_DIGITS}g}") if math.isfinite(values) else None


def run_count(counts: Collection[int]) -> str:
    """Format the range of `counts`: "3 runs", "2 to 3 runs"."""
    low, high = min(counts), max(counts)
    if low != high:
        return f"{low} to {high} runs"
    return count_of(high, "run")
