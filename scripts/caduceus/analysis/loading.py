"""Runs, histories and sweeps of a project, read from results/."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Union

import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from caduceus.analysis.frames import frame_of_rows, frame_of_table
from caduceus.errors import ResultError
from caduceus.exports.group_history import (
    ABOUT,
    RunHistory,
    declared_axes,
    history_columns,
    read_history,
)
from caduceus.io.csv_rows import read_rows
from caduceus.io.failed_entries import refuse_failed
from caduceus.io.phrases import listed
from caduceus.project.listed_runs import ListedRun, find_named, find_runs, results_folder
from caduceus.runs.metric import default_axis
from caduceus.runs.rows import ABOUT_RUN
from caduceus.runs.unknown_metrics import no_run_logged
from caduceus.sweeps.folders import find_sweep

Names = str | Iterable[str]  # one, or several
# Ids, or rows of `load_runs`. The class has no parameters where no type checker runs.
Runs = Union[Names, pd.DataFrame, "DataFrameGroupBy[Any, Any]"]
_SHOWN = 12  # columns in a message
_LEFT_OUT = ("abandoned", "try")  # kinds of runs of other programs than the experiments' own


def load_runs(group: Names = (), experiment: Names = (), project: str | Path = ".") -> pd.DataFrame:
    """Return a row for each run, in any state.

    Args:
        group: W&B groups; all by default.
        experiment: ids of experiments; all by default.
        project: the project's folder, or its results/.

    Returns:
        `run`, `name`, `experiment`, `type`, `variant`, `seed`, `state` (finished, skipped, running,
        to do, interrupted, to export or failed), `error`, `group`, `kind` (planned; trial of a
        sweep; try, of a tried edit; abandoned, if no experiment in config.yaml lists it;
        project, if it is of a W&B project);
        `config.…`, its parameters, and `summary.…`, its results; `git_commit`, `host`,
        `started_at` (UTC), `runtime_s`; over all attempts, `attempts`, how many, `wall_s`,
        `cpu_s`, `gpu_s` and `lost_s` in seconds, and `peak_memory_gb` in 10^9 bytes.

    Raises:
        ResultError: there are no results, or no such group or experiment.
    """
    records = find_runs(results_folder(Path(project)), _names(experiment), _names(group))
    runs = frame_of_rows([record.row for record in records], ABOUT_RUN)
    if "started_at" in runs:
        runs["started_at"] = pd.to_datetime(runs["started_at"], utc=True, format="ISO8601")
    return runs


def load_history(
    runs: Runs | None = None, metrics: Names | None = None, project: str | Path = "."
) -> pd.DataFrame:
    """Return every row that runs have logged: nothing is sampled, and no value is changed.

    Args:
        runs: ids of runs, or the frame of `load_runs`, which may be filtered, sorted or grouped:
            its runs in its order, each once. By default all that are exported, but those of
            tries and the abandoned ones.
        metrics: names of metrics; by default all. Only rows in which one of them was logged are
            returned, so that NaN in a single metric is a NaN that was logged.
        project: the project's folder, or its results/.

    Returns:
        `run`, `experiment`, `variant`, `seed`, `_step`, then the metrics; without `metrics` also
        `_runtime`, in seconds, and `_timestamp`, in seconds since 1970. A column is bool, int64,
        float64 or text, the narrowest type that holds every value exactly; with missing values
        boolean, Int64, or float64 with NaN; a column of mixed kinds has the text of its cells. A
        metric with the name of one of the first four columns is called `logged.NAME`. `metrics`
        come with the axis that the runs declare for them by `define_metric`, as a column;
        `attrs["axes"]` names it by metric. A metric without one has `_step`.

    Raises:
        ResultError: there are no results, no such run or metric, a run isn't exported yet, or the
            frame has no column `run`, no row, or a row without a run.
    """
    known = find_runs(results_folder(Path(project)))
    if runs is None:
        present = (record for record in known if record.kind not in _LEFT_OUT)
        records = [record for record in present if record.exported is not None]
    else:
        records = find_named(known, _ids(runs))
    if not records:
        raise ResultError("no run is exported yet; `snakemake --cores 2` makes what is missing")
    histories = [_history(record) for record in records]
    wanted = None if metrics is None else _names(metrics)
    for name in wanted or ():
        names = {column: None for history in histories for column in history_columns(history)}
        if name not in names:
            raise ResultError(no_run_logged(name, names))
    declared = declared_axes(histories)
    axes = {name: default_axis(found) for name, found in declared.items() if found}
    beside = [axes[name] for name in wanted or () if name in axes]
    frame = frame_of_table(read_history(histories, wanted, beside))
    frame.attrs["axes"] = {name: axis for name, axis in axes.items() if name in frame}
    return frame


def load_sweep(sweep: str | None = None, project: str | Path = ".") -> pd.DataFrame:
    """Return a row for each trial of a sweep, in their order.

    Args:
        sweep: its id, or that of its experiment; not needed if there is one sweep only.
        project: the project's folder, or its results/.

    Returns:
        `trial`, `runs` (a list of ids), `state`, `objective`, `best_so_far`, `stopped_early`,
        `config.…`, `started_at` (UTC) and `wall_s`, in seconds.

    Raises:
        ResultError: there is no such sweep, or several, or it isn't exported yet, or that failed.
    """
    folder = find_sweep(results_folder(Path(project)), sweep)
    if not (table := folder.path / "trials.csv").exists():
        raise ResultError("isn't exported yet; it is once its last trial has ended", str(table))
    refuse_failed(table)
    trials = frame_of_rows(read_rows(table), ())
    trials["runs"] = trials["runs"].str.split()
    trials["started_at"] = pd.to_datetime(trials["started_at"], utc=True, format="ISO8601")
    return trials


def _ids(runs: Runs) -> list[str]:
    """Return the ids of runs; a frame may have several rows of one.

    Raises:
        ResultError: a frame has no column `run`, no row, or a row without a run.
    """
    if isinstance(runs, DataFrameGroupBy):
        groups = [frame for _, frame in runs]
        runs = pd.concat(groups) if groups else runs.obj.iloc[:0]
    if not isinstance(runs, pd.DataFrame):
        return _names(runs)
    frame = runs.index.to_frame() if "run" in runs.index.names else runs
    if "run" not in frame:
        columns = listed([str(name) for name in frame.columns], _SHOWN)
        raise ResultError(f"the frame has no column 'run', only {columns}; pass one of load_runs()")
    if frame.empty:
        raise ResultError("the frame has no row; it needs one for each run")
    if frame["run"].isna().any():
        raise ResultError("the frame has a row without a run; drop it: frame.dropna(subset='run')")
    return list(dict.fromkeys(frame["run"]))


def _names(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _history(record: ListedRun) -> RunHistory:
    if record.exported is None:
        raise ResultError(f"isn't exported yet: it is {record.state}", f"run {record.run}")
    about = {"run": record.run} | {name: getattr(record.summary, name) for name in ABOUT[1:]}
    defined = record.summary.defined_metrics or {}
    return RunHistory(about, record.folder.path / "metrics_history.csv", defined)
