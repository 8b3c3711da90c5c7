"""Compare single runs, and say what so few of them can show."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.io.phrases import count_of
from caduceus.overview.mcp.answers import Answer, choose_metric, some
from caduceus.overview.mcp.group_comparison import (
    compare_values,
    comparison_row,
    verdict_row,
)
from caduceus.overview.mcp.own_keys import is_own_key
from caduceus.overview.paper_methods import paper_methods
from caduceus.paper.figures.figure_data import rounded
from caduceus.paper.provenance import describe_run
from caduceus.project.listed_runs import ListedRun, find_named, find_runs
from caduceus.project.paper_selections import goal_of
from caduceus.project.planned import configured_plans
from caduceus.runs.equal_seeds import equal_notes, equal_seeds, repeats
from caduceus.runs.files.plan import Spec
from caduceus.runs.metric import Metric
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import decide, greater

_MOST_RUNS = 10
_MOST_METRICS = 6
_MADE_OF = ("code", "commit", "is_dirty", "environment")


def compare(results: Path, runs: Sequence[str], metrics: Sequence[str] | None) -> Answer:
    """Return the answer of `compare_runs`.

    Raises:
        CaduceusError: there are too many or too few runs, one doesn't exist, or none has a metric.
    """
    if len(set(runs)) != len(runs) or not 2 <= len(runs) <= _MOST_RUNS:
        raise CaduceusError(f"found {len(runs)} runs, allowed: 2 to {_MOST_RUNS} different ones")
    records = find_named(find_runs(results), runs)
    specs = [plan.spec for plan in configured_plans(results)]
    names = _metrics(records, metrics, specs)
    made_of = [describe_run(record.folder) for record in records]
    answer = {
        "runs": [_about(record, names) for record in records],
        "parameters_that_differ": _differing(
            [_parameters(record, {spec.id: spec for spec in specs}) for record in records]
        ),
        "made_of_that_differs": _differing(
            [{name: made[name] for name in _MADE_OF} for made in made_of]
        ),
    }
    sides: dict[tuple[Any, ...], list[ListedRun]] = {}
    for record, made in zip(records, made_of, strict=True):
        summary = record.summary
        variant = summary.variant or record.run
        sides.setdefault((summary.experiment, variant, made["code"]), []).append(record)
    methods = paper_methods(results)
    by_seed = sorted(records, key=lambda record: record.summary.seed or 0)
    answer["notes"] = equal_notes(equal_seeds(by_seed, methods.folds))
    if len(sides) == 1:
        return answer | _spread(records, names, methods)
    return answer | _comparisons(list(sides.values()), names, specs, methods)


def _metrics(
    records: Sequence[ListedRun],
    wanted: Sequence[str] | None,
    specs: Sequence[Spec],
) -> list[str]:
    """Return the wanted metrics, else those of the runs' experiments, else the first few."""
    columns = dict.fromkeys(name for record in records for name in record.row)
    known = [name.removeprefix("summary.") for name in columns if name.startswith("summary.")]
    if wanted is not None:
        return [choose_metric(name, known) for name in wanted]
    experiments = {record.summary.experiment for record in records}
    own = [spec.metric.name for spec in specs if spec.id in experiments and spec.metric]
    logged = [name for name in known if not name.startswith("_")]
    return list(dict.fromkeys(own)) or logged[:_MOST_METRICS]


def _about(record: ListedRun, metrics: Sequence[str]) -> Answer:
    names = ("run", "experiment", "variant", "seed", "state", "kind", "runtime_s")
    values = {name: record.row.get(f"summary.{name}") for name in metrics}
    return {name: record.row[name] for name in names} | {"metrics": values}


def _parameters(record: ListedRun, specs: Mapping[str, Spec]) -> dict[str, Any]:
    cells = {
        name.removeprefix("config."): value
        for name, value in record.row.items()
        if name.startswith("config.")
    }
    return {
        name: value
        for name, value in cells.items()
        if not is_own_key(name, value, record.row, specs)
    }


def _differing(all_values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for values in all_values for name in values)
    found = {name: [values.get(name) for values in all_values] for name in names}
    return {name: values for name, values in found.items() if len(set(map(str, values))) > 1}


def _by_seed(records: Sequence[ListedRun], metric: str, folds: int | None) -> dict[int, float]:
    """Return the finite values of finished runs by seed; by place if a run has no seed.

    Equal seeds count as `equal_seeds` says.
    """
    found = {}
    repeated = repeats(equal_seeds(records, folds))
    for place, record in enumerate(records):
        value: Any = record.row.get(f"summary.{metric}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        is_counted = record.state == "finished" and record.run not in repeated
        if is_counted and is_number and isfinite(value):
            seed = record.summary.seed
            found[place if seed is None else seed] = float(value)
    return found


def _spread(records: Sequence[ListedRun], metrics: Sequence[str], methods: Methods) -> Answer:
    spread = {}
    for metric in metrics:
        if values := list(_by_seed(records, metric, methods.folds).values()):
            found = estimate_mean(values)
            numbers = {"mean": found.value, "std": found.std, "low": found.low, "high": found.high}
            spread[metric] = {"n": found.n} | {key: rounded(n) for key, n in numbers.items()}
    note = "runs of one variant differ only by seed and noise, so none of them is better"
    return {"spread": spread, "note": note}


def _comparisons(
    sides: Sequence[Sequence[ListedRun]],
    metrics: Sequence[str],
    specs: Sequence[Spec],
    methods: Methods,
) -> Answer:
    rows, compared = [], []
    for metric in metrics:
        first = _by_seed(sides[0], metric, methods.folds)
        for side in sides[1:]:
            values = _by_seed(side, metric, methods.folds)
            if first and values:
                about = {"metric": metric, "variant": _name(side), "than": _name(sides[0])}
                rows.append(about)
                compared.append(compare_values(values, first, methods))
    verdicts = decide([greater(found) for found in compared], methods.alpha)
    goals = [goal_of(Metric(name=row["metric"]), None, specs) for row in rows]
    return {
        "comparisons": [
            row | comparison_row(found) | verdict_row(verdict, goal)
            for row, found, verdict, goal in zip(rows, compared, verdicts, goals, strict=True)
        ],
        "note": (
            "these runs only; compare_groups takes all seeds of a variant. p is corrected for "
            f"{count_of(len(rows), 'comparison')} (Holm)"
        ),
    }


def _name(side: Sequence[ListedRun]) -> str:
    ids = some([record.run for record in side], 3)
    return f"{side[0].summary.variant or side[0].summary.name} ({', '.join(ids)})"
