"""Tables that programs logged as `wandb.Table`, read from the exports of their runs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from caduceus.analysis.loading import Runs, load_history
from caduceus.errors import ResultError
from caduceus.io.files import Json, read_json
from caduceus.project.listed_runs import find_runs, results_folder

_ABOUT = ("run", "experiment", "variant", "seed", "_step")


def load_table(metric: str, runs: Runs | None = None, project: str | Path = ".") -> pd.DataFrame:
    """Return the rows of all tables that runs have logged as `metric`.

    Args:
        metric: the name under which a `wandb.Table` was logged.
        runs: ids of runs, or a frame of `load_runs`, as `load_history` takes it; by default all
            that are exported, but those of tries and the abandoned ones.
        project: the project's folder, or its results/.

    Returns:
        `run`, `experiment`, `variant`, `seed` and `_step`, where the table was logged, then the
        columns of the table; one with the name of one of the first five is called `logged.NAME`. A
        cell with a picture, or other media, is the path of its file.

    Raises:
        ResultError: there are no results, no such run or metric, a run isn't exported yet, or the
            metric is no table.
    """
    history = load_history(runs, metric, project)
    folders = {
        record.run: record.folder.path for record in find_runs(results_folder(Path(project)))
    }
    rows: list[dict[str, Any]] = []
    for logged in history.to_dict("records"):
        about = {name: logged[name] for name in _ABOUT}
        folder = folders[str(logged["run"])]
        rows += (about | row for row in _rows(folder, metric, logged[metric]))
    return pd.DataFrame(rows, columns=None if rows else list(_ABOUT))


def _rows(folder: Path, metric: str, cell: Json) -> Iterator[dict[str, Json]]:
    """Yield the rows of a table, given the cell of the history that names its file.

    Raises:
        ResultError: the cell is no table.
    """
    try:
        about: Any = json.loads(str(cell))
    except ValueError:
        about = None
    if not isinstance(about, dict) or about.get("_type") != "table-file":
        raise ResultError(f"{metric!r} isn't a table", f"run {folder.name}")
    mend = f"delete {folder / 'manifest.json'}, and `snakemake` exports the run again"
    table: Any = read_json(folder / about["path"], mend)
    names = [f"logged.{name}" if name in _ABOUT else str(name) for name in table["columns"]]
    for row in table["data"]:
        yield dict(zip(names, (_plain(value, folder) for value in row), strict=True))


def _plain(cell: Json, folder: Path) -> Json:
    """Return a cell with the path of the file in place of the object that describes media."""
    if isinstance(cell, list):
        return [_plain(each, folder) for each in cell]
    if isinstance(cell, Mapping) and "_type" in cell and "path" in cell:
        return str(folder / str(cell["path"]))
    return cell
