"""What every kind of figure starts from: its entry in `paper`, and the results of its runs."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from caduceus.io.wording import count_of
from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.results import Result, Variant
from caduceus.project.paper_selections import Metric, goal_of
from caduceus.runs.goal import Goal
from caduceus.statistics.estimates import Estimate, estimate

_DIGITS = 7  # of a number that is drawn: more than any printer shows


@dataclass(frozen=True)
class FigureData:
    """What a figure is made of.

    Attributes:
        entry: its entry in `paper.figures`, every default filled in.
        variants: those that it shows, in their order.
        specs: the experiments, every default filled in, by id.
        statistics: `paper.statistics`.
        where: the entry's keys, for messages: paper.figures.accuracy.
    """

    entry: Mapping[str, Any]
    variants: Sequence[Variant]
    specs: Mapping[str, Mapping[str, Any]]
    statistics: Mapping[str, Any]
    where: str

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """By heading; a confusion matrix may have none."""
        found: Mapping[str, Metric] = self.entry.get("metrics", {})
        return found

    @cached_property
    def labels(self) -> list[str]:
        """What each variant is called, with how many of its runs failed."""
        alone = [[variant] for variant in self.variants]
        return name_variants(alone, varying_parameters(self.variants))

    @property
    def finished(self) -> list[Result]:
        """The runs that have finished."""
        results = (result for variant in self.variants for result in variant.results)
        return [result for result in results if result.state == "finished"]

    @property
    def scale(self) -> float:
        """What values are multiplied with."""
        return 100.0 if self.entry["percent"] else 1.0

    def titled(self, heading: str) -> str:
        """A heading with the unit of its values."""
        return f"{heading} (%)" if self.entry["percent"] else heading

    def goal(self, metric: Metric) -> Goal | None:
        """Which values of a metric are better; None if no entry or experiment says it."""
        return goal_of(metric, self.entry, list(self.specs.values()))

    def estimate(self, values: Sequence[float]) -> Estimate:
        """The statistic that `paper.statistics` says, of `values` (n,)."""
        names = ("statistic", "interval", "confidence", "resamples")
        return estimate(values, **{name: self.statistics[name] for name in names})

    def method(self, counts: Iterable[int]) -> str:
        """What `estimate` gives over so many runs, such as "mean, 95 % interval by Student's t"."""
        several = sorted({n for n in counts if n > 1})
        # Of equal values, which take no bootstrap.
        found = [self.estimate([0.0] * n).method.partition(" by ") for n in several]
        if not found:
            return str(self.statistics["statistic"])
        return f"{found[0][0]} by {' or '.join(dict.fromkeys(name for *_, name in found))}"

    @property
    def interval_name(self) -> str:
        """What intervals are called: 95 % interval."""
        return f"{100 * self.statistics['confidence']:g} % interval"

    def failures(self) -> list[str]:
        """Sentences on the runs that failed or have no number; none if all have one."""
        runs = sum(len(variant.results) for variant in self.variants)
        failed = sum(variant.failed for variant in self.variants)
        said = [f"Failed and left out: {failed} of {count_of(runs, 'run')}."] if failed else []
        without = {
            heading: sum(result.value(metric) is None for result in self.finished)
            for heading, metric in self.metrics.items()
        }
        if found := ", ".join(f"{count} ({name})" for name, count in without.items() if count):
            said.append(f"Finished without a finite number: {found}.")
        return said


@dataclass(frozen=True)
class Content:
    """What a figure shows.

    Attributes:
        caption: what the marks mean, in sentences.
        runs: the ids of the runs behind them.
        numbers: all that is drawn, as JSON has it; a number that isn't known is None.
    """

    caption: str
    runs: list[str]
    numbers: dict[str, Any]


def name_variants(sets: Sequence[Sequence[Variant]], names: Sequence[str]) -> list[str]:
    """What to call each set of variants, which differ in the parameters `names`.

    How many of its runs failed is part of it.
    """
    labels = [variant_label(members[0], names) for members in sets]
    found = []
    for label, members in zip(labels, sets, strict=True):
        name = label if labels.count(label) == 1 else members[0].name
        failed = sum(variant.failed for variant in members)
        found.append(f"{name} ({failed} failed)" if failed else name)
    return found


def rounded(values: Any) -> Any:
    """Numbers, or an array of them (...), as JSON takes them; None for what isn't finite."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, list):
        return [rounded(value) for value in values]
    return float(f"{values:.{_DIGITS}g}") if math.isfinite(values) else None


def run_count(counts: Collection[int]) -> str:
    """So many runs, in words: "3 runs", "2 to 3 runs"."""
    low, high = min(counts), max(counts)
    if low != high:
        return f"{low} to {high} runs"
    return count_of(high, "run")
