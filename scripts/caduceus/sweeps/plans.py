"""Plan an experiment's sweep: its id, the number of its trials, and the ids of their runs.

A trial's parameters aren't known when the workflow is planned, so its id is the sweep's id and a
number. The sweep's id is a hash of everything that decides its trials' parameters and results: two
sweeps with the same id have the same trials, one by one. The number of trials isn't part of the
hash: raising it adds trials to the existing ones.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from caduceus.errors import SpecError
from caduceus.io.files import Json, canonical_json, digest_text
from caduceus.io.yaml_files import Source
from caduceus.runs.absent_parameters import without_absent
from caduceus.runs.files.plan import Spec, SweepSpec
from caduceus.runs.files.sweep import GivenConfig, SweepDefinition, SweepPlan
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.folders import confirmation
from caduceus.sweeps.points import read_point
from caduceus.sweeps.seeds import SEED
from caduceus.sweeps.spaces import Configuration

_HASH_DIGITS = 8  # short: W&B's ids have at most 64 characters, and a trial's has a suffix
_MOST_CHARACTERS = 64
_MOST_TRIALS = 100_000  # Snakemake takes one or two seconds to plan 1,000
_CONFIRMATIONS = 3  # runs of each confirmed configuration


@dataclass(frozen=True)
class Sweep:
    """A sweep of an experiment.

    Attributes:
        plan: the content of sweep.json.
        config: W&B's configuration.
        count: the number of trials.
        confirm: how many of the best configurations are run again, with new seeds.
    """

    plan: SweepPlan
    config: SweepConfig
    count: int
    confirm: int

    @property
    def id(self) -> str:
        """Its id, the prefix of its trials' ids."""
        return self.plan.sweep

    @property
    def is_chosen_by_server(self) -> bool:
        """Whether a W&B server chooses the trials."""
        return self.plan.is_chosen_by_server

    @property
    def is_sequential(self) -> bool:
        """Whether a trial needs the results of earlier ones.

        A server counts every trial it has sent as running, so at most `lag` are requested at once.
        """
        return self.is_chosen_by_server or depends_on_results(self.config)

    def trial_runs(self, number: int) -> list[str]:
        """Return the ids of a trial's runs."""
        return self.plan.trial_runs(number)

    def seeds_of(self, number: int) -> tuple[int, ...]:
        """Return the seeds of a trial's runs."""
        drawn = self.config.drawn_seeds
        return (drawn.of(number, self.plan.seed),) if drawn else self.plan.seeds

    def trials(self) -> Iterator[tuple[str, str, int]]:
        """Yield id, trial and seed of every run, first of the trials, then of the confirmations."""
        for number in range(self.count):
            for run, seed in zip(self.trial_runs(number), self.seeds_of(number), strict=True):
                yield run, f"{number:04d}", seed
        yield from self.confirmations()

    def confirmations(self) -> Iterator[tuple[str, str, int]]:
        """Yield id, trial and seed of every run of a confirmation."""
        for rank in range(self.confirm):
            seeds = self.plan.seeds
            others = () if seeds == (self.plan.default_seed,) else seeds
            trial = confirmation(self.count, others, rank)
            for seed in self.new_seeds:
                yield f"{self.id}-{trial}-s{seed}", trial, seed

    @property
    def new_seeds(self) -> list[int]:
        """Seeds that no trial uses, for the confirmations."""
        drawn = self.config.drawn_seeds
        first = (drawn.largest if drawn else max(self.plan.seeds)) + 1
        return [*range(first, first + _CONFIRMATIONS)]

    def waits_for(self, number: int) -> list[str]:
        """Return the runs of the last trial whose results trial `number` is suggested from."""
        last = number - self.plan.lag
        return self.trial_runs(last) if self.is_sequential and last >= 0 else []


def depends_on_results(config: SweepConfig) -> bool:
    """Whether a trial of such a sweep needs the results of earlier ones."""
    may_end_early = config.early_terminate is not None or config.target is not None
    return config.method == "bayes" or may_end_early


def plan_sweep(
    spec: Spec,
    config: SweepConfig,
    definition: SweepDefinition,
    default_seed: int,
    source: Source,
) -> Sweep:
    """Return the sweep of an experiment.

    Args:
        spec: the experiment.
        config: the result of `read_sweep`.
        definition: what decides the results of all its runs.
        default_seed: the seed of experiments that list none.
        source: the experiment's file.

    Raises:
        SpecError: the sweep would never end, its ids are too long for W&B, or its keys contradict
            each other.
    """
    given = spec.sweep
    assert given is not None
    seeds = spec.seeds
    if given.engine == "wandb":
        _check_server_engine(config, seeds, source)
    _check_known(spec.id, given, config, source)
    choice = _what_decides_trials(config, given, seeds)
    identity = definition.to_json() | choice | {"default_seed": default_seed}
    identity["parameters"] = without_absent(definition.parameters, spec.absent)
    digest = digest_text(canonical_json(identity))[:_HASH_DIGITS]
    file, keys = _config_location(given, source)
    plan = SweepPlan(
        sweep=f"{spec.id}-{digest}",
        config=GivenConfig.from_json(config.raw),
        engine=given.engine,
        lag=given.lag,
        seed=given.seed,
        sampler=given.sampler,
        seeds=seeds,
        default_seed=default_seed,
        file=file,
        keys=keys,
        definition=definition,
        points=_points(given, config, source),
        known=given.known or None,
    )
    sweep = Sweep(plan, config, _count(config, given.count, len(seeds), source), given.confirm)
    if sweep.confirm and config.metric_name is None:
        raise SpecError(
            "sweep.confirm: the best trials are found by a metric; add `metric` to the sweep",
            source.where(["sweep", "confirm"]),
        )
    if sweep.confirm > sweep.count:
        raise SpecError(
            f"sweep.confirm: found {sweep.confirm}, allowed: at most the number of trials, "
            f"{sweep.count}",
            source.where(["sweep", "confirm"]),
        )
    last_runs = [*sweep.trial_runs(sweep.count - 1), *(run for run, _, _ in sweep.confirmations())]
    longest = max(map(len, last_runs))
    if longest > _MOST_CHARACTERS:
        raise SpecError(
            f"id: {longest - _MOST_CHARACTERS} characters too long for a sweep, since W&B's run "
            f"ids have at most {_MOST_CHARACTERS}; shorten it",
            source.where(["id"]),
        )
    return sweep


def _points(
    given: SweepSpec, config: SweepConfig, source: Source
) -> tuple[Configuration, ...] | None:
    """Return the given configurations of the first trials; None if there are none."""
    points = []
    for index, point in enumerate(given.points):
        try:
            points.append(read_point(point, config.space))
        except ValueError as error:
            raise SpecError(
                f"sweep.points: {error}", source.where(["sweep", "points", index])
            ) from None
    return tuple(points) or None


def _check_known(id: str, given: SweepSpec, config: SweepConfig, source: Source) -> None:
    """Refuse points and known runs where nothing uses them."""
    if given.points and config.method == "grid":
        raise SpecError(
            "sweep.points: a grid runs every configuration; remove them, or use another method",
            source.where(["sweep", "points"]),
        )
    if id in given.known:
        raise SpecError(
            f"sweep.known: {id} is this experiment itself, whose trials count anyway; remove it",
            source.where(["sweep", "known"]),
        )
    if given.known and config.method != "bayes":
        raise SpecError(
            f"sweep.known: method {config.method} learns from no results; remove it, or use bayes",
            source.where(["sweep", "known"]),
        )


def _check_server_engine(config: SweepConfig, seeds: Sequence[int], source: Source) -> None:
    """Refuse what a server doesn't support when it chooses the trials."""
    if config.early_terminate and config.early_terminate.axis:
        raise SpecError(
            "early_terminate.axis: not used with engine wandb, as the server counts rows; remove "
            "it, or the engine",
            config.where(["early_terminate", "axis"]),
        )
    if config.seeds is not None or config.drawn_seeds is not None:
        raise SpecError(
            "parameters.seed: with engine wandb the runs' seed stands in the experiment; move it "
            "to `seeds` there",
            config.where(["parameters", SEED]),
        )
    for key in ("sampler", "seed", "points", "known"):
        if source.find(["sweep", key]) is not None:
            raise SpecError(
                f"sweep.{key}: not used with engine wandb, as the server has its own; remove it",
                source.where(["sweep", key]),
            )
    if len(seeds) > 1:
        raise SpecError(
            "seeds: with engine wandb each configuration has one run; list one seed, and run the "
            "best configurations again by `confirm`",
            source.where(["seeds"]),
        )


def _config_location(given: SweepSpec, source: Source) -> tuple[str, tuple[str, ...]]:
    """Return the file with W&B's configuration, and the path of keys to it."""
    if isinstance(given.config, str):
        return given.config, ()
    return source.path, ("sweep", "config")


def _what_decides_trials(
    config: SweepConfig, given: SweepSpec, seeds: Sequence[int]
) -> dict[str, Json]:
    """Return the settings of a sweep that decide its trials' parameters and results."""
    raw = config.raw
    space = {
        name: given
        for name, given in raw["parameters"].items()
        if name != SEED  # seeds are in the runs' ids
    }
    decides: dict[str, Json] = {"method": config.method, "space": space}
    if given.engine == "wandb":
        # The server has one run per trial, so two sweeps here must not share a run.
        decides |= {key: raw[key] for key in ("metric", "early_terminate") if key in raw}
        return decides | {"engine": "wandb", "lag": given.lag, "seeds": list(seeds)}
    if config.metric_name is not None:
        # The metric decides a trial's result, which is recorded once.
        metric = {"name": config.metric_name, "goal": config.goal, "impute": config.impute}
        decides["metric"] = metric | {"target": config.target}
    if config.method != "grid":
        decides["seed"] = given.seed
    if config.method == "bayes":
        decides["sampler"] = given.sampler
    if depends_on_results(config):
        # Later trials are suggested from the mean result over the seeds.
        decides |= {"lag": given.lag, "seeds": sorted(seeds)}
    if given.points:
        decides["points"] = [dict(point) for point in given.points]
    if given.known:
        decides["known"] = list(given.known)
    if config.drawn_seeds is not None:
        decides["drawn_seed"] = raw["parameters"][SEED]
    if config.early_terminate is not None:
        decides["early_terminate"] = raw["early_terminate"]
    return decides


def _count(config: SweepConfig, wanted: int | None, seeds: int, source: Source) -> int:
    """Return the number of trials: `wanted`, limited by run_cap and the size of the grid."""
    size = config.space.grid_size if config.method == "grid" else None
    capped = None if config.run_cap is None else config.run_cap // seeds
    if capped == 0:
        raise SpecError(
            f"run_cap: found {config.run_cap}, but each trial has {seeds} runs, one per seed; "
            "raise it, or list fewer seeds",
            config.where(["run_cap"]),
        )
    limits = [limit for limit in (wanted, capped, size) if limit is not None]
    if not limits and source.find(["sweep"]) is None:
        raise SpecError(
            f"missing number of trials: method {config.method} never ends by itself; add --count "
            f"to `caduceus sweep {shlex.quote(source.path)}`, or `run_cap` to the file",
            source.where([]),
        )
    if not limits:
        raise SpecError(
            f"missing key 'count' in 'sweep': add it, the number of trials; method {config.method} "
            "never ends by itself",
            source.where(["sweep"]),
        )
    if min(limits) > _MOST_TRIALS:
        raise SpecError(
            f"sweep.count: the sweep would have {min(limits):,} trials, allowed: at most "
            f"{_MOST_TRIALS:,}; set a lower count, or use method random",
            source.where(["sweep"]),
        )
    return min(limits)


def run_pattern(sweep_ids: Iterable[str]) -> str:
    """Return a regular expression for the ids of all runs of these sweeps."""
    ids = "|".join(map(re.escape, sweep_ids))
    trials = r"(?:t\d\d\d\d+|c\d+(?:-[0-9a-f]+)?\.\d+)"
    return rf"(?:{ids})-{trials}(?:-s-?\d+)?" if ids else "none"
