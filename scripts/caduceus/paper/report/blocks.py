"""Pack data for the scripts of a report: a small index, and blocks decoded on demand."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from caduceus.paper.report.curve_chunks import Curves
from caduceus.paper.report.groups import VariantRuns
from caduceus.paper.report.packed_curves import PackedCurves
from caduceus.paper.report.packing import column_json, inert_json

_RUN_COLUMNS = ("run", "name", "group", "experiment", "variant", "seed", "state", "error")
_HOST_COLUMNS = ("git_commit", "host", "started_at", "runtime_s")
_SHOWN = ("run", "name", "group", "experiment", "variant", "seed", "state", "runtime_s")
_MOST_RESULTS = 3  # columns of results that are shown at first, if no metric is the main one


def page_data(
    runs: Mapping[str, Sequence[Any]],
    variants: Sequence[VariantRuns],
    curves: PackedCurves,
    sweeps: Sequence[Mapping[str, Any]],
    tries: Sequence[Mapping[str, Any]],
    main: Sequence[str],
) -> dict[str, Any]:
    """Return the variables of the template that its scripts read.

    Args:
        runs: the columns of runs.csv of all groups.
        variants: the variants of the runs.
        curves: their curves.
        sweeps: from `read_sweep`.
        tries: from `read_tries`.
        main: the metrics of the experiments.

    Returns:
        `data`, the index, read when the page opens: the number of `runs`; their `columns`, by name,
        whether they have numbers, hold nothing, or vary, and which are shown at first; `metrics`
        with their `axes`; the `main` ones; how many `variants` and `sweeps` there are.
        `blocks`, the text of each block by its id: those that the page shows when it opens are
        `first`, the others are `later`.
    """
    columns = _columns(runs)
    shown = _shown(columns, main)
    metrics = list(curves.averages)
    at_first = _first_metric(metrics, main)
    first = {
        "variants": inert_json(
            {
                name: [getattr(variant, name) for variant in variants]
                for name in ("group", "experiment", "name", "runs")
            }
        )
    }
    later: dict[str, str] = {}
    for place, (name, values) in enumerate(columns.items()):
        block = first if name in shown else later
        block[f"column-{place}"] = column_json(values)
    for place, sweep in enumerate(sweeps):
        later[f"sweep-{place}"] = inert_json(_chart_data(sweep))
    for place, ledger in enumerate(tries):
        later[f"ledger-{place}"] = inert_json(_plain(ledger["view"]))
        for number, details in ledger["details"].items():
            later[f"try-{place}-{number}"] = inert_json(_plain(details))
    for place, metric in enumerate(metrics):
        for axis, found in enumerate(curves.averages[metric].values()):
            blocks = dict(_curve_blocks(f"averages-{place}-{axis}", found))
            if (metric, axis) == (at_first, 0):
                for name in list(blocks)[:2]:
                    first[name] = blocks.pop(name)
            later |= blocks
        for axis, found in enumerate(curves.singles[metric].values()):
            later.update(_curve_blocks(f"singles-{place}-{axis}", found))
    index = {
        "runs": len(runs.get("run", ())),
        "columns": [_about(name, values, shown) for name, values in columns.items()],
        "metrics": metrics,
        "metric": at_first,
        "axes": {name: list(found) for name, found in curves.averages.items()},
    }
    return {"data": index, "blocks": {"first": first, "later": later}}


def _columns(runs: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return the columns of the table of runs: identity, results, parameters, host and time."""
    count = len(runs.get("run", ()))
    results = sorted(name for name in runs if name.startswith("summary.") and name[8:9] != "_")
    parameters = [name for name in runs if name.startswith("config.")]
    names = (*_RUN_COLUMNS, *results, *parameters, *_HOST_COLUMNS)
    nothing = [None] * count
    return {name: list(map(_plain, runs.get(name, nothing))) for name in names}


def _shown(columns: Mapping[str, Sequence[Any]], main: Sequence[str]) -> set[str]:
    """Return the columns that the table shows at first; others are read when they are chosen."""
    results = [name for name in columns if name.startswith("summary.")]
    mains = [name for name in (f"summary.{metric}" for metric in main) if name in columns]
    return {*_SHOWN, *(mains or results[:_MOST_RESULTS])}


def _first_metric(metrics: Sequence[str], main: Sequence[str]) -> str | None:
    """Return the metric whose curves are shown at first: an experiment's own, or one of a test."""
    preferred = (
        [name for name in metrics if name in main],
        [name for name in metrics if name.startswith(("val", "eval", "test"))],
        metrics,
    )
    return next((found[0] for found in preferred if found), None)


def _about(name: str, values: Sequence[Any], shown: Iterable[str]) -> dict[str, Any]:
    kinds = {type(value) for value in values}
    return {
        "name": name,
        "isNumber": bool(kinds & {int, float}),
        "isEmpty": all(value is None or value == "" for value in values),
        "varies": any(value != values[0] for value in values),
        "isShown": name in shown,
    }


def _curve_blocks(name: str, curves: Curves) -> Iterator[tuple[str, str]]:
    """Yield the blocks of the curves of a metric on an axis: a head, and chunks of numbers."""
    yield name, inert_json({**curves.head, "ticks": curves.ticks})
    for place, (steps, values) in enumerate(curves.chunks):
        yield f"{name}-{place}", f"{steps} {values}"


def _chart_data(sweep: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trials of a sweep for its chart."""
    names = ("trial", "state", "objective", "best_so_far", "stopped_early", "parameters")
    trials = ({name: _plain(trial[name]) for name in names} for trial in sweep["trials"])
    return {"name": sweep["name"], "metric": sweep["metric"], "trials": list(trials)}


def _plain(value: Any) -> Any:
    """Return a value for JSON, with numbers that aren't finite as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
