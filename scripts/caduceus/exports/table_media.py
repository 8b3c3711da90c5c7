"""The media inside logged tables: pictures, sounds and the like in the cells of a `wandb.Table`.

wandb writes a table twice: as a file of media, in which a cell with a picture is just "Image", and
as an artifact of type `run_table`, which holds the pictures and a table whose cells name them. A
row of the history refers to both. Source: wandb/sdk/data_types/table.py.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.exports.run_artifacts import find_logged, place_logged
from caduceus.io.files import Json, files_below, write_whole
from caduceus.io.names import is_safe_path
from caduceus.io.phrases import listed
from caduceus.wandb_log import Artifact, Segment
from caduceus.wandb_log.segments import TABLE_TYPES

CLIENT = "wandb-client-artifact://"  # stands before the random id of an artifact in a row
_MEDIA, _TABLES = "media/", "media/table/"
_TYPES = {"Audio", "Bokeh", "Html", "Image", "Molecule", "Object3D", "Plotly", "Video"}
_FILE = re.compile(r"(.+)_(\d+|summary)_[0-9a-f]+\.table\.json")  # name, step and digest


def tables_in_row(row: Mapping[str, str]) -> dict[str, str]:
    """Return the file of each table in a row, by its file in an artifact: `ID/NAME`.

    ID is the random id under which the program logged the artifact.
    """
    suffix = ".artifact_path"
    found = (name.removesuffix(suffix) for name in row if name.endswith(suffix))
    pairs = [(row[f"{owner}{suffix}"], row.get(f"{owner}.path", "")) for owner in found]
    return {
        json.loads(artifact).removeprefix(CLIENT): json.loads(path)
        for artifact, path in pairs
        if artifact.startswith(f'"{CLIENT}') and path.startswith(f'"{_MEDIA}')
    }


def _tables_in(value: Json) -> Iterator[tuple[str, str]]:
    """Yield the same pairs for the tables in a summary."""
    if not isinstance(value, Mapping):
        return
    artifact, path = (str(value.get(key)) for key in ("artifact_path", "path"))
    if artifact.startswith(CLIENT) and path.startswith(_MEDIA):
        yield artifact.removeprefix(CLIENT), path
    for inside in value.values():
        yield from _tables_in(inside)


def export_table_media(
    segments: Sequence[Segment], tables: Mapping[str, str], folder: Path, bases: Sequence[Path]
) -> Iterator[str]:
    """Place the media of all tables in `folder`, let the cells name them, and yield what is wrong.

    A cell becomes the object with which wandb describes the picture, with `path`, the place of its
    file in `folder`. W&B cuts the file of a long table to 10,000 rows; the others are appended.

    Args:
        segments: the run's segments.
        tables: from `tables_in_row`, of all rows.
        folder: the run's export, with its media in media/.
        bases: folders that may have moved, with their content, since the files were logged.
    """
    known = dict(pair for segment in segments for pair in _tables_in(segment.summary)) | {**tables}
    run_id = next((segment.run.id for segment in segments if segment.run), "")
    logged = [artifact for segment in segments for artifact in segment.artifacts]
    found = [artifact for artifact in logged if artifact.type in TABLE_TYPES]
    known |= _in_order(found, known, folder, f"run-{run_id}-")
    for artifact in found:
        yield from _export_artifact(artifact, known, folder, bases)


def unlogged_tables(
    segments: Sequence[Segment], tables: Mapping[str, str], folder: Path
) -> Iterator[str]:
    """Yield a line about the tables with media whose artifacts aren't in the logs, if any.

    A program that logs online sends artifacts to the server only.

    Args:
        segments: the run's segments.
        tables: from `tables_in_row`, of all rows.
        folder: the run's export, with its media as they were logged.
    """
    known = dict(pair for segment in segments for pair in _tables_in(segment.summary)) | {**tables}
    logged = {artifact.client_id for segment in segments for artifact in segment.artifacts}
    lacking = {path for owner, path in known.items() if owner.partition("/")[0] not in logged}
    shown = sorted(path for path in lacking if is_safe_path(path) and _shows_media(folder / path))
    if shown:
        yield (
            f"tables: the log has no pictures and the like of {listed(shown, 3)}, as the run was "
            "logged online: cells have only their types; export.projects in config.yaml exports "
            "the run whole, from its server"
        )


def _shows_media(file: Path) -> bool:
    """Whether a table as W&B shows it has a cell with media, which is then just its type."""
    try:
        rows = json.loads(file.read_text(errors="replace"))["data"]
        return any(cell in _TYPES for row in rows for cell in row if isinstance(cell, str))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def _in_order(
    artifacts: Sequence[Artifact], known: Mapping[str, str], folder: Path, prefix: str
) -> Iterator[tuple[str, str]]:
    """Yield the same pairs for tables whose rows don't refer to an artifact.

    wandb up to 0.17 leaves the reference out offline. The n-th artifact of a name then belongs to
    the n-th file of that name.

    Args:
        artifacts: of tables, in the order in which they were logged.
        known: the pairs that are known.
        folder: the run's export.
        prefix: stands before the name of the table in that of its artifact.
    """
    waiting: dict[str, list[tuple[float, str]]] = {}
    for path in files_below(folder / _TABLES):
        name = path.relative_to(folder / _TABLES).as_posix()
        parts = _FILE.fullmatch(name)
        if parts and (whole := f"{_TABLES}{name}") not in known.values():
            step = math.inf if parts[2] == "summary" else int(parts[2])
            waiting.setdefault(_letters(parts[1]), []).append((step, whole))
    for artifact in artifacts:
        files = sorted(waiting.get(_letters(artifact.name.removeprefix(prefix)), []))
        for name in artifact.files:
            place = f"{artifact.client_id}/{name}"
            if files and place not in known and not name.startswith(_MEDIA):
                waiting[_letters(artifact.name.removeprefix(prefix))] = files[1:]
                yield place, files[0][1]
                break


def _letters(name: str) -> str:
    """Return what is left of a table's name in that of its artifact, in every version of wandb."""
    return re.sub("[^a-zA-Z0-9]", "", name)


def _export_artifact(
    artifact: Artifact, tables: Mapping[str, str], folder: Path, bases: Sequence[Path]
) -> Iterator[str]:
    for name, file in artifact.files.items():
        table = tables.get(f"{artifact.client_id}/{name}")
        path = table or name
        if file.path is None or not (path.startswith(_MEDIA) and is_safe_path(path)):
            continue
        if table is None:
            wrong = place_logged(file, folder / path, bases)
        else:
            source, wrong = find_logged(file, bases)
            if not wrong and (folder / path).is_file():
                _name_media(folder / path, source)
        if wrong:
            yield f"table {artifact.name}, file {name}: {wrong}"


def _name_media(file: Path, source: Path) -> None:
    """Put the cells with media, and the rows that are missing, into the file of a table.

    Args:
        file: the table as W&B shows it.
        source: the table in the artifact.
    """
    try:
        plain, whole = (json.loads(path.read_text(errors="replace")) for path in (file, source))
        if plain["columns"] != whole["columns"]:
            return
        rows, others = plain["data"], whole["data"]
        data = [
            [typed if _has_media(typed) else cell for cell, typed in zip(*pair, strict=True)]
            for pair in zip(rows, others, strict=False)
        ]
    except (ValueError, LookupError, TypeError, RecursionError):  # another kind of table
        return
    data += others[len(rows) :]
    if len(data) >= len(rows) and data != rows:
        write_whole(file, json.dumps(plain | {"data": data}, separators=(",", ":")))


def _has_media(cell: Json) -> bool:
    """Whether a cell of a typed table is, or contains, a file of media."""
    if isinstance(cell, Mapping):
        return ("_type" in cell and "path" in cell) or any(map(_has_media, cell.values()))
    return isinstance(cell, list) and any(map(_has_media, cell))
