"""Judge tries: is a changed program better than the best so far, all tries counted?

A try is screened on seeds that the incumbent has run, which decides only where seeds are spent, and
confirmed on fresh ones, which decides. Screening takes part in no test: the incumbent's values on
its seeds are selected and shared by all tries, so no level holds there. Fresh pairs are independent
of all that was known when the confirmation began, so each confirmation errs at most at its level,
whatever tries have in common or learnt from each other.

Each confirmation takes a share of the level that is left, and a kept try gives its level back. The
levels of confirmations that didn't keep, and of the first that keeps falsely, then sum to at most
the level of the ledger, which so bounds the chance of any false keep (the fallback procedure of
Wiens & Dmitrienko 2005, online as by Tian & Ramdas 2021). workflow/STATISTICS.md compares this with
other rules.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isnan, nan, sqrt
from typing import Literal

import numpy as np

from caduceus.errors import ResultError
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.samples import Array, Values, all_equal, finite, without_rounding_errors
from caduceus.statistics.sequential_flips import MAX_PAIRS, flip_sequentially

Phase = Literal["screening", "confirmation"]
Decision = Literal["screen", "confirm", "kept", "discarded", "undecided"]
Reason = Literal[
    "pairs_missing",
    "no_gain_in_screening",
    "no_gain_on_fresh_seeds",
    "better_on_fresh_seeds",
    "budget_used",
    "differences_equal",
    "level_spent",
]

REASONS: dict[Reason, str] = {
    "pairs_missing": "the next decision needs more pairs",
    "no_gain_in_screening": "no promising gain on the incumbent's seeds",
    "no_gain_on_fresh_seeds": "the gain wasn't confirmed on fresh seeds",
    "better_on_fresh_seeds": "better on fresh seeds, beyond noise, all tries counted",
    "budget_used": "the fresh seeds of a try are used up and decide neither way",
    "differences_equal": "all seeds show the same difference, which is no evidence of chance",
    "level_spent": "earlier confirmations have spent the ledger's level",
}


@dataclass(frozen=True)
class Design:
    """The rules of a ledger, fixed before its first try.

    Attributes:
        level: the chance that any try of the ledger is kept though it isn't better.
        min_effect: by how much a try has to be better, in the metric's unit.
        share: the share of the level left that a confirmation takes.
        screening: the numbers of pairs at which screening looks, ascending.
        bounds: for each of these looks the gain, in standard deviations of a paired difference,
            below which a try is discarded.
        confirmation: the numbers of fresh pairs at which a confirmation looks, ascending; the last
            is the budget of fresh pairs.
        spending: the part of the try's level that may be spent up to each of these looks,
            ascending to 1.
        hopeless: a confirmation whose p is greater at a look is given up.
        confidence: the confidence of the effect's interval.

    Raises:
        ResultError: a value is impossible.
    """

    level: float = 0.05
    min_effect: float = 0.0
    share: float = 0.15
    screening: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    bounds: tuple[float, ...] = (-0.3, 0.2, 0.3, 0.4, 0.5, 0.6)
    confirmation: tuple[int, ...] = (5, 9, 13, 18)
    spending: tuple[float, ...] = (0.0, 0.4, 0.6, 1.0)
    hopeless: float = 0.3
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("level", "share", "confidence", "hopeless"):
            if not 0 < getattr(self, name) < 1:
                raise ResultError(f"{name} of tries: found {getattr(self, name)}, allowed: 0 to 1")
        if not 0 <= self.min_effect < np.inf:
            raise ResultError(f"min_effect of tries: found {self.min_effect}, allowed: 0 or more")
        for name in ("screening", "confirmation"):
            looks = getattr(self, name)
            if not looks or looks[0] < 1 or any(one >= other for one, other in pairwise(looks)):
                raise ResultError(f"{name} of tries: found {looks}, allowed: ascending numbers")
        if self.confirmation[-1] > MAX_PAIRS:
            raise ResultError(
                f"confirmation of tries: found {self.confirmation}, allowed: up to {MAX_PAIRS}"
            )
        if len(self.bounds) != len(self.screening) or not np.isfinite(self.bounds).all():
            raise ResultError(
                f"bounds of tries: found {self.bounds}, allowed: one for each of {self.screening}"
            )
        if (
            len(self.spending) != len(self.confirmation)
            or self.spending[-1] != 1
            or any(one > other for one, other in pairwise((0, *self.spending)))
        ):
            raise ResultError(
                f"spending of tries: found {self.spending}, allowed: ascending to 1, one for each "
                f"of {self.confirmation}"
            )


@dataclass(frozen=True)
class Outcome:
    """The outcome of an earlier try of the ledger.

    Attributes:
        level: the level that its confirmation took; 0 if it had none.
        is_kept: whether it was kept.
    """

    level: float
    is_kept: bool


@dataclass(frozen=True)
class Step:
    """The state of a try, and what to do next.

    Attributes:
        decision: "screen" or "confirm" for more pairs, or the verdict.
        pairs: the number of pairs that are missing, on seeds of the incumbent to screen, on fresh
            seeds to confirm; 0 with a verdict.
        reason: why; `REASONS` has a sentence for each.
        phase: the phase whose pairs the numbers below are of.
        n: the number of pairs at the last look.
        effect: the mean difference, in the metric's unit; positive is better. NaN without a pair.
        low: the lower end of the effect's interval: Student's t with Bonferroni's correction for
            the number of looks, so that it holds for all looks at once, and whenever the try ends.
            NaN for a single pair and for equal differences. Of screening pairs it ignores that the
            incumbent's values are selected.
        high: its upper end.
        std: the standard deviation of a difference.
        p: one-sided p of the confirmation, corrected for its looks; 1 without one.
        level: the level of the confirmation, with which p is compared; 0 without one.
    """

    decision: Decision
    pairs: int
    reason: Reason
    phase: Phase
    n: int
    effect: float
    low: float
    high: float
    std: float
    p: float
    level: float


def level_of_try(design: Design, earlier: Iterable[Outcome]) -> float:
    """Return the level of a confirmation that would begin now.

    Args:
        design: the ledger's rules.
        earlier: the outcomes of all tries whose confirmation began before; one that hasn't ended
            counts as not kept.
    """
    lost = sum(outcome.level for outcome in earlier if not outcome.is_kept)
    return design.share * max(0.0, design.level - lost)


def paired_differences(tried: Values, incumbent: Values, greater_is_better: bool = True) -> Array:
    """Return by how much each run is better than the incumbent's with the same seed, (n,).

    Rounding errors are taken off, since equal differences have to be seen as such.

    Args:
        tried: one value per seed, (n,).
        incumbent: the values of the same seeds, (n,).
        greater_is_better: whether the metric's goal is its greatest value.

    Raises:
        ResultError: the numbers of values differ, there are none, or one isn't finite.
    """
    one, other = finite(tried), finite(incumbent)
    if len(one) != len(other):
        raise ResultError(f"{len(one)} runs can't be paired with {len(other)}")
    scale = float(max(np.abs(one).max(), np.abs(other).max()))
    return without_rounding_errors(one - other if greater_is_better else other - one, scale)


def _std(values: Sequence[float]) -> float:
    """Return the sample standard deviation; of few values sooner than numpy does.

    They are scaled, since squares of what a diverged run logs may overflow.
    """
    mean = sum(value / len(values) for value in values)
    errors = [value - mean for value in values]
    scale = max(map(abs, errors))
    return scale * sqrt(sum((error / scale) ** 2 for error in errors) / (len(values) - 1))


def spread_of_differences(
    incumbent: Sequence[float], differences: Iterable[Sequence[float]]
) -> float:
    """Return the standard deviation of a paired difference as the ledger shows it so far.

    It is the median of the standard deviations of the tries' differences, each divided by the
    median that it has for normal differences, weighted by degrees of freedom: a try that collapses
    hardly changes it. √2 times the standard deviation of the incumbent's runs counts as one more:
    what differences would have if the seed explained nothing.

    Args:
        incumbent: the values of the incumbent's runs.
        differences: those of each earlier try, (n,) each. Fewer than two, and equal ones,
            show nothing.

    Returns:
        NaN if nothing shows it.
    """
    stds, weights = [], []
    for factor, values in ((2**0.5, incumbent), *((1.0, each) for each in differences)):
        freedom = len(values) - 1
        if freedom > 0 and max(values) > min(values):
            # The median of chi-square over its degrees of freedom (Wilson & Hilferty 1931).
            median = (1 - 2 / (9 * freedom)) ** 3
            stds.append(factor * _std(values) / median**0.5)
            weights.append(freedom)
    order = sorted(range(len(stds)), key=stds.__getitem__)
    below = list(accumulate(weights[place] for place in order))
    return stds[order[bisect_left(below, below[-1] / 2)]] if stds else nan


def screening_seeds(pool: Sequence[int], number: int, pairs: int) -> tuple[int, ...]:
    """Return the incumbent's seeds that try `number` is screened on, in order.

    Each try begins at another seed of the pool, so that no few of the incumbent's values, which may
    be lucky, decide about all tries.

    Raises:
        ResultError: the pool has fewer than `pairs` seeds.
    """
    if len(pool) < pairs:
        raise ResultError(f"screening takes {pairs} seeds, and the incumbent has {len(pool)}")
    return tuple(pool[(number * pairs + place) % len(pool)] for place in range(pairs))


def next_step(
    design: Design,
    earlier: Iterable[Outcome],
    differences: Sequence[float],
    confirmations: Sequence[float],
    spread: float,
) -> Step:
    """Decide how a try goes on.

    All looks are replayed from the first, so the answer depends on the values alone, and not on how
    many came at once. Pairs beyond the last look are ignored until the next.

    Args:
        design: the ledger's rules.
        earlier: the outcomes of the tries whose confirmation began before.
        differences: by how much the try is better than the incumbent on the incumbent's seeds, in
            the order planned, (n,); see `paired_differences`.
        confirmations: the same on seeds that were fresh for both, (m,).
        spread: the standard deviation of a difference, from before the try (see
            `spread_of_differences`). If it is NaN, screening asks for a positive mean.

    Raises:
        ResultError: a value isn't finite. A try with a failed or diverged run has no such values:
            it is discarded, and its other pairs don't count without that one.
    """
    screened = finite(differences) if len(differences) else np.zeros(0)
    fresh = finite(confirmations) if len(confirmations) else np.zeros(0)
    seen = screened[:0]
    for look, bound in zip(design.screening, design.bounds, strict=True):
        if len(screened) < look:
            missing = look - len(screened)
            return _step(design, "screen", "pairs_missing", "screening", seen, pairs=missing)
        seen = screened[:look]
        gain = seen.mean() - design.min_effect
        if (gain <= 0) if isnan(spread) else (gain < bound * spread):
            return _step(design, "discarded", "no_gain_in_screening", "screening", seen)
    if all_equal(seen):
        return _step(design, "undecided", "differences_equal", "screening", seen)
    level = level_of_try(design, earlier)
    if level < 0.5 ** design.confirmation[-1]:
        return _step(design, "undecided", "level_spent", "screening", seen)
    return _confirm(design, level, fresh)


def _confirm(design: Design, level: float, fresh: Array) -> Step:
    def step(decision: Decision, reason: Reason, seen: Array, p: float, pairs: int = 0) -> Step:
        return _step(design, decision, reason, "confirmation", seen, p, level, pairs)

    levels = [part * level for part in design.spending]
    looks = flip_sequentially(fresh - design.min_effect, design.confirmation, levels)
    seen, p = fresh[:0], 1.0
    for look in looks:
        seen, p = fresh[: look.pairs], look.p
        if all_equal(seen):
            return step("undecided", "differences_equal", seen, 1.0)
        if look.is_rejected:
            return step("kept", "better_on_fresh_seeds", seen, p)
        if p > design.hopeless:
            return step("discarded", "no_gain_on_fresh_seeds", seen, p)
    if len(looks) == len(design.confirmation):
        return step("undecided", "budget_used", seen, p)
    missing = design.confirmation[len(looks)] - len(fresh)
    return step("confirm", "pairs_missing", seen, p, missing)


def _step(
    design: Design,
    decision: Decision,
    reason: Reason,
    phase: Phase,
    seen: Array,
    p: float = 1.0,
    level: float = 0.0,
    pairs: int = 0,
) -> Step:
    """Return the step with the effect and interval of the pairs seen, (n,)."""
    looks = design.screening if phase == "screening" else design.confirmation
    confidence = 1 - (1 - design.confidence) / sum(look > 1 for look in looks)
    if len(seen):
        found = estimate_mean(seen, confidence)
        effect, low, high, std = found.value, found.low, found.high, found.std
    else:
        effect = low = high = std = nan
    return Step(decision, pairs, reason, phase, len(seen), effect, low, high, std, p=p, level=level)
