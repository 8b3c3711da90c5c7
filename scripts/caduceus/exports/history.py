"""The history of a run, stitched from its segments and written as CSV."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.exports.history_columns import COMPARED, TIME_COLUMNS, column_order, has_metrics
from caduceus.exports.table_media import tables_in_row
from caduceus.io.cells import cell, csv_line, quoted
from caduceus.io.files import Json, write_whole
from caduceus.runs.metric_names import is_system_metric
from caduceus.wandb_log import Part, Row, Segment, iter_rows, kept_rows
from caduceus.wandb_log.records import set_value
from caduceus.wandb_log.segments import seconds
from caduceus.wandb_log.stitching import step_of

if TYPE_CHECKING:
    from caduceus.wandb_log.batch import Batch

# Above this size, reading with numpy saves more time than its import takes.
_LARGE_LOG = 1 << 18  # bytes, some 400 rows

# Keys of media with W&B's references to its own artifacts, which are random.
_RANDOM_PARTS = ("artifact_path", "_latest_artifact_path", "previous_increments_paths")
_IS_MEDIA = re.compile(r"(?<!\\)\._type$")
_DOT = re.compile(r"(?<!\\)\.")
_STATS = "system."  # before the names of W&B's own system metrics


@dataclass
class History:
    """The history of a run, as it was written.

    Attributes:
        segments: the run's segments, without their rows.
        columns: the columns of metrics_history.csv.
        rows: how many rows there are.
        rows_sha256: of the rows without times, speeds and the like, equal for equal rows; None if
            no row has a metric.
        tables: the files of its tables, from `tables_in_row`.
    """

    segments: list[Segment] = field(default_factory=list)
    columns: Sequence[str] = ()
    rows: int = 0
    rows_sha256: str | None = None
    tables: dict[str, str] = field(default_factory=dict)


def export_history(parts: Sequence[Part], folder: Path) -> History:
    """Write metrics_history.csv and system_metrics.csv of a run into `folder`.

    Args:
        parts: the run's segments; their counts of rows are set.
        folder: takes the files.

    Raises:
        LogError: a log can't be read.
    """
    if any(_is_large(part.path) for part in parts):
        history, system = _export_large(parts, folder)
    else:
        history, system = _export_small(parts, folder)
    write_whole(folder / "system_metrics.csv", _system_csv(system, history.segments))
    return history


def _is_large(log: Path) -> bool:
    """Whether numpy reads the log faster; by the log alone, so that each process reads it alike."""
    return log.stat().st_size > _LARGE_LOG


def read_segment(path: Path) -> Segment:
    """Read everything in a log but its rows.

    Raises:
        LogError: the log can't be read.
    """
    segment = Segment(path)
    if _is_large(path):
        from caduceus.wandb_log.columns import iter_batches

        rows: Iterable[object] = iter_batches(segment)
    else:
        rows = iter_rows(segment)
    for _ in rows:
        pass
    return segment


def run_steps(parts: Sequence[Part], before: int | None = None) -> list[int]:
    """Return the step in the run of each row that belongs to it.

    Args:
        parts: segments of the run.
        before: the last step of the parts before them; None if there is none.

    Raises:
        LogError: a log can't be read.
    """
    steps: list[int] = []
    for part in parts:
        segment = Segment(part.path)
        if _is_large(part.path):
            from caduceus.wandb_log.columns import iter_batches, kept_batches

            for batch in kept_batches(part, iter_batches(segment), before):
                steps += batch.steps.tolist()
        else:
            steps += map(step_of, kept_rows(part, iter_rows(segment), before))
        before = before if part.last is None else part.last
    return steps


def _export_small(parts: Sequence[Part], folder: Path) -> tuple[History, list[Row]]:
    history = History()
    rows: list[Row] = []
    for part in parts:
        segment = Segment(part.path)
        before = step_of(rows[-1]) if rows else None
        for row in kept_rows(part, iter_rows(segment), before):
            rows.append(fold_media(row))
            history.tables |= tables_in_row(row)
        history.segments.append(segment)
    rows.sort(key=step_of)
    history.rows = len(rows)
    names = {name for row in rows for name in row if not is_system_metric(name)}
    columns = history.columns = sorted(names.union(["_step", *TIME_COLUMNS]), key=column_order)
    cells = list(map(_cells, rows))
    write_whole(folder / "metrics_history.csv", _csv(columns, cells))
    if has_metrics(columns):
        text = ""
        for of in COMPARED:
            if "." not in text.partition("\n")[2]:
                text = _csv(of(columns), cells)
        history.rows_sha256 = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return history, list(_system_rows(rows))


def _export_large(parts: Sequence[Part], folder: Path) -> tuple[History, list[Row]]:
    from caduceus.exports.history_batches import HistoryTable
    from caduceus.wandb_log.columns import iter_batches, kept_batches

    history = History()
    system: list[Row] = []
    before: int | None = None
    with HistoryTable(folder) as table:
        for part in parts:
            segment = Segment(part.path)
            for batch in kept_batches(part, iter_batches(segment), before):
                found = _system_of(batch)
                system += found
                table.add(_fold_batch(batch.drop(_system_names(batch)), history.tables))
            before = before if part.last is None else part.last
            history.segments.append(segment)
        table.write_csv(folder / "metrics_history.csv")
        history.rows, history.columns = table.rows, table.columns
        history.rows_sha256 = table.sha256 if has_metrics(table.columns) else None
    return history, system


def fold_media(row: Mapping[str, str]) -> Row:
    """Return `row` with each picture, table or histogram as one JSON value.

    wandb logs each part of it as a value of its own. Media inside of others, such as the masks of a
    picture, stay inside. W&B's references to its own artifacts are left out, as they are random.
    """
    media = [name.removesuffix("._type") for name in row if _IS_MEDIA.search(name)]
    if not media:
        return dict(row)
    folded: Row = {}
    parts: dict[str, dict[str, Json]] = {}
    for name, value in row.items():
        owners = [found for found in media if name.startswith(f"{found}.")]
        if not owners:
            folded[name] = value
            continue
        owner = min(owners, key=len)
        keys = [key.replace("\\.", ".") for key in _DOT.split(name.removeprefix(f"{owner}."))]
        if keys[-1] not in _RANDOM_PARTS:
            set_value(parts.setdefault(owner, {}), keys, _parsed(value))
    return folded | {name: json.dumps(value, sort_keys=True) for name, value in parts.items()}


def _parsed(json_text: str) -> Json:
    try:
        value: Json = json.loads(json_text)
        return value
    except (ValueError, RecursionError):  # damaged, or nested deeper than Python can read
        return json_text


def without_references(value: Json) -> Json:
    """Return `value` with sorted keys and, in media, without W&B's random references."""
    if isinstance(value, Mapping):
        left_out = _RANDOM_PARTS if "_type" in value else ()
        return {key: without_references(value[key]) for key in sorted(value) if key not in left_out}
    return value


def _fold_batch(batch: "Batch", tables: dict[str, str]) -> "Batch":
    """Return a batch with its media folded, and add its tables, see `History`, to `tables`."""
    media = [name for name in batch.names if _IS_MEDIA.search(name)]
    if not media:
        return batch
    rows = {row: batch.row(row) for row in batch.rows_with(media)}
    for row in rows.values():
        tables |= tables_in_row(row)
    return batch.replace({index: fold_media(row) for index, row in rows.items()})


def _system_names(batch: "Batch") -> list[str]:
    return list(filter(is_system_metric, batch.names))


def _system_of(batch: "Batch") -> list[Row]:
    names = _system_names(batch)
    kept = batch.drop(set(batch.names) - {*names, "_step", *TIME_COLUMNS})
    return [kept.row(row) for row in batch.rows_with(names)]


def _system_rows(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        values = {name: value for name, value in row.items() if is_system_metric(name)}
        if values:
            yield {name: row[name] for name in ("_step", *TIME_COLUMNS) if name in row} | values


def _system_csv(rows: Sequence[Row], segments: Sequence[Segment]) -> str:
    """Return the system metrics of the program's rows and W&B's own samples, sorted by time."""
    found = list(rows)
    start = next((segment.run.start_ns for segment in segments if segment.run), 0)
    for segment in segments:
        for sample in segment.stats:
            values = {_STATS + name: value for name, value in sample.values.items()}
            runtime = sample.runtime
            if runtime is None:
                runtime = seconds(sample.time_ns - start)
            times = {"_timestamp": repr(sample.time), "_runtime": repr(runtime)}
            found.append(times | values)
    found.sort(key=lambda row: float(row.get("_timestamp", "0")))
    special = (*TIME_COLUMNS, "_step")
    names = sorted({name for row in found for name in row if name not in special})
    return _csv(["_timestamp", "_runtime", "_step", *names], list(map(_cells, found)))


def _cells(row: Row) -> dict[str, str]:
    """Return the cells of a row as they stand in a CSV file."""
    return {name: quoted(cell(value)) for name, value in row.items()}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    lines = (",".join([cells.get(name, "") for name in columns]) for cells in rows)
    return csv_line(columns) + "".join(f"{line}\n" for line in lines)
