"""The notes under a table: how its numbers were made, and what its marks mean."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from caduceus.io.phrases import count_of
from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.marks import Marks
from caduceus.paper.results import Variant
from caduceus.paper.verdict_names import TEST_NAMES

TIED = "†"
_STATISTICS = {"mean": "Mean", "median": "Median", "iqm": "Interquartile mean"}


def is_symmetric(intervals: Sequence[str]) -> bool:
    """Whether each interval is the value plus or minus half its width."""
    return set(intervals) <= {"Student's t"}


def table_notes(
    spec: Mapping[str, Any],
    statistics: Mapping[str, Any],
    variants: Sequence[Variant],
    marks: Marks,
    intervals: Sequence[str],
    missing: Mapping[str, int],
) -> Iterator[str]:
    """Yield the notes under a table.

    Args:
        spec: its entry in `paper.tables`, every default filled in.
        statistics: `paper.statistics`.
        variants: its rows.
        marks: of its cells.
        intervals: the methods of its intervals, such as "Student's t".
        missing: by heading, how many finished runs have no finite number.
    """
    yield _numbers(statistics, " in %" if spec["percent"] else "", intervals)
    if marks.by_place:
        yield from _marks(marks, variants)
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


def _marks(marks: Marks, variants: Sequence[Variant]) -> Iterator[str]:
    """Say what bold and the dagger mean, by which test, and which cells it can't decide."""
    tests = dict.fromkeys(c.test for c in marks.comparisons.values())
    test = " or ".join(TEST_NAMES[name] for name in tests)
    pairs = f"{marks.pairs} pairs" if marks.pairs > 1 else "one pair"
    how = f"two-sided {test}, Holm over {pairs}, alpha {marks.alpha:g}"
    best = "Bold: the best of a column"
    undecided = marks.undecided
    if len(undecided) == len(marks.comparisons):
        yield f"{best} ({how}). {_too_few_seeds(marks)}"
        return
    yield f"{best}; {TIED}: not distinguishable from it; the others are worse ({how})."
    if undecided:
        names = varying_parameters(variants)
        cells = ", ".join(f"{variant_label(variants[r], names)} ({h})" for h, r in undecided)
        yield f"Unmarked: {cells}. {_too_few_seeds(marks)}"


def _too_few_seeds(marks: Marks) -> str:
    """Say how many seeds the undecided cells have, and how many could decide them."""
    compared = [marks.comparisons[place] for place in marks.undecided]
    counts = [min(each.n, each.n_second) for each in compared]
    least, most = min(counts), max(counts)
    seeds = count_of(least, "seed") if least == most else f"{least} to {most} seeds"
    enough = marks.runs_that_would_do
    use = "nor with more" if enough is None else f"use {enough}"
    return f"With {seeds} no difference can be significant; {use}."
