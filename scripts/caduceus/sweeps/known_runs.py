"""What a sweep starts from: given configurations, and results of runs that exist."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.csv_rows import columns_of, text_rows
from caduceus.io.files import canonical_json
from caduceus.io.phrases import count_of, pasted
from caduceus.io.validation import suggestion
from caduceus.runs.files.export import Summary
from caduceus.runs.files.trial import KnownRun
from caduceus.runs.variants import leaves
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.distributions import Distribution
from caduceus.sweeps.hyperband import finite_values
from caduceus.sweeps.spaces import Configuration, Space
from caduceus.wandb_log.records import metric_name

_SUMMARY = "run_summary.json"


def read_point(given: Mapping[str, Any], space: Space) -> Configuration:
    """Return a given configuration, nested as in the sweep's file.

    Args:
        given: a value for each parameter that isn't constant, nested, or by names such as
            `optimizer.lr`.
        space: the search space.

    Raises:
        ValueError: a parameter is missing, unknown or outside the space; the message says which.
    """
    below = {name.replace("\\.", "."): value for name, value in leaves(given)}
    values = below | dict(given)
    known = {parameter.name for parameter in space.parameters}
    for name in below:
        if name not in known and not any(name.startswith(f"{each}.") for each in known):
            raise ValueError(f"{pasted(name)} is no parameter{suggestion(name, known)}")
    chosen = {}
    for parameter in space.parameters:
        distribution = parameter.distribution
        if parameter.name not in values and distribution.kind == "constant":
            chosen[parameter.path] = distribution.ppf(0.0)
            continue
        if parameter.name not in values:
            raise ValueError(f"lacks the parameter {parameter.name}")
        value = values[parameter.name]
        possible = _possible(value, distribution)
        if not possible:
            raise ValueError(f"{parameter.name} = {canonical_json(value)} is outside the space")
        chosen[parameter.path] = possible[0]
    return space.nest(chosen)


def _possible(value: Any, distribution: Distribution) -> list[Any]:
    """Return a value as a distribution gives it, such as 100 for 100.0; empty if it never does."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if distribution.levels is None:
        is_inside = is_number and distribution.ppf(0.0) <= value <= distribution.ppf(1.0)
        return [value] if is_inside else []
    same = [each for each in distribution.levels if canonical_json(each) == canonical_json(value)]
    return same or [
        each
        for each in distribution.levels
        if is_number and not isinstance(each, bool | str) and each == value
    ]


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
