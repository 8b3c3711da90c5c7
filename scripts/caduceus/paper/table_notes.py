"""What a reader must know of a table's numbers and marks, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.marks import Standings
from caduceus.paper.results import Variant
from caduceus.statistics.estimates import BEST_INTERVALS

TIED = "†"
_STATISTICS = {"mean": "Mean", "median": "Median", "iqm": "Interquartile mean"}
_TESTS = {
    "sign_flip": "sign-flip test by seed",
    "wilcoxon": "Wilcoxon signed-rank test by seed",
    "permutation": "permutation test of Welch's t, seeds differing",
}


def is_symmetric(statistics: Mapping[str, Any]) -> bool:
    """Whether half an interval says it all."""
    return _interval(statistics) == "t"


def table_notes(
    spec: Mapping[str, Any],
    statistics: Mapping[str, Any],
    variants: Sequence[Variant],
    standings: Standings,
    missing: Mapping[str, int],
) -> Iterator[str]:
    """The notes under a table.

    Args:
        spec: its entry in `paper.tables`, every default filled in.
        statistics: `paper.statistics`.
        variants: its rows.
        standings: of its cells.
        missing: by heading, how many runs have finished without a finite number.
    """
    yield _numbers(statistics, " in %" if spec["percent"] else "")
    if standings.of:
        yield from _marks(standings, variants)
    if spec["source"]:
        yield f"Published: {spec['source']}."
    if spec["note"]:
        yield spec["note"].strip()
    failed = sum(variant.failed for variant in variants)
    if failed:
        runs = sum(len(variant.results) for variant in variants)
        yield f"Failed and left out: {failed} of {runs} runs."
    without = ", ".join(f"{count} ({heading})" for heading, count in missing.items() if count)
    if without:
        yield f"Finished without a finite number and left out: {without}."


def _interval(statistics: Mapping[str, Any]) -> str:
    return statistics["interval"] or BEST_INTERVALS[statistics["statistic"]]


def _numbers(statistics: Mapping[str, Any], unit: str) -> str:
    statistic = f"{_STATISTICS[statistics['statistic']]}{unit}"
    interval = f"{100 * statistics['confidence']:g} % interval"
    if is_symmetric(statistics):
        return f"{statistic} ± half the {interval} over n seeds (Student's t)."
    name = "BCa" if _interval(statistics) == "bca" else "percentile"
    method = f"{name} bootstrap, {statistics['resamples']} resamples"
    return f"{statistic} [{interval}] over n seeds ({method})."


def _marks(standings: Standings, variants: Sequence[Variant]) -> Iterator[str]:
    """What bold and the dagger mean, by which test, and what it can't tell."""
    tests = dict.fromkeys(c.test for c in standings.comparisons.values())
    test = " or ".join(_TESTS[name] for name in tests)
    pairs = f"{standings.pairs} pairs" if standings.pairs > 1 else "one pair"
    how = f"two-sided {test}, Holm over {pairs}, alpha {standings.alpha:g}"
    best = "Bold: the best of a column"
    undecided = standings.undecided
    if len(undecided) == len(standings.comparisons):
        lack = _lack(standings)
        yield f"{best}; too few seeds to tell the others from it: {lack} ({how})."
        return
    yield f"{best}; {TIED}: not distinguishable from it; the others are worse ({how})."
    if undecided:
        names = varying_parameters(variants)
        cells = ", ".join(f"{variant_label(variants[r], names)} ({h})" for h, r in undecided)
        yield f"Unmarked, as there are too few seeds: {cells}; {_lack(standings)}."


def _lack(standings: Standings) -> str:
    """What p so few runs can reach, what it would have to be, and how many runs would do."""
    least = min(standings.comparisons[place].minimum_p for place in standings.undecided)
    needed = standings.alpha / standings.decidable
    enough = standings.runs_that_would_do or "no number of"
    return f"p can't be below {least:.2g} and must be {needed:.2g}; {enough} seeds would do"
