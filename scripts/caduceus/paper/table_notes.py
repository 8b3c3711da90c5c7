"""What a reader must know of a table's numbers and marks, in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from caduceus.io.wording import count_of
from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.marks import Standings
from caduceus.paper.outcomes import TESTS
from caduceus.paper.results import Variant
from caduceus.paper.rounding import round_p

TIED = "†"
_STATISTICS = {"mean": "Mean", "median": "Median", "iqm": "Interquartile mean"}


def is_symmetric(intervals: Sequence[str]) -> bool:
    """Whether half of each interval says it all."""
    return set(intervals) <= {"Student's t"}


def table_notes(
    spec: Mapping[str, Any],
    statistics: Mapping[str, Any],
    variants: Sequence[Variant],
    standings: Standings,
    intervals: Sequence[str],
    missing: Mapping[str, int],
) -> Iterator[str]:
    """The notes under a table.

    Args:
        spec: its entry in `paper.tables`, every default filled in.
        statistics: `paper.statistics`.
        variants: its rows.
        standings: of its cells.
        intervals: by what its intervals are.
        missing: by heading, how many runs have finished without a finite number.
    """
    yield _numbers(statistics, " in %" if spec["percent"] else "", intervals)
    if standings.of:
        yield from _marks(standings, variants)
    if spec["source"]:
        yield f"Published: {spec['source']}."
    if spec["note"]:
        yield spec["note"].strip()
    failed = sum(variant.failed for variant in variants)
    if failed:
        runs = sum(len(variant.results) for variant in variants)
        yield f"Failed and left out: {failed} of {count_of(runs, 'run')}."
    without = ", ".join(f"{count} ({heading})" for heading, count in missing.items() if count)
    if without:
        yield f"Finished without a finite number and left out: {without}."


def _numbers(statistics: Mapping[str, Any], unit: str, intervals: Sequence[str]) -> str:
    statistic = f"{_STATISTICS[statistics['statistic']]}{unit}"
    interval = f"{100 * statistics['confidence']:g} % interval"
    shown = f"± half the {interval}" if is_symmetric(intervals) else f"[{interval}]"
    if not intervals:
        return f"{statistic}."
    drawn = any(name.endswith("bootstrap") for name in intervals)
    resamples = f", {statistics['resamples']} resamples" if drawn else ""
    return f"{statistic} {shown} over n seeds ({' or '.join(intervals)}{resamples})."


def _marks(standings: Standings, variants: Sequence[Variant]) -> Iterator[str]:
    """What bold and the dagger mean, by which test, and what it can't tell."""
    tests = dict.fromkeys(c.test for c in standings.comparisons.values())
    test = " or ".join(TESTS[name] for name in tests)
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
    return (
        f"the smallest p in reach is {round_p(least)}, needed is {round_p(needed)}; "
        f"{enough} seeds would do"
    )
