"""Sentences on the ranks of methods over tasks, for the notes of tables and figures."""

from collections.abc import Iterator, Sequence
from math import isnan

from caduceus.io.phrases import count_of
from caduceus.paper.rounding import round_p
from caduceus.statistics.ranks import LEAST_TASKS, RankComparison, compare_with_control


def rank_sentences(
    ranks: RankComparison, labels: Sequence[str], control: int | None
) -> Iterator[str]:
    """Yield what tests of ranks say: Friedman's, then Nemenyi's of all pairs or Holm's of one.

    Args:
        ranks: of the methods.
        labels: of the methods.
        control: the place of the method that others are compared with; None for all pairs.
    """
    tasks = count_of(ranks.tasks, "task")
    if not ranks.is_decidable:
        yield f"{tasks} can't decide whether ranks differ; use {LEAST_TASKS} or more."
        return
    if isnan(ranks.f):
        yield f"All methods have equal values on each of {tasks}, so their ranks decide nothing."
        return
    between, within = ranks.degrees
    test = f"Friedman's test with Iman and Davenport's F({between}, {within}) = {ranks.f:.3g}"
    test = f"{test} on {tasks}: p {round_p(ranks.p)}"
    if not ranks.differ:
        yield f"{test}, so the ranks decide nothing at alpha {ranks.alpha:g}."
        return
    yield f"{test}."
    if control is None:
        yield (
            f"Ranks that differ by less than {ranks.critical_difference:.3g} can't be "
            f"distinguished (Nemenyi's test, alpha {ranks.alpha:g})."
        )
        return
    p = compare_with_control(ranks, control)
    others = ", ".join(
        f"{label} {round_p(float(p[place]))}"
        for place, label in enumerate(labels)
        if place != control
    )
    yield f"p of the rank against that of {labels[control]}, corrected by Holm: {others}."
