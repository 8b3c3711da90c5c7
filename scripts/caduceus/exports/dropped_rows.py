"""The rows that wandb dropped while a run logged, as the shim has recorded them."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from caduceus.io.csv_rows import columns_of
from caduceus.runs.files.export import DroppedRows
from caduceus.runs.metric_names import is_system_metric
from caduceus.wandb_log import Part


def dropped_rows(parts: Sequence[Part], history: Path) -> DroppedRows | None:
    """Count the rows that wandb dropped in the processes of a run; None if there are none.

    Args:
        parts: the logs of the run.
        history: its metrics_history.csv.
    """
    rows = [
        names
        for folder in dict.fromkeys(part.path.parents[2] for part in parts if part.run)
        for names in _recorded(folder, {part.run.id for part in parts if part.run})
    ]
    if not rows:
        return None
    metrics = Counter(name for names in rows for name in names if not is_system_metric(name))
    columns = columns_of(history)
    lost = [name for name in sorted(metrics) if not _is_logged(name, columns)]
    return DroppedRows(rows=len(rows), metrics=dict(sorted(metrics.items())), lost=tuple(lost))


def _recorded(folder: Path, runs: Collection[str]) -> Iterator[list[str]]:
    """Yield the names of the metrics of each row that was dropped in an attempt."""
    for path in sorted(folder.glob("dropped-rows-*.jsonl")):
        for line in path.read_text(errors="replace").splitlines():
            try:
                row = json.loads(line)
                if row["run"] in runs:
                    yield [str(name) for name in row["names"]]
            except (ValueError, KeyError, TypeError):  # the process was killed while it wrote
                continue


def _is_logged(name: str, columns: Collection[str]) -> bool:
    escaped = name.replace(".", "\\.")
    return any(column in (name, escaped) or column.startswith(f"{escaped}.") for column in columns)
