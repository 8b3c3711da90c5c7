"""The notes under a table: how its numbers were made, and what its marks mean."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from caduceus.io.cells import render_or_null
from caduceus.io.phrases import count_of
from caduceus.paper.labels import variant_label, varying_parameters
from caduceus.paper.marks import Marks, Place
from caduceus.paper.ran_differently import difference_sentences
from caduceus.paper.results import Variant, ended_notes
from caduceus.paper.table_layout import Layout
from caduceus.paper.verdict_names import TEST_NAMES
from caduceus.project.paper import Spread, TableEntry
from caduceus.runs.equal_seeds import equal_notes
from caduceus.statistics.settings import Methods

TIED = "†"
_DATASET = re.compile(
    r"(.+\.)?(data|datasets?|data_?set_?(name|id)|tasks?|task_?(name|id)|env|env_?(name|id)|"
    r"environment|benchmark)(\.name)?",
    re.IGNORECASE,
)
SPREADS = {
    "std": "the standard deviation of the runs (n - 1)",
    "standard_error": "the standard error of the mean (standard deviation / √n)",
}
_STATISTICS = {"mean": "Mean", "median": "Median", "iqm": "Interquartile mean"}


def is_symmetric(intervals: Sequence[str]) -> bool:
    """Whether each interval is the value plus or minus half its width."""
    return set(intervals) <= {"Student's t", "corrected Student's t"}


def _folds_note(folds: int, parameter: str | None) -> str:
    """Return the note on results whose runs are the folds of a cross-validation."""
    runs = f"n counts runs of each seed and {parameter}, which are" if parameter else "Seeds are"
    return (
        f"{runs} folds of {folds}-fold cross-validation, whose training sets overlap: standard "
        "errors, intervals and tests are corrected for that (Nadeau & Bengio 2003)."
    )


def table_notes(
    entry: TableEntry,
    methods: Methods,
    layout: Layout,
    percents: Collection[str],
    marks: Marks,
    intervals: Sequence[str],
    missing: Mapping[str, int],
    equal: Sequence[Place],
    about_tasks: Sequence[str],
) -> Iterator[str]:
    """Yield the notes under a table.

    Args:
        entry: its entry in `paper.tables`.
        methods: the statistical methods.
        layout: its rows and columns.
        percents: the headings of its metrics that are in percent.
        marks: of its cells.
        intervals: the methods of its intervals, such as "Student's t".
        missing: by heading, how many finished runs have no finite number.
        equal: the cells whose seeds all gave the same value.
        about_tasks: the notes on its tasks.
    """
    variants = [row.variant for row in layout.rows]
    all_percent = len(percents) == len(entry.metrics)
    yield _numbers(methods, " in %" if all_percent else "", intervals, entry.spread)
    if methods.folds is not None:
        yield _folds_note(methods.folds, methods.fold_parameter)
    if percents and not all_percent:
        yield f"In %: {', '.join(heading for heading in entry.metrics if heading in percents)}."
    if marks.by_place:
        yield from _marks(marks, layout)
        if entry.underlines_second:
            yield "Underlined: the second best value of a column, by its number alone."
    yield from about_tasks
    if entry.tasks is None and (names := _dataset_parameters(variants)):
        yield (
            f"Rows differ in {' and '.join(names)}: the marks compare them across datasets. Write "
            f"`tasks: {names[0]}` to compare within each."
        )
    if entry.source:
        yield f"Published: {entry.source}."
    if entry.note:
        yield entry.note.strip()
    if changed := _changed(variants):
        yield f"Used in place of the planned value: {'; '.join(changed)}."
    if equal:
        cells = ", ".join(_cell(place, layout) for place in equal)
        has_no = "no verdict" if entry.spread == "items" else "no interval and no verdict"
        yield f"All seeds gave the same value, which has {has_no}: {cells}."
    yield from equal_notes([each for variant in variants for each in variant.equal_seeds])
    failed = sum(variant.failed for variant in variants)
    if failed:
        runs = sum(len(variant.results) for variant in variants)
        yield f"Failed and left out: {failed} of {count_of(runs, 'run')}."
    without = ", ".join(f"{count} ({heading})" for heading, count in missing.items() if count)
    if without:
        yield f"Finished without a finite number and left out: {without}."
    finished = [each for row in variants for each in row.results if each.state == "finished"]
    yield from ended_notes(entry.metrics, finished)
    yield from difference_sentences(variants)


def _changed(variants: Sequence[Variant]) -> list[str]:
    """Return a phrase for each parameter that programs reported with another value than planned."""
    names = varying_parameters(variants)
    found: Counter[tuple[str, str, str, str]] = Counter()
    for variant in variants:
        for result in variant.results:
            manifest = result.record.manifest
            for name, each in ((manifest and manifest.changed_parameters) or {}).items():
                values = render_or_null(each.used), render_or_null(each.planned)
                found[(name, *values, variant_label(variant, names))] += 1
    return [
        f"{name} {used} for {planned} ({count_of(runs, 'run')} of {label})"
        for (name, used, planned, label), runs in found.items()
    ]


def _numbers(methods: Methods, unit: str, intervals: Sequence[str], spread: Spread) -> str:
    statistic = f"{_STATISTICS[methods.statistic]}{unit}"
    if spread == "standard_error" and methods.folds is not None:
        return f"{statistic} ± the standard error of the mean, corrected for folds, over n seeds."
    if spread == "items":
        interval = f"{100 * methods.confidence:g} % interval over test items"
        return (
            f"{statistic} over n seeds [{interval}, by bootstrap, {methods.resamples} resamples]."
        )
    if spread in SPREADS:
        return f"{statistic} ± {SPREADS[spread]} over n seeds."
    interval = f"{100 * methods.confidence:g} % interval"
    shown = f"± half the {interval}" if is_symmetric(intervals) else f"[{interval}]"
    if any(is_symmetric([name]) for name in intervals) and not is_symmetric(intervals):
        shown = f"± half the {interval} or [{interval}]"
    if not intervals:
        return f"{statistic}."
    drawn = any(name.endswith("bootstrap") for name in intervals)
    resamples = f", {methods.resamples} resamples" if drawn else ""
    if methods.interval == "bootstrap-t":  # enumerates those of few runs
        resamples = f", up to {methods.resamples} resamples"
    return f"{statistic} {shown} over n seeds ({' or '.join(intervals)}{resamples})."


def _dataset_parameters(variants: Sequence[Variant]) -> list[str]:
    """Return the parameters in which the rows differ that name a dataset or environment."""
    return [name for name in varying_parameters(variants) if _DATASET.fullmatch(name)]


def _marks(marks: Marks, layout: Layout) -> Iterator[str]:
    """Say what bold and the dagger mean, by which test, and which cells it can't decide."""
    tests = dict.fromkeys(c.test for c in marks.comparisons.values())
    test = " or ".join(TEST_NAMES[name] for name in tests)
    how = f"two-sided {test}, adjusted by {marks.family.correction}, alpha {marks.alpha:g}"
    best = "Bold: the best of a column"
    undecided, untested = marks.places("undecided"), marks.places("untested")
    if len(untested) == len(marks.comparisons):
        yield f"{best}."
    elif len(undecided) == len(marks.comparisons):
        yield f"{best} ({how}). {_too_few_seeds(marks)}"
    else:
        yield f"{best}; {TIED}: not distinguishable from it; the others are worse ({how})."
        if undecided:
            cells = ", ".join(_cell(place, layout) for place in undecided)
            yield f"Unmarked: {cells}. {_too_few_seeds(marks)}"
    marked = {heading for heading, _ in marks.by_place}
    if without := [each.heading for each in layout.columns if each.heading not in marked]:
        yield (
            f"Without marks, as no goal says which values are better or none is better: "
            f"{', '.join(without)}."
        )
    if untested and len(untested) < len(marks.comparisons):
        cells = ", ".join(_cell(place, layout) for place in untested)
        yield f"Unmarked, as they or the best don't vary by seed: {cells}."
    if repeated := marks.family.repeated:
        names = ", ".join(f"{heading} with {same}" for heading, same in repeated.items())
        yield f"One quantity in several columns counts once: {names}."
    if marks.shared:
        rest = ", ".join(
            f"{_cell(place, layout)} on {marks.comparisons[place].n}" for place in marks.shared
        )
        yield (
            "Where runs are missing, the best is chosen and compared on the seeds that both "
            f"variants have: {rest}."
        )


def _cell(place: Place, layout: Layout) -> str:
    return f"{layout.rows[place[1]].label} ({place[0]})"


def _too_few_seeds(marks: Marks) -> str:
    """Say how many seeds the undecided cells have, and how many could decide them."""
    compared = [marks.comparisons[place] for place in marks.places("undecided")]
    counts = [min(each.n, each.n_second) for each in compared]
    least, most = min(counts), max(counts)
    seeds = count_of(least, "seed") if least == most else f"{least} to {most} seeds"
    enough = marks.runs_that_would_do
    use = "nor with more" if enough is None else f"use {enough}"
    return f"With {seeds} no difference can be significant; {use}."
