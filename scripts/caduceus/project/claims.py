"""The claims of the paper: sentences, and the comparisons that decide them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from caduceus.io.json_records import Record
from caduceus.project.sides import Side, Sides
from caduceus.runs.goal import Goal
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.metric import Metric

By: TypeAlias = Literal["seed", "item", "seed and item"]  # what could have been other


@dataclass(frozen=True, kw_only=True)
class Compare(Record):
    """One variant is better than another, by more than a margin in the unit that is logged."""

    better: Side
    worse: Side
    metric: Metric
    goal: Goal | None
    margin: float


@dataclass(frozen=True, kw_only=True)
class PublishedRuns(Record):
    """A published mean over the runs of others, and how uncertain it is; in the logged unit.

    Attributes:
        value: the mean.
        std: the sample standard deviation of the runs.
        n: the number of runs; alone, without `std` and `interval`, it says that they vary as ours.
        interval: the ends of the mean's interval.
        confidence: of the interval.
    """

    value: float
    std: float | None = None
    n: int | None = None
    interval: tuple[float, ...] | None = None
    confidence: float = 0.95

    optional = ("std", "n", "interval")


@dataclass(frozen=True, kw_only=True)
class Reproduces(Record):
    """A variant's mean is within a tolerance of a published value, in the unit that is logged.

    `value` is taken as exact; `published`, which may stand in its place, isn't.
    """

    variant: Side
    metric: Metric
    value: float | None = None
    published: PublishedRuns | None = None
    tolerance: float
    source: str

    optional = ("value", "published")


@dataclass(frozen=True, kw_only=True)
class Bound(Record):
    """A variant's mean is at least, or at most, a value, or misses it by less than a margin.

    Value and margin are in the unit that is logged.
    """

    variant: Side
    metric: Metric
    value: float
    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trend(Record):
    """A metric rises or falls with a parameter: monotonically, by its slope or at each step."""

    variants: tuple[Side, ...]
    parameter: str
    metric: Metric
    direction: str
    kind: Literal["monotone", "slope", "steps"] = "monotone"


@dataclass(frozen=True, kw_only=True)
class Ratio(Record):
    """The ratio of two variants' means is at least, at most, or within a tolerance of a number."""

    of: Side
    to: Side
    metric: Metric
    at_least: float | None = None
    at_most: float | None = None
    value: float | None = None
    tolerance: float | None = None

    optional = ("at_least", "at_most", "value", "tolerance")


@dataclass(frozen=True, kw_only=True)
class Order(Record):
    """Each variant is better than the next."""

    variants: tuple[Side, ...]
    metric: Metric
    goal: Goal | None


@dataclass(frozen=True, kw_only=True)
class Claim(Record):
    """An entry of `paper.claims`: a sentence, and one of the seven tests that decide it.

    `by` says over what it is tested; `items` names the files of scores of a test by item; `scale`
    is "toy" if the runs are smaller than those that the sentence is about.
    """

    statement: str
    experiments: tuple[str, ...]
    by: By = "seed"
    items: ItemFile | None = None
    compare: Compare | None = None
    reproduces: Reproduces | None = None
    at_least: Bound | None = None
    at_most: Bound | None = None
    trend: Trend | None = None
    ratio: Ratio | None = None
    order: Order | None = None
    scale: Literal["full", "toy"] = "full"

    kinds = ("compare", "reproduces", "at_least", "at_most", "trend", "ratio", "order")
    optional = ("items", *kinds)
    groups = ()

    @property
    def kind(self) -> str:
        """The key of its test."""
        return next(kind for kind in self.kinds if getattr(self, kind) is not None)

    @property
    def test(self) -> Compare | Reproduces | Bound | Trend | Ratio | Order:
        """Its test."""
        found = getattr(self, self.kind)
        assert isinstance(found, Compare | Reproduces | Bound | Trend | Ratio | Order)
        return found

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Its one metric, by its name."""
        return {self.test.metric.name: self.test.metric}

    @property
    def goal(self) -> Goal | None:
        """Which values of its metric are better, if the claim says it."""
        return self.test.goal if isinstance(self.test, Compare | Order) else None

    @property
    def sides(self) -> Sides:
        """The variants that it is about; empty for all."""
        match self.test:
            case Compare(better=better, worse=worse):
                return {("compare", "better"): better, ("compare", "worse"): worse}
            case Ratio(of=of, to=to):
                return {("ratio", "of"): of, ("ratio", "to"): to}
            case Trend(variants=variants) | Order(variants=variants):
                place = (self.kind, "variants")
                return {(*place, index): side for index, side in enumerate(variants)}
            case test:
                return {(self.kind, "variant"): test.variant}
