"""What a user should know of how a run's export differs from its plan or its log."""

from collections.abc import Iterator, Mapping

from caduceus.io.cells import render_or_null
from caduceus.io.phrases import count_of, listed
from caduceus.runs.files.export import ChangedParameter, DroppedRows, Manifest

_SHOWN = 3


def export_notes(manifest: Manifest) -> Iterator[str]:
    """Yield the notes on an export, but for damage of the log."""
    if manifest.changed_parameters:
        yield changed_note(manifest.changed_parameters)
    if manifest.dropped_rows:
        yield dropped_note(manifest.dropped_rows)


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
        f"{rows}; {listed(dropped.lost, _SHOWN)} has no other row: log it without `step=`, and its "
        "own step as a metric (`run.define_metric(NAME, step_metric=STEP)`)"
    )
