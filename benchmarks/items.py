"""How often verdicts over test items, and over seeds and items together, err, by simulation.

    python benchmarks/items.py [--share SHARE]

Prints the tables on test items in workflow/STATISTICS.md. Takes ten minutes on a busy core.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from caduceus.statistics import compare_paired, items
from caduceus.statistics.items import bootstrap_items, compare_items
from caduceus.statistics.seeds_and_items import compare_seeds_and_items, crossed_error
from numpy.random import Generator
from scipy import stats

REPEATS = 1_000  # comparisons for each number
DRAWS = 999  # sign flips and resamples of each
SIZES = ((3, 100), (3, 1000), (8, 100), (8, 300), (8, 1000))  # seeds and items


@dataclass(frozen=True)
class World:
    """How two methods of equal expected score differ, on the logit scale.

    Attributes:
        right: the logit of a common item's score.
        seeds: the standard deviation between seeds of a method.
        items: the standard deviation of what one method finds easier than the other.
        cluster: the number of items that share it.
        collapses: the share of seeds whose logits are 2 lower.
    """

    right: float = 2.5
    seeds: float = 0.0
    items: float = 0.0
    cluster: int = 1
    collapses: float = 0.0

    def draw(self, generator: Generator, n: int, m: int, better: float = 0.0) -> np.ndarray:
        """Return scores of 0 or 1, (2, n, m), of two methods; the first is better by a logit."""
        difficulty = generator.normal(self.right, 2, m)
        own = generator.normal(0, self.items, (2, 1, m // self.cluster)).repeat(self.cluster, 2)
        runs = generator.normal(0, self.seeds, (2, n, 1))
        runs = runs - 2 * (generator.random((2, n, 1)) < self.collapses)
        shift = np.array([better, 0.0]).reshape(2, 1, 1)
        chance = 1 / (1 + np.exp(-(difficulty + own + runs + shift)))
        return (generator.random((2, n, m)) < chance).astype(float)


WORLDS = {
    "neither": World(),
    "seeds": World(seeds=0.5),
    "items": World(items=1.5),
    "seeds and items": World(seeds=0.5, items=1.5),
    "both, 98 % are right": World(right=6.0, seeds=0.5, items=1.5),
    "both, items in clusters of ten": World(seeds=0.5, items=1.5, cluster=10),
    "both, one seed in five collapses": World(seeds=0.5, items=1.5, collapses=0.2),
}


def pigeonhole(first: np.ndarray, second: np.ndarray, clusters: np.ndarray) -> float:
    """Return p by drawing seeds and clusters anew (Owen 2007), from the share beyond 0."""
    generator, difference = np.random.default_rng(0), first - second
    n, (count, size) = len(first), (clusters.max() + 1, len(clusters) // (clusters.max() + 1))
    by_cluster = difference.reshape(n, count, size).sum(axis=2)
    seeds = generator.multinomial(n, np.full(n, 1 / n), DRAWS)
    drawn = generator.integers(0, count, (DRAWS, count))
    means = np.take_along_axis(seeds @ by_cluster, drawn, axis=1).sum(axis=1)
    return min(1.0, 2 * min((means <= 0).mean(), (means >= 0).mean()))


def crossed(first: np.ndarray, second: np.ndarray, clusters: np.ndarray | None) -> float:
    """Return p by the crossed design alone."""
    effect = (first - second).mean()
    if not (first - second).any():
        return 1.0
    error, degrees = crossed_error([first - second], clusters)
    return float(2 * stats.t.sf(abs(effect) / error, degrees))


Ps = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
TESTS: dict[str, Ps] = {
    "seeds": lambda a, b, _: compare_paired(a.mean(axis=1), b.mean(axis=1)).p,
    "items, one run each": lambda a, b, c: compare_items(a[0], b[0], 0.0, c, resamples=1).p,
    "items": lambda a, b, c: compare_items(a.mean(axis=0), b.mean(axis=0), 0.0, c, resamples=1).p,
    "both": lambda a, b, c: compare_seeds_and_items(a, b, True, 0.0, c).p,
    "both, other seeds": lambda a, b, c: compare_seeds_and_items(a, b, False, 0.0, c).p,
    "crossed t alone": crossed,
    "pigeonhole": lambda a, b, c: pigeonhole(a, b, np.arange(a.shape[1]) if c is None else c),
}


def decided(world: World, n: int, m: int, repeats: int, better: float = 0.0) -> list[float]:
    """Return the percentages of comparisons that each test decides at 5 %."""
    generator = np.random.default_rng(0)
    clusters = None if world.cluster == 1 else np.arange(m) // world.cluster
    found = np.zeros(len(TESTS))
    for _ in range(repeats):
        first, second = world.draw(generator, n, m, better)
        found += [test(first, second, clusters) <= 0.05 for test in TESTS.values()]
    return list(100 * found / repeats)


def decisions(repeats: int, worlds: Iterable[str], better: float = 0.0) -> None:
    """Print how often each test decides, for methods whose logits differ by `better`."""
    rows = []
    for name in worlds:
        by_size = [decided(WORLDS[name], n, m, repeats, better) for n, m in SIZES]
        rows.append(
            [name, *[" / ".join(f"{p:.1f}" for p in test) for test in zip(*by_size, strict=True)]]
        )
    table(["what varies", *TESTS], rows)


def bootstraps(repeats: int) -> None:
    """Print how often bootstrap intervals contain the mean of items, in %, by their number."""
    rows = []
    draws = {
        "scores of 0 and 1, 90 %": lambda generator, n: (generator.random(n) < 0.9) * 1.0 - 0.9,
        "differences of -1, 0 and 1": lambda generator, n: generator.choice(
            (-1.0, 0.0, 1.0), n, p=(0.05, 0.9, 0.05)
        ),
        "normal": lambda generator, n: generator.normal(size=n),
        "skewed (lognormal)": lambda generator, n: generator.lognormal(size=n) - np.exp(0.5),
    }
    for name, draw in draws.items():
        cells = []
        for count in (10, 30, 100, 1000):
            generator = np.random.default_rng(2)
            held = 0
            for _ in range(repeats):
                low, high = bootstrap_items(draw(generator, count), np.ones(count), 0.95, DRAWS, 0)
                held += bool(low <= 0 <= high)
            cells.append(f"{100 * held / repeats:.1f}")
        rows.append([name, " / ".join(cells)])
    table(["items, or clusters", "covered for 10 / 30 / 100 / 1000"], rows)


def warnings(repeats: int) -> None:
    """Print the coverage where few items differ from the others, and how often a claim warns."""
    rows = []
    for expected in (1, 2, 5, 10, 20, 40):
        cells = []
        for n in (100, 1000):
            generator, held, warned = np.random.default_rng(3), 0, 0
            for _ in range(repeats):
                first = (generator.random(n) < expected / n).astype(float)
                found = compare_items(first, np.zeros(n), resamples=DRAWS)
                held += bool(found.low <= expected / n <= found.high)
                warned += not found.is_interval_reliable
            cells.append(f"{100 * held / repeats:.1f} ({100 * warned / repeats:.0f})")
        rows.append([str(expected), " / ".join(cells)])
    table(["expected to differ", "covered (warned of) for 100 / 1000"], rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for row in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of all comparisons")
    repeats = max(1, round(REPEATS * parser.parse_args().share))
    sizes = " / ".join(f"{n} x {m}" for n, m in SIZES)
    with patch.object(items, "_DRAWS", DRAWS):
        print(f"Called different though equal, in %, for {sizes} seeds x items:\n")
        decisions(repeats, WORLDS)
        print("\nDifferences of 0.4 on the logit scale that are found, in %:\n")
        decisions(repeats, ("seeds", "items", "seeds and items"), 0.4)
        print("\nCoverage of 95 % bootstrap intervals over items, in %:\n")
        bootstraps(repeats)
        print("\nCoverage where few items have another difference than the others, in %:\n")
        warnings(repeats)


if __name__ == "__main__":
    main()
