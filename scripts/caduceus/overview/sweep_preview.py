"""A preview of a sweep: its space, first trials, first command and estimated cost."""

import os
import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.io.files import Json
from caduceus.io.phrases import count_of
from caduceus.io.written_out import flow
from caduceus.overview.forecasts import durations_of
from caduceus.project.experiments import Experiment
from caduceus.runs import command_line
from caduceus.runs.files.plan import Run
from caduceus.runs.files.trial import KnownRun
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import read_records
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.distribution_specs import default_distribution
from caduceus.sweeps.distributions import Distribution
from caduceus.sweeps.known_runs import find_known
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.plans import Sweep
from caduceus.sweeps.seeds import SEED
from caduceus.sweeps.spaces import Parameter
from caduceus.sweeps.suggestions import suggest

_SHOWN_TRIALS = 3
_SHOWN_LEVELS = 8
_SHOWN_APART = ("distribution", "value", "values", "probabilities")


@dataclass(frozen=True)
class ShownParameter:
    """A parameter of the space: its keys in the file, and in words what they give."""

    name: str
    given: Mapping[str, Json]
    text: str


@dataclass(frozen=True)
class SweepPreview:
    """The preview of a sweep: space, first trials and cost.

    Attributes:
        sweep: its id.
        method: bayes, grid or random.
        sampler: of bayes, what suggests the trials.
        is_chosen_by_server: whether the W&B server chooses the trials.
        metric: the metric, if there is one.
        goal: minimize or maximize.
        eta: of hyperband, which stops trials early; None without it.
        parameters: the space.
        trials: how many trials there are.
        grid_size: of a grid, how many it has in all.
        seeds: how many seeds each trial has.
        at_a_time: how many trials are suggested without a result between them; None for all.
        confirmed: how many of the best are run on fresh seeds.
        runs: how many runs that makes.
        points: how many configurations are given.
        known: how many runs that exist it learns from.
        left_out: a line for each kind of runs that it can't learn from.
        first_trials: the parameters of the first trials, before any result.
        command: the command line of trial 0; None where the server chooses.
        program: the program.
        measured: how many earlier runs of the program give the cost.
        run_s: the median seconds of these; None without any.
    """

    sweep: str
    method: str
    sampler: str | None
    is_chosen_by_server: bool
    metric: str | None
    goal: str
    eta: float | None
    parameters: Sequence[ShownParameter]
    trials: int
    grid_size: int | None
    seeds: int
    at_a_time: int | None
    confirmed: int
    runs: int
    points: int
    known: int
    left_out: Sequence[str]
    first_trials: Sequence[Mapping[str, Json]]
    command: str | None
    program: str
    measured: int
    run_s: float | None


def find_preview(experiment: Experiment, sweep: Sweep, results: Path) -> SweepPreview:
    """Return what a sweep would do.

    Args:
        experiment: the sweep's experiment.
        sweep: the sweep.
        results: the folder results/; its runs of the same program give the cost.
    """
    config, program = sweep.config, experiment.spec.program
    points, names = sweep.plan.points or (), sweep.plan.known or ()
    known, left_out = find_known(names, config, results) if names else ([], [])
    suggested: list[Mapping[str, Any]] = []
    if not sweep.is_chosen_by_server:
        suggested = [*points, *_first(sweep, known)][:_SHOWN_TRIALS]
    seconds = [
        each.seconds for each in durations_of(read_records(results)) if each.program == program
    ]
    return SweepPreview(
        sweep=sweep.id,
        method=config.method,
        sampler=sweep.plan.sampler if config.method == "bayes" else None,
        is_chosen_by_server=sweep.is_chosen_by_server,
        metric=config.metric_name or None,
        goal=str(config.goal),
        eta=config.early_terminate.eta if config.early_terminate else None,
        parameters=[
            *(_shown(parameter, config) for parameter in config.space.parameters),
            *_drawn_seed(config),
        ],
        trials=sweep.count,
        grid_size=config.space.grid_size if config.method == "grid" else None,
        seeds=len(sweep.plan.seeds),
        at_a_time=sweep.plan.lag if sweep.is_sequential else None,
        confirmed=sweep.confirm,
        runs=len(list(sweep.trials())),
        points=len(points),
        known=len(known),
        left_out=left_out,
        first_trials=[config.space.flat(chosen) for chosen in suggested],
        command=_command(experiment.runs[0], suggested[0], results) if suggested else None,
        program=program,
        measured=len(seconds),
        run_s=statistics.median(seconds) if seconds else None,
    )


def preview_lines(found: SweepPreview) -> Iterator[str]:
    """Yield the lines of a sweep's preview."""
    how = f"{found.method} ({found.sampler})" if found.sampler else found.method
    if found.is_chosen_by_server:
        how = f"{found.method}, by the W&B server,"
    metric = f" on {found.metric}, {found.goal}" if found.metric else ""
    yield f"{found.sweep}: {how}{metric}"
    if found.eta is not None:
        yield f"  stopped early by hyperband, eta {found.eta:g}"
    width = max(len(parameter.name) for parameter in found.parameters)
    for parameter in found.parameters:
        yield f"  {parameter.name:{width}}  {parameter.text}"
    together = "all" if found.at_a_time is None else f"at most {found.at_a_time}"
    seeds = f", each with {found.seeds} seeds" if found.seeds > 1 else ""
    confirmed = f", then the best {found.confirmed} on 3 fresh seeds" if found.confirmed else ""
    of_grid = f" of {found.grid_size:,}" if found.grid_size is not None else ""
    yield (
        f"{found.trials}{of_grid} trials{seeds}, {together} at a time{confirmed}: {found.runs} runs"
    )
    if found.points:
        yield f"starts with {count_of(found.points, 'given configuration')}"
    if found.known or found.left_out:
        yield "; ".join([f"learns from {count_of(found.known, 'known run')}", *found.left_out])
    if found.first_trials:
        yield "first trials, before any result:"
        for number, parameters in enumerate(found.first_trials):
            yield f"  {number}  {_words(parameters)}"
        yield f"command of trial 0: {found.command}"
    yield _cost(found)


def _first(sweep: Sweep, known: Sequence[KnownRun]) -> list[Mapping[str, Any]]:
    """Return the parameters of the first trials after the given ones, before any result."""
    given = sweep.plan.points or ()
    seen = [Observation(run.parameters, run.objective, "finished") for run in known]
    seen += [Observation(point, None, "running") for point in given]
    found: list[Mapping[str, Any]] = []
    last = min(len(given) + _SHOWN_TRIALS, sweep.count, sweep.plan.lag)
    for number in range(len(given), last):
        chosen = suggest(sweep.config, sweep.plan.sampler, sweep.plan.seed, number, seen) or {}
        found.append(chosen)
        seen.append(Observation(chosen, None, "running"))
    return found


def _shown(parameter: Parameter, config: SweepConfig) -> ShownParameter:
    """Return a parameter with its keys as in the file, and what they give."""
    given: Mapping[str, Any] = config.raw
    for name in parameter.path:
        given = given["parameters"][name]
    head = [str(given.get("distribution") or default_distribution(given))]
    head += [f"{key} {flow(value)}" for key, value in given.items() if key not in _SHOWN_APART]
    text = f"{', '.join(head)}: {_values(parameter.distribution, given, config.method)}"
    return ShownParameter(parameter.name, given, text)


def _drawn_seed(config: SweepConfig) -> Iterator[ShownParameter]:
    """Yield the parameter `seed` if a seed is drawn for each trial."""
    if config.drawn_seeds is not None:
        given = config.raw["parameters"][SEED]
        kind = str(given.get("distribution") or default_distribution(given))
        keys = [f"{key} {flow(value)}" for key, value in given.items() if key != "distribution"]
        yield ShownParameter(
            SEED, given, f"{', '.join([kind, *keys])}: drawn for each trial, not searched"
        )


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


def _cost(found: SweepPreview) -> str:
    """Return the estimated cost, from earlier runs of the same program."""
    if found.run_s is None:
        return f"cost: unknown, as no run of {found.program} has finished yet"
    return (
        f"cost: {found.runs} runs of {found.run_s / 60:.3g} min, the median of {found.measured} "
        f"earlier runs: {found.runs * found.run_s / 3600:.3g} hours, divided by how many run at a "
        "time"
    )
