"""The effect of a claim that is tested over test items, or over seeds and items together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from caduceus.io.phrases import count_of
from caduceus.paper.claim_effects import ClaimEffect, ItemTest, items_of
from caduceus.paper.item_tables import ItemTables, are_close, read_tables, scale_to_metric
from caduceus.paper.results import Variant
from caduceus.paper.rounding import round_value
from caduceus.project.claims import Claim
from caduceus.runs.goal import Goal
from caduceus.statistics.comparisons import compared_seeds
from caduceus.statistics.items import LEAST_RARE, ItemComparison, compare_items
from caduceus.statistics.samples import Array
from caduceus.statistics.seeds_and_items import compare_seeds_and_items
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import greater, less


def measure_items(
    claim: Claim,
    variants: Sequence[Variant],
    values: Sequence[Mapping[int, float]],
    goal: Goal | None,
    methods: Methods,
) -> ClaimEffect:
    """Compute the effect and the test of a claim that compares two variants by their test items.

    Runs that differ in seed are averaged where it is tested by item, and are a second source of
    chance where it is tested by seed and item. The runs are those that a claim by seed compares.

    Args:
        claim: the claim.
        variants: the better and the worse one.
        values: the metric by seed, of each; runs without it are left out.
        goal: which scores are better.
        methods: the statistical methods.

    Raises:
        ResultError: a run lacks its file of scores, the file is wrong, or two runs have different
            items.
    """
    assert claim.compare is not None and claim.items is not None  # checked with the claim
    first, second = values
    seeds = compared_seeds(first, second, methods.test)
    tables = read_tables(
        [
            [result for result in variant.results if result.seed in chosen]
            for variant, chosen in zip(variants, seeds, strict=True)
        ],
        claim.items,
    )
    logged = [np.array([by[s] for s in side]) for by, side in zip(values, seeds, strict=True)]
    scale = scale_to_metric(tables, logged)
    is_paired = seeds[0] == seeds[1] and methods.test != "permutation"
    margin = claim.compare.margin * (1 if goal is Goal.MAXIMIZE else -1)
    found = _compared(claim, tables, is_paired, margin, scale or 1.0, methods)
    test = greater(found) if goal is Goal.MAXIMIZE else less(found)
    unit = "item" if tables.clusters is None else "cluster"
    if found.test == "crossed" and min(found.seeds) < 2:  # what is too few
        unit = "pair" if is_paired else "run"
        test = replace(test, n=min(found.seeds), n_second=None if is_paired else found.seeds[1])
    else:
        test = replace(test, fewest=None)
    notes = [*_other_scores(claim, variants, tables, logged, scale), *_unreliable(found)]
    return ClaimEffect(
        test,
        unit,
        found.effect,
        None if math.isnan(found.low) else found.low,
        None if math.isnan(found.high) else found.high,
        found.effect_size if math.isfinite(found.effect_size) else None,
        _method(found, is_paired, methods),
        tuple(map(tuple, seeds)),
        items=ItemTest(found, scale is not None, tuple(notes)),
    )


def _compared(
    claim: Claim,
    tables: ItemTables,
    is_paired: bool,
    margin: float,
    scale: float,
    methods: Methods,
) -> ItemComparison:
    """Compare the variants' scores, and return the comparison in the unit of the metric."""
    first, second = tables.sides
    shifted = margin / scale
    clusters, confidence = tables.clusters, methods.confidence
    if claim.by == "seed and item":
        found = compare_seeds_and_items(first, second, is_paired, shifted, clusters, confidence)
    else:
        means = first.mean(axis=0), second.mean(axis=0)
        found = compare_items(*means, shifted, clusters, confidence, methods.resamples)
    return replace(
        found,
        effect=scale * found.effect,
        low=scale * found.low,
        high=scale * found.high,
        margin=margin,
    )


def _other_scores(
    claim: Claim,
    variants: Sequence[Variant],
    tables: ItemTables,
    logged: Sequence[Array],
    scale: float | None,
) -> Iterator[str]:
    """Yield a sentence if the mean scores of the items aren't the metric."""
    if scale is not None:
        return
    assert claim.items is not None
    for variant, scores, values in zip(variants, tables.sides, logged, strict=True):
        means = scores.mean(axis=1)
        worst = int(np.abs(means - values).argmax())
        if not are_close(means, values, 1 / scores.shape[1]):
            yield (
                f"The scores in {claim.items.file} aren't {claim.test.metric.words}: of a run of "
                f"{variant.name} their mean is {round_value(means[worst])}, and the metric "
                f"{round_value(values[worst])}. The verdict is on these scores; name the metric "
                "that is their mean."
            )
            return


def _unreliable(found: ItemComparison) -> Iterator[str]:
    """Yield a sentence if too few items differ from the others for the interval."""
    if found.is_constant or found.is_interval_reliable or math.isnan(found.low):
        return
    what = "test items" if found.clusters == found.n else "clusters of test items"
    yield (
        f"The interval can't be relied on, and may be much too narrow: {found.rare} of "
        f"{found.clusters:,} {what} {'has' if found.rare == 1 else 'have'} another difference than "
        f"the commonest one; it takes {LEAST_RARE}."
    )


def _method(found: ItemComparison, is_paired: bool, methods: Methods) -> str:
    """Name the test and the interval."""
    items = items_of(found)
    interval = f"{100 * methods.confidence:.4g} % interval by"
    if found.test == "crossed":
        runs = (
            count_of(found.seeds[0], "pair") + " of runs"
            if is_paired
            else f"{count_of(found.seeds[0], 'run')} against {found.seeds[1]}, not paired,"
        )
        return (
            f"t-test of a crossed design of {runs} and {items}, or the sign-flip test over the "
            f"items where its p is larger; {interval} the same t"
        )
    differ = f"{items}, of which {found.discordant:,} differ"
    name = "exact McNemar test" if found.test == "mcnemar" else "sign-flip test"
    return f"{name} over {differ}; {interval} a paired bootstrap"
