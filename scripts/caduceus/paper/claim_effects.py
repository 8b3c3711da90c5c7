"""The effect and the test of one claim, computed from the metric's values by seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from caduceus.io.phrases import count_of
from caduceus.project.claims import Claim, PublishedRuns, Reproduces
from caduceus.project.claims import Trend as TrendClaim
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.bounded import estimate_within
from caduceus.statistics.comparisons import Comparison, Equal, compare_by_seed, compare_to_value
from caduceus.statistics.equivalence_tests import equivalence, equivalence_to_published
from caduceus.statistics.items import ItemComparison
from caduceus.statistics.published_means import PublishedMean
from caduceus.statistics.settings import Interval, Methods, PairedTest
from caduceus.statistics.trends import Trend, trend
from caduceus.statistics.verdicts import Test, greater, less, within

_TEST_NAMES = {
    "sign_flip": "sign-flip test",
    "wilcoxon": "Wilcoxon signed-rank test",
    "corrected_t": "corrected t-test of folds",
}


@dataclass(frozen=True)
class Step:
    """A step of a trend from one level to the next: the difference of their means.

    The levels of an order are the places in it: 0 is that of the best.
    """

    start: float
    end: float
    difference: float


@dataclass(frozen=True)
class ItemTest:
    """The comparison of test items that decides a claim, and what limits it.

    Attributes:
        found: the comparison.
        is_metric: whether the mean score of a run's items is the metric that it logged.
        notes: sentences for the reason: scores that aren't the metric, an unreliable interval.
    """

    found: ItemComparison
    is_metric: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ClaimEffect:
    """The effect that a claim is about, and its test before correction for the other claims.

    Attributes:
        test: p for and against the claim.
        unit: what `test.n` counts: "pair", "run", "seed", "item" or "cluster".
        value: the difference of means, better minus worse or variant minus the claimed value; of a
            trend, the mean over seeds of the rank correlation or of the slope, or the step that
            supports it least; of a ratio, the ratio of means; of an order, the step that supports
            it least. None if a side has no values.
        low: the lower end of its confidence interval; None if it has none.
        high: its upper end.
        size: the standardized effect size, in standard deviations; of a monotone trend the
            correlation; None where the standard deviation is 0.
        method: the test and the interval, in words.
        seeds: the seeds whose values are used, of each variant.
        steps: those of a trend or an order.
        equal: what has one value for all seeds, so that there is no verdict.
        items: what a claim by test items was tested on; None for one by seed.
    """

    test: Test
    unit: str
    value: float | None
    low: float | None
    high: float | None
    size: float | None
    method: str
    seeds: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...] = ()
    equal: tuple[Equal, ...] = ()
    items: ItemTest | None = None

    def of_deterministic(self, sides: Sequence[bool]) -> "ClaimEffect":
        """Return the effect without a verdict, if sides of a comparison are deterministic."""
        names: tuple[Equal, ...] = ("first", "second")
        found = [name for name, is_so in zip(names, sides, strict=False) if is_so]
        if not found or self.value is None:
            return self
        equal = tuple(dict.fromkeys((*found, *self.equal)))
        return replace(self, equal=equal, test=replace(self.test, is_constant=True))


def items_of(found: ItemComparison) -> str:
    """Return the number of items, and of their clusters if they have any."""
    items = count_of(found.n, "test item")
    return items if found.clusters == found.n else f"{items} in {found.clusters:,} clusters"


def measure_effect(
    claim: Claim,
    values: Sequence[Mapping[int, float]],
    goal: Goal | None,
    levels: Sequence[float],
    methods: Methods,
) -> ClaimEffect:
    """Compute the effect and the test of a claim.

    Args:
        claim: the claim.
        values: the metric by seed, of each variant: the better and the worse one, the only one, or
            one for each level of a trend.
        goal: which values of a compared metric are better.
        levels: the values of a trend's parameter, one for each of `values`.
        methods: the statistical methods.
    """
    if claim.trend:
        return _test_trend(claim.trend, values, levels, methods)
    if not all(values):
        return no_effect(len(values))
    if claim.compare:
        better, worse = values
        margin, alternative = claim.compare.margin, greater
        if goal is Goal.MINIMIZE:
            margin, alternative = -margin, less
        compared = compare_by_seed(
            better,
            worse,
            margin,
            test=methods.test,
            confidence=methods.confidence,
            folds=methods.folds,
        )
        common = tuple(sorted(better.keys() & worse.keys()))
        seeds = (common, common) if compared.is_paired else tuple(tuple(side) for side in values)
        return of_comparison(compared, alternative(compared), seeds, methods)
    [runs] = values
    # A permutation test needs two samples; here one is compared with a number.
    test: PairedTest = "sign_flip" if methods.test == "permutation" else methods.test
    ordered, seeds = list(runs.values()), (tuple(runs),)
    if bound := claim.at_least or claim.at_most:
        margin, alternative = -bound.margin, greater
        if claim.at_most:
            margin, alternative = bound.margin, less
        compared = compare_to_value(
            ordered, bound.value, margin, test, methods.confidence, folds=methods.folds
        )
        effect = of_comparison(compared, alternative(compared), seeds, methods)
        return _with_interval(effect, bound.metric, ordered, bound.value, methods)
    assert claim.reproduces is not None  # the last kind
    return _test_reproduces(claim.reproduces, ordered, seeds, replace(methods, test=test))


def _test_reproduces(
    claim: Reproduces,
    values: Sequence[float],
    seeds: tuple[tuple[int, ...], ...],
    methods: Methods,
) -> ClaimEffect:
    """Test equivalence by two one-sided tests, each at alpha.

    The interval that decides this has twice the chance of an error (Schuirmann 1987): 90 % for 95.
    """
    methods = replace(methods, confidence=2 * methods.confidence - 1)
    if claim.published:
        same = equivalence_to_published(
            values,
            _published_mean(claim.published),
            claim.tolerance,
            methods.confidence,
            methods.folds,
        )
    else:
        assert claim.value is not None and methods.test != "permutation"  # checked with the claim
        same = equivalence(
            values,
            claim.value,
            claim.tolerance,
            methods.test,
            methods.confidence,
            folds=methods.folds,
        )
    prefix = "two one-sided tests, each a "
    effect = of_comparison(same.comparison, within(same), seeds, methods, prefix)
    if claim.value is None:
        return effect
    return _with_interval(effect, claim.metric, values, claim.value, methods)


def _with_interval(
    effect: ClaimEffect, metric: Metric, values: Sequence[float], value: float, methods: Methods
) -> ClaimEffect:
    """Return the effect, of a mean against a value, with its interval by bootstrap-t or in a range.

    It is by bootstrap-t if the paper's intervals are, and is that of the metric's range if any.
    """
    interval: Interval | None = "bootstrap-t" if methods.interval == "bootstrap-t" else None
    if effect.low is None or (interval is None and metric.range is None):
        return effect
    found = estimate_within(
        replace(methods, statistic="mean", interval=interval), values, metric.range
    )
    test, by, _ = effect.method.rpartition(" interval by ")
    return replace(
        effect,
        low=or_none(found.low - value),
        high=or_none(found.high - value),
        method=f"{test}{by}{found.method.partition(by)[2]}",
    )


def _published_mean(runs: PublishedRuns) -> PublishedMean:
    """Return the mean of published runs with its standard error."""
    if runs.interval is not None:
        low, high = runs.interval
        return PublishedMean.of_interval(runs.value, low, high, runs.confidence, runs.n)
    if runs.std is not None and runs.n is not None:
        return PublishedMean.of_std(runs.value, runs.std, runs.n)
    return PublishedMean(runs.value, None, runs.n)


def of_comparison(
    compared: Comparison,
    test: Test,
    seeds: tuple[tuple[int, ...], ...],
    methods: Methods,
    prefix: str = "",
) -> ClaimEffect:
    """Return the effect of a claim that a comparison decides.

    Args:
        compared: the comparison.
        test: the claim's test, of it.
        seeds: those whose values are used, of each variant.
        methods: the statistical methods.
        prefix: goes before the name of the test.
    """
    interval = f"{100 * methods.confidence:.4g} % interval by"
    if compared.test == "permutation":
        why = "" if methods.test == "permutation" else " since their seeds differ"
        method = (
            f"permutation test of Welch's t, {count_of(compared.n, 'run')} against "
            f"{compared.n_second}, not paired{why}; Welch's t-test where its p is larger; "
            f"{interval} Welch's t"
        )
    elif compared.test == "corrected_welch":
        method = (
            f"Welch's t-test, {count_of(compared.n, 'fold')} against {compared.n_second}, not "
            f"paired since their seeds differ, corrected for folds; {interval} Welch's t"
        )
    elif compared.test == "welch":
        published = count_of(compared.n_second, "published run")
        theirs = published if compared.n_second else "published runs of unknown number"
        method = (
            f"{prefix}Welch's t-test, {count_of(compared.n, 'run')} against {theirs}; "
            f"{interval} Welch's t"
        )
    else:
        over = count_of(compared.n, "pair" if compared.is_paired else "run")
        over += " by seed" if compared.is_paired else ""
        student = "Student's t" if methods.folds is None else "corrected Student's t"
        method = f"{prefix}{_TEST_NAMES[compared.test]} over {over}; {interval} {student}"
    return ClaimEffect(
        test,
        "pair" if compared.is_paired else "run",
        compared.effect,
        or_none(compared.low),
        or_none(compared.high),
        or_none(compared.effect_size),
        method,
        seeds,
        equal=compared.equal,
    )


def _test_trend(
    claim: TrendClaim,
    values: Sequence[Mapping[int, float]],
    levels: Sequence[float],
    methods: Methods,
) -> ClaimEffect:
    """Test for a trend over the seeds that have values at two levels or more."""
    seeds = sorted({seed for by_seed in values for seed in by_seed})
    seeds = [seed for seed in seeds if sum(seed in by_seed for by_seed in values) > 1]
    if not seeds:
        return no_effect(len(values))
    table = [[by_seed.get(seed, math.nan) for by_seed in values] for seed in seeds]
    tested: Trend = trend(table, levels, methods.confidence, kind=claim.kind, folds=methods.folds)
    means, test = _TRENDS[claim.kind]
    if methods.folds is not None:  # see `trend`
        test = test.replace("sign-flip test", "corrected t-test of folds")
        test = test.replace("rank correlations (Spearman's)", "slopes of least-squares lines")
    ends = zip(tested.levels[:-1], tested.levels[1:], strict=True)
    return ClaimEffect(
        greater(tested) if claim.direction == "rises" else less(tested),
        "seed",
        tested.effect,
        or_none(tested.low),
        or_none(tested.high),
        or_none(tested.correlation if claim.kind == "monotone" else tested.size),
        f"{test} of {count_of(tested.n, 'seed')}; {100 * methods.confidence:.4g} % interval of "
        f"{means} by {'' if methods.folds is None else 'corrected '}Student's t",
        tuple(tuple(seed for seed in seeds if seed in by_seed) for by_seed in values),
        tuple(Step(*at, step.effect) for at, step in zip(ends, tested.steps, strict=True)),
        ("differences",) if all("differences" in step.equal for step in tested.steps) else (),
    )


# The effect of each kind of trend, and its test.
_TRENDS = {
    "monotone": (
        "their mean",
        "the sign of each step's mean, and a sign-flip test of the rank correlations (Spearman's)",
    ),
    "slope": ("their mean", "sign-flip test of the slopes of least-squares lines"),
    "steps": ("the weakest step", "sign-flip test of each step, of which the largest p counts,"),
}


def no_effect(variants: int) -> ClaimEffect:
    """Return the effect of a claim without values: its p is 1, and so is the smallest possible."""
    test = Test(p_for=1.0, p_against=1.0, minimum_p=1.0, n=0)
    return ClaimEffect(test, "run", None, None, None, None, "no test", ((),) * variants)


def or_none(value: float) -> float | None:
    """Return a number; None if it isn't finite."""
    return value if math.isfinite(value) else None
