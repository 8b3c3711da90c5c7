"""Results of runs that exist, from which a sweep learns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.phrases import count_of
from caduceus.runs.files.export import Summary
from caduceus.runs.files.trial import KnownRun
from caduceus.runs.variants import leaves
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.hyperband import finite_values
from caduceus.sweeps.points import read_point
from caduceus.wandb_log.records import metric_name

_SUMMARY = "run_summary.json"


def find_known(
    names: Sequence[str], config: SweepConfig, results: Path
) -> tuple[list[KnownRun], list[str]]:
    """Return the results of runs that exist, and a line for each kind of runs that can't be used.

    Only finished runs count whose parameters are in the sweep's space. A run's objective is the
    best value of the metric in its rows and its summary, as that of a trial.

    Args:
        names: experiments or sweeps below `results`, or folders with exported runs.
        config: the sweep's configuration, with a metric.
        results: the folder results/.

    Raises:
        ResultError: a name has no exported run.
    """
    found, left_out = list[KnownRun](), dict[str, int]()
    for name in names:
        folders = list(_exported(name, results))
        if not folders:
            raise ResultError(
                "has no exported run; name an experiment or a sweep that has run, or a folder with "
                f"exported runs ({_SUMMARY})",
                name,
            )
        for folder in folders:
            run, reason = _known_run(folder, config)
            if run is None:
                left_out[reason] = left_out.get(reason, 0) + 1
            else:
                found.append(run)
    unique = {run.run: run for run in found}
    return list(unique.values()), [
        f"{count_of(count, 'run')} left out: {reason}" for reason, count in left_out.items()
    ]


def _exported(name: str, results: Path) -> Iterator[Path]:
    """Yield the folders of exported runs, sorted."""
    folder = Path(name)
    if folder.is_dir():
        yield from sorted(path.parent for path in folder.rglob(_SUMMARY))
        return
    for path in sorted((results / "runs").glob(f"*/{_SUMMARY}")):
        if name in (Summary.read(path).experiment, path.parent.name.rpartition("-t")[0]):
            yield path.parent


def _known_run(folder: Path, config: SweepConfig) -> tuple[KnownRun | None, str]:
    """Return the result of a run, or None and why it can't be used."""
    summary = Summary.read(folder / _SUMMARY)
    if summary.state != "finished":
        return None, f"{summary.state}"
    names = {parameter.path[0] for parameter in config.space.parameters}
    given = {key: value for key, value in summary.config.items() if key in names}
    dotted = {parameter.name for parameter in config.space.parameters}
    given |= {key: value for key, value in summary.config.items() if key in dotted}
    try:
        parameters = read_point(given, config.space)
    except ValueError as error:
        return None, str(error)
    values = finite_values(_metric_values(folder, config.metric_name or "", summary))
    if not values:
        return None, f"no finite {config.metric_name}"
    return KnownRun(run=folder.name, parameters=parameters, objective=config.goal.best(values)), ""


def _metric_values(folder: Path, metric: str, summary: Summary) -> Iterator[Any]:
    in_summary = dict(leaves(summary.summary))
    names = (metric, metric_name([metric]))
    for name, value in in_summary.items():
        if name in names or name.rpartition(".")[0] in names:
            yield value
    history = folder / "metrics_history.csv"
    column = next((name for name in names if name in columns_of(history)), None)
    if column is not None:
        yield from (float(row[column]) for row in text_rows(history) if row[column])
