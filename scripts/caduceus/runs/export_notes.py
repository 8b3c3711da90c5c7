"""Notes on how a run's export differs from its plan or its log."""

from collections.abc import Iterator, Mapping, Sequence

from caduceus.io.cells import render_or_null
from caduceus.io.phrases import count_of, listed
from caduceus.runs.files.export import (
    ChangedParameter,
    DroppedRows,
    Manifest,
    ResumedAttempt,
)
from caduceus.wandb_log.resuming import Evidence

_SHOWN = 3
_HOW: Mapping[str | None, str] = {
    None: "as recorded when it ended",
    Evidence.CHECKPOINT: "by the checkpoint that it restored",
    Evidence.STEPS: "by the steps that it logs",
    Evidence.NOTHING: "nothing shows that it resumed",
}


def export_notes(manifest: Manifest) -> Iterator[str]:
    """Yield the notes on an export, but for damage of the log."""
    if manifest.changed_parameters:
        yield changed_note(manifest.changed_parameters)
    if manifest.dropped_rows:
        yield dropped_note(manifest.dropped_rows)
    if manifest.attempts:
        yield attempts_note(manifest.attempts)
    if manifest.gaps:
        yield gaps_note(manifest.gaps)
    if manifest.left_out:
        yield f"left out: {listed(manifest.left_out, _SHOWN)}"


def changed_note(changed: Mapping[str, ChangedParameter]) -> str:
    """Say which parameters the program reported with another value than planned."""
    values = [
        f"{name} {render_or_null(each.used)} in place of {render_or_null(each.planned)}"
        for name, each in changed.items()
    ]
    return f"the program reported, and the export has, {listed(values, _SHOWN)}"


def dropped_note(dropped: DroppedRows) -> str:
    """Say how many rows wandb dropped, of which metrics, and how they can be logged."""
    rows = f"W&B dropped {count_of(dropped.rows, 'row')} whose step went back"
    if not dropped.lost:
        return f"{rows}, with values of {listed([*dropped.metrics], _SHOWN)}"
    return (
        f"{rows}, and all values of {listed(dropped.lost, _SHOWN)}: log these without `step=`, and "
        "their own step as a metric (`run.define_metric(NAME, step_metric=STEP)`)"
    )


def attempts_note(attempts: Sequence[ResumedAttempt]) -> str:
    """Say what each attempt kept and replaced of the earlier ones, and how that was decided."""
    return listed([_attempt(each) for each in attempts], _SHOWN)


def _attempt(resumed: ResumedAttempt) -> str:
    earlier = "attempt 1" if resumed.attempt == 2 else "earlier attempts"
    replaced = f"{count_of(resumed.replaced, 'row')} of {earlier}"
    name, start = f"attempt {resumed.attempt}", resumed.resumed_from
    how = _HOW.get(resumed.by, f"by its metric {resumed.metric}")
    if start is None:
        return f"{name} replaces all {replaced} ({how})"
    if resumed.replaced:
        return f"{name} replaces {replaced}, from step {start} on ({how})"
    if resumed.kept:
        return f"{name} continues at step {start} after {count_of(resumed.kept, 'row')} ({how})"
    return f"{name} continues at step {start}; the rows before are lost ({how})"


def gaps_note(gaps: Sequence[Sequence[int]]) -> str:
    """Say between which steps rows are missing."""
    lost = [
        f"{last + 1}" if first - last == 2 else f"{last + 1} to {first - 1}" for last, first in gaps
    ]
    return f"lost rows, which a killed program hadn't written: steps {listed(lost, _SHOWN)}"
