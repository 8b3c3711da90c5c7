"""The differences between two exports of the same run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.exports.history_columns import TIME_COLUMNS
from caduceus.exports.run import (
    VOLATILE,
    VOLATILE_OF_ARTIFACTS,
    VOLATILE_VALUES,
    without_empty,
)
from caduceus.io.cells import canonical
from caduceus.io.csv_rows import text_rows
from caduceus.io.files import Json, canonical_json, files_below
from caduceus.runs.files.export import Summary

_KEYS = {"metrics_history.csv": "_step", "system_metrics.csv": "_timestamp"}
_FOLDERS = ("media", "artifacts", "files")
_SHOWN = 60  # characters of a value


def differences(
    here: Path,
    there: Path,
    with_times: bool = True,
    with_files: bool = True,
    elsewhere: str = "on the server",
) -> list[str]:
    """Return a line for each difference between two exports; an empty list if they are equal.

    Tables, media and the files of artifacts are compared byte for byte, run_summary.json without
    its volatile keys, among them the aliases of artifacts.

    Args:
        here: the folder of the local export.
        there: the folder of the other export, such as the one from the server.
        with_times: whether time columns and system metrics are compared too.
        with_files: whether media, the files of artifacts and saved files are compared too.
        elsewhere: where the other export is from, for the lines.
    """
    own, other = (_compared(Summary.read(folder / "run_summary.json")) for folder in (here, there))
    tables = list(_KEYS) if with_times else ["metrics_history.csv"]
    left_out = () if with_times else TIME_COLUMNS
    folders = _FOLDERS if with_files else ()
    return [
        *(
            line
            for name in tables
            for line in _in_table(here / name, there / name, left_out, elsewhere)
        ),
        *(line for name in folders for line in _in_folder(name, here, there, elsewhere)),
        *_in_values("", own, other, elsewhere),
    ]


def _in_table(here: Path, there: Path, left_out: Sequence[str], elsewhere: str) -> Iterator[str]:
    if here.read_bytes() == there.read_bytes():
        return
    name = here.name
    key, rows, others = _KEYS[name], list(text_rows(here)), list(text_rows(there))
    counts = [Counter(row[key] for row in found) for found in (rows, others)]
    yield from _only(name, key, "here", counts[0] - counts[1])
    yield from _only(name, key, elsewhere, counts[1] - counts[0])
    by_key = {other[key]: other for other in others}
    differing = [
        (row[key], column, row.get(column, ""), by_key[row[key]].get(column, ""))
        for row in rows
        if row[key] in by_key
        for column in row.keys() | by_key[row[key]].keys()
        if column not in left_out and row.get(column, "") != by_key[row[key]].get(column, "")
    ]
    if not differing and counts[0] == counts[1] and list(rows) != list(others):
        order = [[row[key] for row in found] for found in (rows, others)]
        if order[0] != order[1] or not left_out:
            yield f"{name}: the same rows in another order, or other columns"
    if differing:
        step, column, value, other = differing[0]
        yield (
            f"{name}: {len(differing)} values differ, the first is {column} at {key} {step}: "
            f"{_shown(value)} here, {_shown(other)} {elsewhere}"
        )


def _only(name: str, key: str, where: str, extra: Counter[str]) -> Iterator[str]:
    if extra:
        first = min(extra, key=float)
        yield f"{name}: {extra.total()} rows are only {where}, the first at {key} {first}"


def _in_folder(name: str, here: Path, there: Path, elsewhere: str) -> Iterator[str]:
    files, others = (
        {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
        for folder in (here / name, there / name)
    )
    for inside in sorted(files.keys() | others.keys()):
        if inside not in others:
            yield f"{name}/{inside}: only here"
        elif inside not in files:
            yield f"{name}/{inside}: only {elsewhere}"
        elif files[inside].read_bytes() != others[inside].read_bytes():
            yield f"{name}/{inside}: differs"


def _compared(summary: Summary) -> Json:
    """Return the part of run_summary.json that must be equal."""
    kept = canonical({k: v for k, v in summary.to_json().items() if k not in VOLATILE})
    kept["config"] = without_empty(kept.get("config", {}))
    kept["summary"] = {k: v for k, v in kept["summary"].items() if k not in VOLATILE_VALUES}
    for name in ("artifacts", "used_artifacts"):
        kept[name] = {
            f"{artifact.name} {artifact.digest}": {
                key: value
                for key, value in artifact.to_json().items()
                if key not in VOLATILE_OF_ARTIFACTS
            }
            for artifact in getattr(summary, name)
        }
    return dict(kept)


def _in_values(name: str, here: Json, there: Json, elsewhere: str) -> Iterator[str]:
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in dict.fromkeys([*here, *there]):
            inside = f"{name}.{key}" if name else key
            yield from _in_values(inside, here.get(key), there.get(key), elsewhere)
    elif canonical_json(here) != canonical_json(there):
        yield f"{name}: {_shown(here)} here, {_shown(there)} {elsewhere}"


def _shown(value: Json) -> str:
    if value is None or value == "":
        return "nothing"
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
