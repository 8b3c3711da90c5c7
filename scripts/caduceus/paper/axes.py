"""The x axis of curves: which one a metric has in several runs, and what the notes say of it."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of
from caduceus.paper.results import Result
from caduceus.runs.files.export import STEP
from caduceus.runs.metric import axis_word
from caduceus.runs.unknown_metrics import no_run_logged
from caduceus.statistics.curves import AxisCurve

_LABELS = {STEP: "step", "_runtime": "time (s)", "_timestamp": "time (s since 1970)"}


def axis_label(axis: str) -> str:
    """Return the label of an axis, with its unit if that is known."""
    return _LABELS.get(axis, axis)


def declared_axes(results: Iterable[Result], metric: str) -> list[str]:
    """Return the different axes that the runs which log a metric declare; `_step` for none."""
    return list(
        dict.fromkeys(result.axis_of(metric) for result in results if metric in result.columns)
    )


def undecided_note(metric: str, declared: Sequence[str]) -> str:
    """Return a sentence on a metric for which the runs declare different axes."""
    names = ", ".join(map(axis_word, declared))
    return f"The runs have different axes for {metric} ({names}), so the axis is the step."


def check_axis(axis: str, results: Sequence[Result], where: str) -> None:
    """Check that a run has logged an axis.

    Raises:
        SpecError: none has.
    """
    known = dict.fromkeys(name for result in results for name in result.columns)
    if known and axis not in known:
        raise SpecError(f"axis: {no_run_logged(axis, known)}", where)


def axis_notes(axis: str, variants: Sequence[Collection[AxisCurve]]) -> list[str]:
    """Return sentences on the rows and runs that don't stand everywhere on an axis.

    Args:
        axis: its name.
        variants: the curves of each variant's runs; those without a value on the axis are empty.
    """
    word = axis_word(axis)
    curves = [curve for variant in variants for curve in variant]
    notes = []
    drawn = [[curve for curve in variant if len(curve.axis)] for variant in variants]
    ends = [(curve.axis[0], curve.axis[-1]) for variant in drawn for curve in variant]
    if any(len({(curve.axis[0], curve.axis[-1]) for curve in variant}) > 1 for variant in drawn):
        first, last = max(at for at, _ in ends), min(at for _, at in ends)
        everywhere = f"all count from {_number(first)} to {_number(last)}"
        if first > last:
            everywhere = "nowhere all count"
        notes.append(f"A run counts from its first to its last {word}; {everywhere}.")
    if replaced := [curve.replaced for curve in curves if curve.replaced]:
        notes.append(
            f"Where {word} repeats or goes back, later rows replace earlier ones: "
            f"{count_of(sum(replaced), 'row')} of {count_of(len(replaced), 'run')}."
        )
    if without := [curve.without for curve in curves if curve.without]:
        notes.append(
            f"Left out, without a number for {word}: "
            f"{count_of(sum(without), 'row')} of {count_of(len(without), 'run')}."
        )
    if empty := sum(not len(curve.axis) for curve in curves):
        notes.append(f"Left out, with no row that has {word}: {count_of(empty, 'run')}.")
    return notes


def _number(value: float) -> str:
    return f"{np.float64(value):.6g}"
