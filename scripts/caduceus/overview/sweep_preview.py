"""A preview of a sweep: its space, first trials, first command and estimated cost."""

import os
import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.io.files import Json
from caduceus.io.written_out import flow
from caduceus.overview.forecasts import durations_of
from caduceus.project.experiments import Experiment
from caduceus.runs import command_line
from caduceus.runs.files.plan import Run
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import read_records
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.distribution_specs import default_distribution
from caduceus.sweeps.distributions import Distribution
from caduceus.sweeps.plans import Sweep
from caduceus.sweeps.spaces import Parameter
from caduceus.sweeps.suggestions import suggest

_SHOWN_TRIALS = 3
_SHOWN_LEVELS = 8
_SHOWN_APART = ("distribution", "value", "values", "probabilities")


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
        yield f"  {parameter.name:{width}}  {_described(parameter, config)}"
    trials = list(sweep.trials())
    together = f"at most {sweep.plan.lag}" if sweep.is_sequential else "all"
    seeds = f", each with {len(sweep.plan.seeds)} seeds" if len(sweep.plan.seeds) > 1 else ""
    confirmed = f", then the best {sweep.confirm} on 3 fresh seeds" if sweep.confirm else ""
    of_grid = f" of {config.space.grid_size:,}" if config.method == "grid" else ""
    yield (
        f"{sweep.count}{of_grid} trials{seeds}, {together} at a time{confirmed}: {len(trials)} runs"
    )
    if not sweep.is_chosen_by_server:
        yield "first trials, before any result:"
        shown = range(min(_SHOWN_TRIALS, sweep.count, sweep.plan.lag))
        suggested = [
            suggest(config, sweep.plan.sampler, sweep.plan.seed, number, []) or {}
            for number in shown
        ]
        for number, chosen in enumerate(suggested):
            yield f"  {number}  {_words(config.space.flat(chosen))}"
        yield f"command of trial 0: {_command(experiment.runs[0], suggested[0], results)}"
    yield _cost(results, experiment.spec.program, len(trials))


def _described(parameter: Parameter, config: SweepConfig) -> str:
    """Return a parameter's distribution and its keys as in the file, and what they give."""
    given: Mapping[str, Any] = config.raw
    for name in parameter.path:
        given = given["parameters"][name]
    head = [str(given.get("distribution") or default_distribution(given))]
    head += [f"{key} {flow(value)}" for key, value in given.items() if key not in _SHOWN_APART]
    return f"{', '.join(head)}: {_values(parameter.distribution, given, config.method)}"


def _values(distribution: Distribution, given: Mapping[str, Any], method: str) -> str:
    if "value" in given:
        return flow(given["value"])
    shares = given.get("probabilities")
    if shares:
        pairs = zip(given["values"], shares, strict=True)
        return _listed([f"{flow(value)} ({flow(share)})" for value, share in pairs])
    if "values" in given:
        return _listed(list(map(flow, given["values"])))
    levels = distribution.grid if method == "grid" else distribution.levels
    if levels is not None and (method == "grid" or len(levels) <= _SHOWN_LEVELS):
        first = [flow(level) for level in levels[:_SHOWN_LEVELS]]
        return _listed(first, len(levels))
    middle = distribution.ppf(0.5)
    low, high = distribution.ppf(0.01), distribution.ppf(0.99)
    return f"{_short(low)} … {_short(middle)} … {_short(high)} (1 %, median, 99 %)"


def _listed(words: Sequence[str], count: int | None = None) -> str:
    count = count or len(words)
    rest = f", … ({count:,} values)" if count > _SHOWN_LEVELS else ""
    return ", ".join(words[:_SHOWN_LEVELS]) + rest


def _short(value: Any) -> str:
    """Return a value with its type: 1 and 1.0 differ; a fraction has four digits."""
    if not isinstance(value, float) or value.is_integer():
        return flow(value)
    return f"{value:.4g}"


def _words(parameters: Mapping[str, Json]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in parameters.items())


def _command(run: Run, chosen: Mapping[str, Any], results: Path) -> str:
    """Return the command line of a trial's run; variables that aren't set stay macros."""
    definition, folder = run.definition, RunFolder(results / "runs" / run.id)
    file = str(folder.wandb(1).absolute() / "parameters.json")
    command = [file if word == "${args_json_file}" else word for word in definition.command]
    unset = {name: f"${{envvar:{name}}}" for name in command_line.named_variables(command)}
    own = {
        "CADUCEUS_SEED": str(definition.seed),
        "WANDB_RUN_ID": run.id,
        "CADUCEUS_OUTPUT_DIR": str(folder.program_output.absolute()),
        "CADUCEUS_CHECKPOINT_DIR": str(folder.checkpoints.absolute()),
    }
    words = command_line.expand(
        command,
        definition.program,
        {**definition.parameters, **chosen},
        Path(file),
        unset | dict(os.environ) | own,
        definition.seed_by_argument,
    )
    return shlex.join(command_line.with_hidden_programs(words))


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
