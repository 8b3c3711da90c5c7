"""Compare two methods over seeds and test items together: both could have been others.

The scores of runs, rows, on items, columns, are a crossed design with random rows and columns, as
of readers and cases in radiology (Obuchowski & Rockette 1995; Hillis 2007; Gallas 2006).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr, stdtrit

from caduceus.errors import ResultError
from caduceus.statistics.items import ItemComparison, cluster_sums, compare_items
from caduceus.statistics.samples import Array, Values


def compare_seeds_and_items(
    first: Array,
    second: Array,
    is_paired: bool,
    margin: float = 0.0,
    clusters: Values | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> ItemComparison:
    """Compare two methods whose runs were scored on the same items.

    The variance of the mean difference is that between seeds plus that between items, less that
    between both, which is in either; it isn't less than that of seeds or of items alone. The
    degrees of freedom follow Satterthwaite (1946). As t is too sure where few items differ, p isn't
    below that of `compare_items`.

    Args:
        first: scores of the first method, (n, items), a row for each seed.
        second: scores of the second method on the same items, (m, items).
        is_paired: whether row i of both has the same seed, so that n is m.
        margin: the mean difference under the null hypothesis.
        clusters: a number for each item's cluster, (items,); None if items are drawn one by one.
        confidence: the confidence level of the interval.
        seed: seeds the random signs of `compare_items`.

    Raises:
        ResultError: the numbers of items or, if paired, of seeds differ, or a score isn't finite.
    """
    if is_paired and len(first) != len(second):
        raise ResultError(f"{len(first)} runs can't be paired with {len(second)}")
    found = compare_items(
        first.mean(axis=0), second.mean(axis=0), margin, clusters, confidence, 1, seed
    )
    seeds = (len(first),) if is_paired else (len(first), len(second))
    tables = [first - second] if is_paired else [first, second]
    low = high = float("nan")
    greater = less = 1.0
    constant = found.is_constant
    if min(seeds) > 1 and found.clusters > 1 and not constant:
        groups = None if clusters is None else np.asarray(clusters)
        error, degrees = crossed_error(tables, groups)
        t = (found.effect - margin) / error
        greater = max(found.p_greater, float(stdtr(degrees, -t)))
        less = max(found.p_less, float(stdtr(degrees, t)))
        half = float(stdtrit(degrees, (1 + confidence) / 2)) * error
        low, high = found.effect - half, found.effect + half
    return ItemComparison(
        n=found.n,
        clusters=found.clusters,
        seeds=seeds,
        effect=found.effect,
        low=low,
        high=high,
        margin=margin,
        p_greater=greater,
        p_less=less,
        minimum_p=found.minimum_p if min(seeds) > 1 else 1.0,
        effect_size=float("nan"),
        discordant=found.discordant,
        test="crossed",
        is_constant=constant,
        rare=found.rare,
    )


def crossed_error(tables: Sequence[Array], clusters: Array | None) -> tuple[float, float]:
    """Return the standard error of a mean over seeds and items, and its degrees of freedom.

    Args:
        tables: one array, (seeds, items), of scores or paired differences; or two of the same
            items, (n, items) and (m, items), whose means are subtracted.
        clusters: numbers of the items' clusters, (items,); None if items are drawn one by one.
    """
    m = tables[0].shape[1]
    seeds, both, degrees = 0.0, 0.0, 0.0
    by_item = tables[0].mean(axis=0) - (tables[1].mean(axis=0) if len(tables) > 1 else 0.0)
    sums = cluster_sums(by_item - by_item.mean(), clusters)
    g = len(sums)
    items = float((sums**2).sum()) * g / (g - 1) / m**2
    for table in tables:
        n = len(table)
        rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0)
        of_seeds = float(rows.var(ddof=1)) / n
        rest = cluster_sums(table - rows - columns + table.mean(), clusters)
        of_both = float((rest**2).sum()) * n * g / ((n - 1) * (g - 1)) / (n * m) ** 2
        seeds, both = seeds + of_seeds, both + of_both
        degrees += of_seeds**2 / (n - 1) + of_both**2 / ((n - 1) * (g - 1))
    degrees += items**2 / (g - 1)
    variance = max(seeds + items - both, seeds, items)
    return variance**0.5, variance**2 / degrees
