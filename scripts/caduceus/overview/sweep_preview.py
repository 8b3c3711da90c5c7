"""A preview of a sweep: its space, its first trials and its estimated cost."""

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

from caduceus.io.cells import render_or_null
from caduceus.io.files import Json
from caduceus.overview.forecasts import durations_of
from caduceus.project.experiments import Experiment
from caduceus.runs.record import read_records
from caduceus.sweeps.plans import Sweep
from caduceus.sweeps.spaces import Parameter
from caduceus.sweeps.suggestions import suggest

_SHOWN_TRIALS = 3
_SHOWN_LEVELS = 8


def preview(experiment: Experiment, sweep: Sweep, results: Path) -> Iterator[str]:
    """Yield the lines of a sweep's preview.

    Args:
        experiment: the sweep's experiment.
        sweep: the sweep.
        results: the folder results/; its runs of the same program give the cost.
    """
    config = sweep.config
    how = f"{config.method} ({sweep.plan.sampler})" if config.method == "bayes" else config.method
    if sweep.is_chosen_by_server:
        how = f"{config.method}, by the W&B server,"
    metric = f" on {config.metric_name}, {config.goal}" if config.metric_name else ""
    yield f"{sweep.id}: {how}{metric}"
    if config.early_terminate:
        yield f"  stopped early by hyperband, eta {config.early_terminate.eta:g}"
    width = max(len(parameter.name) for parameter in config.space.parameters)
    for parameter in config.space.parameters:
        yield f"  {parameter.name:{width}}  {_spread(parameter)}"
    trials = list(sweep.trials())
    together = f"at most {sweep.plan.lag}" if sweep.is_sequential else "all"
    seeds = f", each with {len(sweep.plan.seeds)} seeds" if len(sweep.plan.seeds) > 1 else ""
    confirmed = f", then the best {sweep.confirm} on 3 fresh seeds" if sweep.confirm else ""
    yield f"{sweep.count} trials{seeds}, {together} at a time{confirmed}: {len(trials)} runs"
    if not sweep.is_chosen_by_server:
        yield "first trials, before any result:"
        for number in range(min(_SHOWN_TRIALS, sweep.count, sweep.plan.lag)):
            chosen = suggest(config, sweep.plan.sampler, sweep.plan.seed, number, []) or {}
            yield f"  {number}  {_words(config.space.flat(chosen))}"
    yield _cost(results, experiment.spec.program, len(trials))


def _spread(parameter: Parameter) -> str:
    distribution = parameter.distribution
    levels = distribution.levels
    if levels is not None and len(levels) <= _SHOWN_LEVELS:
        return ", ".join(map(render_or_null, levels))
    middle = distribution.ppf(0.5)
    low, high = distribution.ppf(0.01), distribution.ppf(0.99)
    return f"{_short(low)} … {_short(middle)} … {_short(high)} (1 %, median, 99 %)"


def _short(value: Json) -> str:
    return f"{value:.4g}" if isinstance(value, float) else render_or_null(value)


def _words(parameters: Mapping[str, Json]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in parameters.items())


def _cost(results: Path, program: str, count: int) -> str:
    """Return the estimated cost, from earlier runs of the same program."""
    seconds = [
        each.seconds for each in durations_of(read_records(results)) if each.program == program
    ]
    if not seconds:
        return f"cost: unknown, as no run of {program} has finished yet"
    typical = statistics.median(seconds)
    return (
        f"cost: {count} runs of {typical / 60:.3g} min, the median of {len(seconds)} earlier runs: "
        f"{count * typical / 3600:.3g} hours, divided by how many run at a time"
    )
