"""How often intervals cover, verdicts err and differences are found, by simulation.

    python benchmarks/verdicts.py [PART ...]

Prints the tables of workflow/STATISTICS.md. Takes eight minutes on a busy core.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from unittest.mock import patch

import numpy as np
from caduceus.paper.claim_orders import measure_order
from caduceus.paper.claim_ratios import measure_ratio
from caduceus.paper.marks import Column, find_best
from caduceus.project.claims import Ratio
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics import (
    Comparison,
    PublishedMean,
    compare_paired,
    compare_ranks,
    compare_to_value,
    compare_unpaired,
    compare_with_control,
    decide,
    equivalence,
    equivalence_to_published,
    estimate_over_tasks,
    greater,
    holm,
    minimum_p,
    runs_needed,
    runs_to_decide,
    tasks,
    trend,
    within,
)
from caduceus.statistics.bounded import Bounds, estimate_within
from caduceus.statistics.estimates import STATISTICS, bootstrap_interval, order_interval, t_interval
from caduceus.statistics.randomization import sign_flips, splits
from caduceus.statistics.settings import Methods
from caduceus.statistics.studentized import bootstrap_t_interval
from caduceus.statistics.trends import TrendKind
from numpy.random import Generator
from scipy import stats

SAMPLES = 2_000  # of runs, for each number in the table of intervals
DATASETS = 1_000  # of scores over tasks, likewise
# Of claims, for each number in the tables of errors and power: of ten runs on each side, each
# unpaired test goes through 184,756 ways.
FAMILIES = {3: 1_000, 5: 1_000, 8: 1_000, 10: 500}
MANY = 2_000_000  # draws for a true value
RESAMPLES = 999

Draw = Callable[[Generator, tuple[int, ...]], np.ndarray]


def collapsing(share: float) -> Draw:
    """Runs end near 0.9, but a share of them near 0.7."""

    def draw(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
        well, badly = generator.normal(0.9, 0.01, shape), generator.normal(0.7, 0.02, shape)
        return np.where(generator.random(shape) < share, badly, well)

    return draw


def accuracy(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Near 0.97, counted on 1,000 test examples."""
    chance = 1 / (1 + np.exp(-generator.normal(3.5, 0.3, shape)))
    return generator.binomial(1000, chance) / 1000


DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "accuracy": accuracy,
    "97 % of 100 items": lambda generator, shape: generator.binomial(100, 0.97, shape) / 100,
    "99 % of 100 items": lambda generator, shape: generator.binomial(100, 0.99, shape) / 100,
    "heavy tails (t, 3 df)": lambda generator, shape: generator.standard_t(3, shape),
    "skewed (lognormal)": lambda generator, shape: generator.lognormal(size=shape),
    "one in five collapses": collapsing(0.2),
    "two in five collapse": collapsing(0.4),
}


def show(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def intervals() -> None:
    """The share of 95 % intervals that hold the true value, for n = 3, 5, 10."""
    kinds: dict[str, Sequence[str]] = {
        "mean": ("t", "bca", "bootstrap"),
        "median": ("t", "order", "bca", "bootstrap"),
        "iqm": ("t", "bca", "bootstrap"),
    }
    manies = [sampler(np.random.default_rng(1), (MANY,)) for sampler in DISTRIBUTIONS.values()]
    for statistic, chosen in kinds.items():
        rows = []
        for (name, sampler), many in zip(DISTRIBUTIONS.items(), manies, strict=True):
            true = STATISTICS[statistic](many)
            found = [
                " / ".join(covered(sampler, n, statistic, interval, true) for n in (3, 5, 10))
                for interval in chosen
            ]
            rows.append([name, *found])
        show(f"Coverage of the {statistic}, %, n = 3 / 5 / 10", ["runs", *chosen], rows)


def covered(sampler: Draw, n: int, statistic: str, interval: str, true: float) -> str:
    samples = sampler(np.random.default_rng(2), (SAMPLES, n))
    if interval == "order" and n < 6:
        return "–"
    if interval in ("t", "order"):
        find = t_interval if interval == "t" else order_interval
        low, high = find(samples, statistic, 0.95)
        return percent(np.mean((low <= true) & (true <= high), where=high - low > 1e-9))
    found = []
    for seed, part in enumerate(split(samples)):
        low, high = bootstrap_interval(part, statistic, interval, 0.95, RESAMPLES, seed)
        is_printed = np.subtract(high, low) > 1e-9
        found.append(((low <= true) & (true <= high))[is_printed])
    return percent(np.mean(np.concatenate(found)))


def split(samples: np.ndarray) -> list[np.ndarray]:
    """Split samples into parts for a seed each: one seed would err for all alike."""
    return np.array_split(samples, min(40, len(samples)))


def over_tasks() -> None:
    """Print the coverage over ten tasks, by our bootstrap and by rliable's from all runs."""
    means, spreads = np.linspace(0.2, 1.5, 10), np.linspace(0.1, 0.4, 10)[::-1]
    many = np.random.default_rng(1).normal(means, spreads, (MANY // 10, 10))

    def plain(runs: np.ndarray, resamples: int, generator: Generator) -> np.ndarray:
        return runs[generator.integers(len(runs), size=(resamples, len(runs)))]

    rows = []
    for statistic in ("mean", "median", "iqm", "optimality_gap"):
        true, cells = estimate_over_tasks(many, statistic, resamples=1).value, []
        for draw in (tasks.draw, plain):
            with patch.object(tasks, "draw", draw):
                found = [covered_over_tasks(means, spreads, n, statistic, true) for n in (3, 5, 10)]
            cells.append(" / ".join(map(percent, found)))
        rows.append([statistic, *cells])
    show("Coverage over ten tasks, %, n = 3 / 5 / 10", ["of", "ours", "rliable's"], rows)


def covered_over_tasks(
    means: np.ndarray, spreads: np.ndarray, n: int, statistic: str, true: float
) -> float:
    generator, held = np.random.default_rng(2), 0
    for seed in range(DATASETS):
        scores = generator.normal(means, spreads, (n, 10))
        found = estimate_over_tasks(scores, statistic, resamples=RESAMPLES // 2, seed=seed)
        held += found.low <= true <= found.high
    return held / DATASETS


def draw_runs(generator: Generator, methods: int, n: int, shared: float) -> np.ndarray:
    """Values (methods, n) with a standard deviation of 1, of which the seed explains a share."""
    own, of_seed = generator.normal(size=(methods, n)), generator.normal(size=n)
    return (1 - shared) ** 0.5 * own + shared**0.5 * of_seed


NOISES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "normal": lambda runs: runs,
    "skewed (lognormal)": np.exp,
    "the reference varies three times as much": lambda runs: (
        runs * np.where(np.arange(len(runs)) == 0, 3, 1)[:, None]
    ),
}
TESTS: dict[str, Callable[[np.ndarray, np.ndarray], Comparison]] = {
    "sign flips by seed": compare_paired,
    "Wilcoxon by seed": lambda one, other: compare_paired(one, other, test="wilcoxon"),
    "permutation, other seeds": compare_unpaired,
}


def errors() -> None:
    """The share of families in which a verdict is wrong though nothing differs."""
    rows = []
    for noise, change in NOISES.items():
        for test, compare in TESTS.items():
            shared = 0.0 if compare is compare_unpaired else 0.5
            found = [wrong(change, compare, n, shared) for n in (3, 5, 8, 10)]
            rows.append([noise, test, *(f"{percent(one)} / {percent(six)}" for one, six in found)])
        plain = [wrong_by_t_test(change, n) for n in (3, 5, 8, 10)]
        rows.append(
            [noise, "plain t-test", *(f"{percent(one)} / {percent(six)}" for one, six in plain)]
        )
    heads = ["noise", "test", *(f"n = {n}" for n in (3, 5, 8, 10))]
    show("Wrong verdicts without a difference, %: one claim / any of six", heads, rows)


def wrong(change: Callable, compare: Callable, n: int, shared: float) -> tuple[float, float]:
    generator, alone, any_of_six = np.random.default_rng(n), 0, 0
    for _ in range(FAMILIES[n]):
        runs = change(draw_runs(generator, 7, n, shared))
        claims = [greater(compare(one, runs[0])) for one in runs[1:]]
        alone += is_decided(decide(claims[:1]))
        any_of_six += is_decided(decide(claims))
    return alone / FAMILIES[n], any_of_six / FAMILIES[n]


def is_decided(verdicts: Sequence) -> bool:
    return any(verdict.outcome in ("supported", "refuted") for verdict in verdicts)


def wrong_by_t_test(change: Callable, n: int) -> tuple[float, float]:
    generator = np.random.default_rng(n)
    runs = np.array([change(draw_runs(generator, 7, n, 0.5)) for _ in range(FAMILIES[n])])
    p = stats.ttest_rel(runs[:, 1:], runs[:, :1], axis=2).pvalue
    return float(np.mean(p[:, 0] <= 0.05)), float(np.mean((p <= 0.05).any(axis=1)))


SIZES = ((4, 4), (8, 8), (3, 8), (8, 3), (4, 10), (10, 4))
FIRST_AND_SECOND: dict[str, tuple[Draw, Draw]] = {
    "both normal": (DISTRIBUTIONS["normal"],) * 2,
    "the first varies three times as much": (
        lambda generator, shape: 3 * generator.normal(size=shape),
        DISTRIBUTIONS["normal"],
    ),
    "that, and heavy tails": (
        lambda generator, shape: 3 * generator.standard_t(3, shape),
        DISTRIBUTIONS["heavy tails (t, 3 df)"],
    ),
    "97 % of 100 items": (DISTRIBUTIONS["97 % of 100 items"],) * 2,
    "both lognormal": (DISTRIBUTIONS["skewed (lognormal)"],) * 2,
    "the first lognormal, the second normal": (
        lambda generator, shape: generator.lognormal(size=shape) - np.exp(0.5),
        DISTRIBUTIONS["normal"],
    ),
}
UNPAIRED: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "permutation": lambda one, other: min(1, 2 * min(splits(one, other, 0))),
    "Welch": lambda one, other: float(stats.ttest_ind(one, other, equal_var=False).pvalue),
    "the larger p": lambda one, other: compare_unpaired(one, other).p,
}


def unpaired() -> None:
    """The share of equal means that unpaired tests call different, and of differences found."""
    for title, shift in (("without a difference", 0.0), ("with one of two std", 2.0)):
        rows = []
        for noise, (first, second) in FIRST_AND_SECOND.items():
            cells = [noise]
            for n, m in SIZES:
                generator, found = np.random.default_rng(n * 100 + m), np.zeros(len(UNPAIRED))
                scale = np.hstack((first(generator, (10_000,)), second(generator, (10_000,))))
                for _ in range(FAMILIES[8]):
                    one, other = first(generator, (n,)), second(generator, (m,))
                    if np.ptp(one) and np.ptp(other):
                        one = one + shift * scale.std()
                        found += [test(one, other) <= 0.05 for test in UNPAIRED.values()]
                cells.append(" / ".join(map(percent, found / FAMILIES[8])))
            rows.append(cells)
        heads = ["noise", *(f"{n} against {m}" for n, m in SIZES)]
        show(f"Called different {title}, %: {' / '.join(UNPAIRED)}", heads, rows)


TABLE = (3, 4)  # columns and variants
# The differences of a table's variants, in standard deviations of a run.
TRUTHS = {
    "none differs": (0.0, 0.0, 0.0, 0.0),
    "two best are equal": (3.0, 3.0, 0.0, 0.0),
    "three best are equal": (3.0, 3.0, 3.0, 0.0),
    "one is better by 2": (2.0, 0.0, 0.0, 0.0),
    "each by 1": (3.0, 2.0, 1.0, 0.0),
}
TABLE_NOISES: dict[str, Callable[[Generator, np.ndarray], np.ndarray]] = {
    "normal": lambda generator, runs: runs,
    "skewed (lognormal)": lambda generator, runs: np.exp(runs),
    "97 % of 100 items": lambda generator, runs: stats.binom.ppf(stats.norm.cdf(runs), 100, 0.97),
    "columns vary 1, 10 and 100 times as much": lambda generator, runs: (
        runs * np.array([1, 10, 100])[:, None, None]
    ),
    "the first varies three times as much": lambda generator, runs: (
        runs * np.array([3, 1, 1, 1])[:, None]
    ),
    "one run in eight is missing": lambda generator, runs: np.where(
        generator.random(runs.shape) < 1 / 8, np.nan, runs
    ),
}


def in_tables() -> None:
    """How often tables call an equal variant worse, and worse ones worse, by both corrections."""
    heads = ["noise", "truth", *(f"n = {n}" for n in (6, 8, 10))]
    rows = []
    for noise in TABLE_NOISES:
        for truth in ("none differs", "two best are equal", "three best are equal"):
            cells = [tables_of(noise, truth, n) for n in (6, 8, 10)]
            rows.append([noise, truth, *(f"{percent(a)} / {percent(b)}" for a, b, _, _ in cells)])
    show("Tables with a wrong mark, %: joint sign flips / Holm", heads, rows)
    rows = []
    for truth in ("one is better by 2", "each by 1"):
        cells = [tables_of("normal", truth, n) for n in (6, 8, 10)]
        rows.append(["normal", truth, *(f"{percent(c)} / {percent(d)}" for _, _, c, d in cells)])
    show("Worse cells called worse, %: joint sign flips / Holm", heads, rows)


def tables_of(noise: str, truth: str, n: int) -> tuple[float, float, float, float]:
    """Return the share of tables with a wrong mark by both corrections, and of cells found."""
    generator = np.random.default_rng(n)
    means = np.array(TRUTHS[truth])
    wrong, found, worse = np.zeros(2), np.zeros(2), 0
    for _ in range(FAMILIES[3]):
        own, of_seed = generator.normal(size=(*TABLE, n)), generator.normal(size=n)
        runs = TABLE_NOISES[noise](generator, (own + of_seed) / 2**0.5)
        runs = runs + means[:, None] * np.nanstd(runs, axis=(1, 2), keepdims=True)
        called = marked_worse(runs)
        for which, cells in enumerate(called):
            real = [means[row] < means[best] for row, best in cells]
            wrong[which] += not all(real)
            found[which] += sum(real)
        worse += TABLE[0] * int((means < means.max()).sum())
    return (*wrong / FAMILIES[3], *found / max(worse, 1))


def marked_worse(runs: np.ndarray) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return each cell marked worse with its column's best, by joint flips and by Holm."""
    columns = {}
    for heading, column in enumerate(runs):
        by_seed = {
            row: {seed: float(v) for seed, v in enumerate(values) if np.isfinite(v)}
            for row, values in enumerate(column)
        }
        values = {row: float(np.mean(list(each.values()))) for row, each in by_seed.items()}
        columns[str(heading)] = Column(Goal.MAXIMIZE, values, by_seed)
    marks = find_best(columns)
    best = {heading: row for (heading, row), mark in marks.by_place.items() if mark == "best"}
    joint = [(row, best[h]) for (h, row), mark in marks.by_place.items() if mark == "worse"]
    places = list(marks.comparisons)
    others = [1.0] * (marks.family.paired + marks.family.unpaired - len(places))
    p = holm([*(marks.comparisons[place].p for place in places), *others])[: len(places)]
    by_holm = [(row, best[h]) for (h, row), each in zip(places, p, strict=True) if each <= 0.05]
    return joint, by_holm


def power() -> None:
    """The share of real differences that a single claim finds."""
    p_values: dict[str, Callable[..., float]] = {
        test: lambda *runs, compare=compare: compare(*runs).p for test, compare in TESTS.items()
    }
    p_values["scipy's ttest_rel"] = lambda *runs: stats.ttest_rel(*runs).pvalue
    p_values["scipy's ttest_ind (Welch)"] = lambda *runs: (
        stats.ttest_ind(*runs, equal_var=False).pvalue
    )
    rows = []
    for shared in (0.0, 0.5):
        for effect in (1.0, 2.0):
            cells = []
            for p_value in p_values.values():
                found = [found_by(p_value, n, effect, shared) for n in (5, 8, 10)]
                cells.append(" / ".join(map(percent, found)))
            rows.append([f"{effect:g} std", f"{100 * shared:.0f} %", *cells])
    heads = ["difference", "of the seed", *p_values]
    show("Differences found, %, n = 5 / 8 / 10", heads, rows)


def found_by(p_value: Callable, n: int, effect: float, shared: float) -> float:
    generator, found = np.random.default_rng(n), 0
    for _ in range(FAMILIES[n]):
        other, one = draw_runs(generator, 2, n, shared)
        found += p_value(one + effect, other) <= 0.05
    return found / FAMILIES[n]


def runs() -> None:
    """Print what so many runs can decide at all, and how many an effect needs."""
    sizes = (1, 2, 3, 5, 6, 10, 20)
    show(
        "Fewest runs that can decide the first of so many claims",
        ["claims", *map(str, sizes)],
        [
            ["pairs", *(runs_to_decide(m) for m in sizes)],
            ["unpaired, each side", *(runs_to_decide(m, is_paired=False) for m in sizes)],
        ],
    )
    numbers = (3, 4, 5, 6, 7, 8, 10)
    show(
        "Smallest p",
        ["n", *map(str, numbers)],
        [
            ["pairs", *(f"{minimum_p(n):.2g}" for n in numbers)],
            ["unpaired, n against n", *(f"{minimum_p(n, n):.2g}" for n in numbers)],
        ],
    )
    effects = (0.5, 0.8, 1, 1.5, 2, 3)
    show(
        "Runs for a power of 80 %",
        ["difference / std", *map(str, effects)],
        [
            ["pairs, one claim", *(runs_needed(d, 1) for d in effects)],
            ["pairs, six claims", *(runs_needed(d, 1, 0.05 / 6) for d in effects)],
            ["unpaired, one claim", *(runs_needed(d, 1, is_paired=False) for d in effects)],
        ],
    )


def published() -> None:
    """How often runs of the same method are refuted, given a published mean of k runs."""
    rows = []
    for ours in (5, 8):
        for theirs in (1, 3, 5):
            forms = EXACT_OR_NOT if theirs > 1 else ("taken as exact", "n alone")
            found = {
                form: " / ".join(percent(refuted(form, ours, theirs, t)) for t in (0.05, 0.5))
                for form in forms
            }
            rows.append([theirs, ours, *(found.get(form, "–") for form in EXACT_OR_NOT)])
    title = "The same method refuted, %, with a tolerance of 0.05 / 0.5 standard deviations"
    show(title, ["published runs", "our runs", *EXACT_OR_NOT], rows)


EXACT_OR_NOT = ("taken as exact", "n alone", "std and n", "interval, n unknown")


def refuted(form: str, ours: int, theirs: int, tolerance: float) -> float:
    generator, found = np.random.default_rng(1), 0
    for _ in range(SAMPLES):
        values, published_runs = generator.normal(size=ours), generator.normal(size=theirs)
        mean = published_runs.mean()
        if form == "taken as exact":
            test = equivalence(values, mean, tolerance)
        else:
            test = equivalence_to_published(values, summary(form, published_runs), tolerance)
        found += decide([within(test)])[0].outcome == "refuted"
    return found / SAMPLES


def summary(form: str, runs: np.ndarray) -> PublishedMean:
    """Return the published mean of these runs, with what a paper of this form gives beside it."""
    if form == "n alone":
        return PublishedMean(runs.mean(), None, len(runs))
    if form == "std and n":
        return PublishedMean.of_std(runs.mean(), runs.std(ddof=1), len(runs))
    ends = stats.t.interval(0.95, len(runs) - 1, runs.mean(), stats.sem(runs))
    return PublishedMean.of_interval(runs.mean(), *ends)


SHAPES = {
    "flat": (0, 0, 0, 0, 0),
    "rises by 1 at each step": (0, 1, 2, 3, 4),
    "rises by 2 at each step": (0, 2, 4, 6, 8),
    "rises by 1, falls by 0.5 at the last": (0, 1, 2, 3, 2.5),
    "rises by 1, falls by 1 at the last": (0, 1, 2, 3, 2),
    "rises by 1, falls by 2 at the last": (0, 1, 2, 3, 1),
    "rises and falls by 1": (0, 1, 2, 1, 0),
}


def trends() -> None:
    """How often "it rises over five levels" is supported and refuted, by kind, for eight seeds."""
    kinds: tuple[TrendKind, ...] = ("monotone", "slope", "steps")
    rows = [[name, *(rises(kind, means) for kind in kinds)] for name, means in SHAPES.items()]
    show("Supported / refuted, %, steps in standard deviations", ["means", *kinds], rows)


def rises(kind: TrendKind, means: Sequence[float]) -> str:
    generator, outcomes = np.random.default_rng(1), []
    for _ in range(SAMPLES // 2):
        values = draw_runs(generator, len(means), 8, 0.0).T + means
        [verdict] = decide([greater(trend(values, range(len(means)), kind=kind))])
        outcomes.append(verdict.outcome)
    return " / ".join(
        percent(np.mean([outcome == wanted for outcome in outcomes]))
        for wanted in ("supported", "refuted")
    )


TIMES: dict[str, Draw] = {
    "normal, sd 10 %": lambda generator, shape: generator.normal(1, 0.1, shape),
    "lognormal, sd 10 %": lambda generator, shape: generator.lognormal(-0.005, 0.1, shape),
    "lognormal, sd 53 %": lambda generator, shape: generator.lognormal(-0.125, 0.5, shape),
}


def ratios() -> None:
    """How often "at least twice" is supported and refuted, for eight seeds, and what covers."""
    truths = (2.0, 2.2, 2.5, 1.8)
    rows = [[name, *(twice(draw, truth) for truth in truths)] for name, draw in TIMES.items()]
    heads = [f"truth {truth:g}" for truth in truths]
    show("Supported / refuted / interval covers, %", ["runs", *heads], rows)


def twice(draw: Draw, truth: float) -> str:
    generator, outcomes, covered = np.random.default_rng(1), [], []
    claim, methods = Ratio(of={}, to={}, metric=Metric(name="time"), at_least=2.0), Methods()
    for _ in range(SAMPLES // 2):
        of, to = truth * draw(generator, (8,)), draw(generator, (8,))
        values = [dict(enumerate(map(float, side))) for side in (of, to)]
        effect = measure_ratio(claim, values, methods)
        outcomes.append(decide([effect.test])[0].outcome)
        covered.append(bool(effect.low and effect.low <= truth <= (effect.high or 0)))
    told = [np.mean([each == wanted for each in outcomes]) for wanted in ("supported", "refuted")]
    return " / ".join(map(percent, (*told, np.mean(covered))))


ORDERS = {
    "equal": (0, 0, 0),
    "1 apart": (2, 1, 0),
    "2 apart": (4, 2, 0),
    "2 apart, the last two equal": (2, 0, 0),
    "2 apart, the last two reversed by 1": (2, 0, 1),
    "2 apart, the last two reversed by 2": (2, 0, 2),
}


def orders() -> None:
    """How often "a is better than b, and b than c" is supported and refuted, by seeds."""
    rows = [[name, *(ordered(means, n) for n in (6, 8, 10))] for name, means in ORDERS.items()]
    show("Supported / refuted, %, in standard deviations of a run", ["means", "6", "8", "10"], rows)


def ordered(means: Sequence[float], n: int) -> str:
    generator, outcomes = np.random.default_rng(1), []
    for _ in range(SAMPLES // 2):
        runs = draw_runs(generator, len(means), n, 0.0) + np.array(means)[:, None]
        values = [dict(enumerate(map(float, side))) for side in runs]
        effect = measure_order(values, Goal.MAXIMIZE, Methods())
        outcomes.append(decide([effect.test])[0].outcome)
    return " / ".join(
        percent(np.mean([outcome == wanted for outcome in outcomes]))
        for wanted in ("supported", "refuted")
    )


RANGED: dict[str, tuple[Callable[[Generator, int], np.ndarray], float, Bounds]] = {
    "beta(50, 1), from 0 to 1": (lambda draw, n: draw.beta(50, 1, n), 50 / 51, (0, 1)),
    "98 % of 100 items, from 0 to 1": (
        lambda draw, n: draw.binomial(100, draw.beta(98, 2, n)) / 100,
        0.98,
        (0, 1),
    ),
    "lognormal, from 0 on": (lambda draw, n: draw.lognormal(size=n), np.exp(0.5), (0, None)),
    "normal around 0.7, from 0 to 1": (lambda draw, n: draw.normal(0.7, 0.02, n), 0.7, (0, 1)),
}


def ranges() -> None:
    """Coverage of the mean with and without a declared range."""
    rows = []
    for name, (draw, mean, bounds) in RANGED.items():
        found = [
            " / ".join(covered_within(draw, mean, n, each) for n in (3, 5, 8, 10))
            for each in (None, bounds)
        ]
        rows.append([name, *found])
    show("Coverage of the mean, %, n = 3 / 5 / 8 / 10", ["runs", "`t`", "with its range"], rows)


def covered_within(draw: Callable, mean: float, n: int, bounds: Bounds | None) -> str:
    generator, held = np.random.default_rng(1), 0
    for _ in range(SAMPLES):
        found = estimate_within(Methods(), draw(generator, n), bounds)
        held += found.low <= mean <= found.high
    return percent(held / SAMPLES)


# Differences, or values less their mean, whose mean is zero.
NULLS: dict[str, Callable[[Generator, int], np.ndarray]] = {
    "normal": lambda draw, n: draw.normal(size=n),
    "beta(50, 1) against its mean": lambda draw, n: draw.beta(50, 1, n) - 50 / 51,
    "lognormal against its mean": lambda draw, n: draw.lognormal(size=n) - np.exp(0.5),
    "stable against one in ten collapses": lambda draw, n: (
        draw.normal(0.9, 0.01, n)
        - np.where(draw.random(n) < 0.1, draw.normal(0.7, 0.02, n), draw.normal(8.3 / 9, 0.01, n))
    ),
}


def asymmetric() -> None:
    """How often sign flips find a difference where there is none, above and below."""
    sizes = (6, 8, 10, 20)
    rows = [[name, *(found_above_below(draw, n) for n in sizes)] for name, draw in NULLS.items()]
    show("Equal means, found above / below, %", ["of", *(f"n = {n}" for n in sizes)], rows)


def found_above_below(draw: Callable, n: int) -> str:
    generator, outcomes = np.random.default_rng(n), []
    for _ in range(3 * SAMPLES // 4):
        [verdict] = decide([greater(compare_to_value(draw(generator, n), 0.0))])
        outcomes.append(verdict.outcome)
    return " / ".join(
        percent(np.mean([outcome == wanted for outcome in outcomes]))
        for wanted in ("supported", "refuted")
    )


SKEWED: dict[str, tuple[Draw, float]] = {
    "normal": (DISTRIBUTIONS["normal"], 0.0),
    "heavy tails (t, 3 df)": (DISTRIBUTIONS["heavy tails (t, 3 df)"], 0.0),
    "97 % of 100 items": (DISTRIBUTIONS["97 % of 100 items"], 0.97),
    "99 % of 100 items": (DISTRIBUTIONS["99 % of 100 items"], 0.99),
    "beta(50, 1)": (lambda draw, shape: draw.beta(50, 1, shape), 50 / 51),
    "exponential": (lambda draw, shape: draw.exponential(size=shape), 1.0),
    "lognormal": (DISTRIBUTIONS["skewed (lognormal)"], np.exp(0.5)),
    "one in ten collapses": (collapsing(0.1), 0.88),
    "one in five collapses": (collapsing(0.2), 0.86),
}


def skewed() -> None:
    """Coverage of the mean by Student's t and by bootstrap-t, and how wide the latter is."""
    rows = []
    for name, (draw, mean) in SKEWED.items():
        rows.append([name, *(" / ".join(covered_by_t(draw, mean, n)) for n in (5, 8, 10))])
    heads = ["runs", *(f"n = {n}" for n in (5, 8, 10))]
    show("Coverage, %: `t` / `bootstrap-t`; its median width; without it, %", heads, rows)


def covered_by_t(draw: Draw, mean: float, n: int) -> list[str]:
    """Return how often each of both covers, the ratio of widths, and the share without one."""
    samples = draw(np.random.default_rng(n), (SAMPLES, n))
    samples = samples[np.ptp(samples, axis=1) > 1e-9]
    parts = enumerate(split(samples))
    found = [bootstrap_t_interval(part, 0.95, RESAMPLES * 10, seed) for seed, part in parts]
    low, high = np.hstack(found)
    made = np.isfinite(low)
    least, greatest = t_interval(samples, "mean", 0.95)
    return [
        percent(np.mean((least <= mean) & (mean <= greatest))),
        percent(np.mean((low <= mean) & (mean <= high), where=made)),
        f"{np.median(((high - low) / (greatest - least))[made]):.1f}",
        percent(1 - np.mean(made)),
    ]


FOLDS, POINTS = 10, 200


def of_folds() -> None:
    """How often 10-fold cross-validation finds a difference between equal learners.

    Both are nearest neighbours, of two features each that tell two classes apart equally well. A
    repetition splits the points anew; a value is the accuracy on the points of one fold.
    """
    rows = []
    for repetitions in (1, 10):
        found = np.array([cross_validated(seed, repetitions) for seed in range(SAMPLES)]) <= 0.05
        rows.append([repetitions, *map(percent, found.mean(axis=0))])
    heads = ["repetitions", "corrected t-test", "sign flips", "plain t-test"]
    show("Equal learners called different, %", heads, rows)


def cross_validated(seed: int, repetitions: int) -> tuple[float, float, float]:
    """Return p of the corrected t-test, of sign flips and of the plain t-test."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(2, size=POINTS)
    features = generator.normal(size=(2, POINTS, 2)) + classes[:, None]
    squares = ((features[:, :, None] - features[:, None]) ** 2).sum(axis=3)
    differences = []
    for _ in range(repetitions):
        fold = generator.permutation(POINTS) % FOLDS
        apart = np.where(fold[:, None] == fold, np.inf, squares)  # from those of the training set
        is_right = classes[apart.argmin(axis=2)] == classes
        correct = is_right[0].astype(float) - is_right[1]
        differences += [float(correct[fold == each].mean()) for each in range(FOLDS)]
    zeros = np.zeros(len(differences))
    corrected = compare_paired(differences, zeros, folds=FOLDS)
    flips = sign_flips(np.array(differences), 0)
    return (
        1.0 if corrected.equal == ("differences",) else corrected.p,
        2 * min(flips),
        float(stats.ttest_1samp(differences, 0).pvalue),
    )


METHODS_AND_TASKS = ((3, 10), (4, 10), (6, 10), (4, 20), (6, 20))
RANK_TRUTHS = {
    "none differs": lambda methods: np.zeros(methods),
    "all but the last are equal": lambda methods: np.append(np.zeros(methods - 1), -3.0),
    "each by 1 from the next": lambda methods: -np.arange(methods, dtype=float),
}


RANK_TESTS = ("Nemenyi, all pairs", "Holm, against the first")


def in_ranks() -> None:
    """How often ranks over tasks tell equal methods apart, and different ones."""
    rows = []
    for truth, means in RANK_TRUTHS.items():
        cells = [ranked(means(methods), tasks) for methods, tasks in METHODS_AND_TASKS]
        for place, test in enumerate(RANK_TESTS):
            rows.append([truth, test, *(cell[place] for cell in cells)])
    heads = ["means", "test", *(f"{k} methods, {n} tasks" for k, n in METHODS_AND_TASKS)]
    show(
        "Sets with a wrong pair / different pairs told apart, %, after Friedman's test", heads, rows
    )


def ranked(means: np.ndarray, tasks: int) -> list[str]:
    """Return for each test the share of sets of tasks with a wrong pair, and of pairs found.

    A method's value on a task varies by one standard deviation about its mean and the task's.
    """
    generator, methods = np.random.default_rng(1), len(means)
    sets: list[list[bool]] = [[] for _ in RANK_TESTS]  # whether a set has a wrong pair
    pairs: list[list[bool]] = [[] for _ in RANK_TESTS]  # whether a different pair is found
    for _ in range(FAMILIES[3]):
        difficulty = 3 * generator.normal(size=(tasks, 1))
        ranks = compare_ranks(generator.normal(means, size=(tasks, methods)) + difficulty)
        against_first = np.stack([compare_with_control(ranks, 0)] * methods)
        tested = combinations(range(methods), 2), ((0, other) for other in range(1, methods))
        for place, (p, each) in enumerate(zip((ranks.pairs, against_first), tested, strict=True)):
            told = {(a, b): bool(ranks.differ and p[a, b] <= 0.05) for a, b in each}
            sets[place].append(any(told[a, b] for a, b in told if means[a] == means[b]))
            pairs[place] += [told[a, b] for a, b in told if means[a] != means[b]]
    return [
        f"{percent(np.mean(wrong))} / {percent(np.mean(found)) if found else '–'}"
        for wrong, found in zip(sets, pairs, strict=True)
    ]


PARTS = {
    "intervals": intervals,
    "tasks": over_tasks,
    "errors": errors,
    "unpaired": unpaired,
    "tables": in_tables,
    "power": power,
    "published": published,
    "trends": trends,
    "ratios": ratios,
    "orders": orders,
    "ranges": ranges,
    "asymmetric": asymmetric,
    "skewed": skewed,
    "folds": of_folds,
    "ranks": in_ranks,
    "runs": runs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)")
    parser.add_argument("--share", type=float, default=1.0, help="of the simulations (1)")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"unknown part: {', '.join(unknown)}")
    scale(options.share)
    for name in options.parts or PARTS:
        PARTS[name]()


def scale(share: float) -> None:
    """Simulate a share of what the tables are made from."""
    global SAMPLES, DATASETS, FAMILIES, MANY
    SAMPLES, DATASETS, MANY = (max(8, round(share * size)) for size in (SAMPLES, DATASETS, MANY))
    FAMILIES = {n: max(2, round(share * size)) for n, size in FAMILIES.items()}


if __name__ == "__main__":
    main()
