"""Sweeps as experiments plan them: who they are, how many trials there are, and in which runs.

A trial's parameters aren't known when the workflow is planned, so that its identity is its sweep's
and its number. The sweep's is a hash of all that decides which parameters its trials get, and what
becomes of them: two sweeps of the same id have the same trials, one by one. How many there are is
no part of it, and raising that adds trials to those there are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.files import canonical_json, digest_text
from caduceus.io.validation import Where, brief
from caduceus.io.yaml_files import Source, load
from caduceus.runs.files.plan import Spec, SweepSpec
from caduceus.sweeps.configs import SweepConfig, read_config
from caduceus.sweeps.folders import confirmation, trial_runs

_HASH_DIGITS = 8  # ids of W&B have 64 characters, and a trial's has more than this after it
_MOST_CHARACTERS = 64
_MOST_TRIALS = 100_000  # Snakemake plans a hundredth of that in a second or two
_CONFIRMATIONS = 3  # runs of each configuration that is confirmed


@dataclass(frozen=True)
class Sweep:
    """A sweep of an experiment.

    Attributes:
        id: its identity, which starts its trials' ids.
        config: W&B's configuration.
        count: how many trials there are.
        engine: what chooses the trials: caduceus, or wandb, the W&B server.
        lag: trial t is suggested from the results of trials 0 to t - lag.
        seed: of the suggestions; the server has its own.
        sampler: what suggests in method bayes; the server has its own.
        confirm: how many of the best configurations are run again, on fresh seeds.
        seeds: each configuration runs once with each.
        default_seed: the seed of an experiment that lists none, and of runs whose ids name none.
        file: where W&B's configuration stands.
        keys: below which keys of that file.
        definition: what decides the results of all its runs, but for what it chooses.
    """

    id: str
    config: SweepConfig
    count: int
    engine: str
    lag: int
    seed: int
    sampler: str
    confirm: int
    seeds: tuple[int, ...]
    default_seed: int
    file: str
    keys: tuple[str, ...]
    definition: Mapping[str, Any]

    @property
    def is_servers(self) -> bool:
        """Whether a W&B server chooses the trials."""
        return self.engine == "wandb"

    @property
    def is_sequential(self) -> bool:
        """Whether a trial needs the results of earlier ones.

        To a server what it has handed out is at work, so that no more than `lag` may be.
        """
        return self.is_servers or waits_for_results(self.config)

    def trial_runs(self, number: int) -> list[str]:
        """The ids of the runs of a trial."""
        return trial_runs(self.id, number, self.seeds, self.default_seed)

    def trials(self) -> Iterator[tuple[str, str, int]]:
        """Id, trial and seed of every run: those of the trials, then the confirmations."""
        for number in range(self.count):
            yield from zip(
                self.trial_runs(number),
                [f"{number:04d}"] * len(self.seeds),
                self.seeds,
                strict=True,
            )
        yield from self.confirmations()

    def confirmations(self) -> Iterator[tuple[str, str, int]]:
        """The same of the confirmations alone."""
        for rank in range(self.confirm):
            others = () if self.seeds == (self.default_seed,) else self.seeds
            trial = confirmation(self.count, others, rank)
            for seed in self.fresh_seeds:
                yield f"{self.id}-{trial}-s{seed}", trial, seed

    @property
    def fresh_seeds(self) -> list[int]:
        """Seeds that no trial has."""
        first = max(self.seeds) + 1
        return [*range(first, first + _CONFIRMATIONS)]

    def waits_for(self, number: int) -> list[str]:
        """The runs whose results decide with those before them what trial `number` is."""
        known = number - self.lag
        return self.trial_runs(known) if self.is_sequential and known >= 0 else []

    def plan(self) -> dict[str, Any]:
        """What sweep.json holds: all but how many trials there are."""
        return {
            "sweep": self.id,
            "config": dict(self.config.raw),
            "engine": self.engine,
            "lag": self.lag,
            "seed": self.seed,
            "sampler": self.sampler,
            "seeds": list(self.seeds),
            "default_seed": self.default_seed,
            "file": self.file,
            "keys": list(self.keys),
            "definition": dict(self.definition),
        }


def waits_for_results(config: SweepConfig) -> bool:
    """Whether a trial of such a sweep needs the results of earlier ones."""
    is_ended_by_results = config.early_terminate is not None or config.target is not None
    return config.method == "bayes" or is_ended_by_results


def read_sweep(
    spec: Mapping[str, Any], source: Source, root: Path
) -> tuple[SweepConfig | None, dict[str, Any]]:
    """Read W&B's configuration of an experiment's sweep.

    Args:
        spec: the experiment, with the schema's defaults.
        source: its file.
        root: the project's folder.

    Returns:
        The configuration, or None without a sweep; and the experiment's keys that it sets:
        `program`, `command`, `name`, `description` and `metric`.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if spec["sweep"] is None:
        if spec["type"] == "sweep":
            raise SpecError(
                "type: found 'sweep', but there is no `sweep`; add it with W&B's configuration "
                "under `config`, or choose another type",
                source.where(["type"]),
            )
        return None, {}
    if spec["type"] != "sweep":
        raise SpecError(
            f"type: found {brief(spec['type'])}, allowed: sweep, since there is a `sweep`",
            source.where(["type"]),
        )
    value, where = _configuration(spec["sweep"]["config"], source, root)
    config = read_config(value, where)
    for key in ("matrix", "variants", "exclude", "baseline"):
        if spec[key]:
            raise SpecError(
                f"{key}: the sweep chooses the parameters; remove one of both", source.where([key])
            )
    searched = {parameter.path[0] for parameter in config.space.parameters}
    for key in sorted(searched & set(spec["parameters"])):
        raise SpecError(
            f"parameters.{key}: the sweep searches it; remove it here or there",
            source.where(["parameters", key]),
        )
    return config, _set_keys(spec, config, source, where)


def _configuration(given: Any, source: Source, root: Path) -> tuple[Any, Where]:
    if isinstance(given, str):
        file = load(root / given, given)
        return file.value, file.where
    return given, lambda keys: source.where(["sweep", "config", *keys])


def _set_keys(
    spec: Mapping[str, Any], config: SweepConfig, source: Source, where: Where
) -> dict[str, Any]:
    """Return the experiment's keys that its sweep's configuration sets.

    Raises:
        SpecError: the experiment sets one of them otherwise.
    """
    found: dict[str, Any] = {}
    for key in ("program", "command"):
        said = config.raw.get(key)
        if said is None:
            continue
        if source.find([key]) is not None and spec[key] != said:
            raise SpecError(
                f"{key}: the experiment has {brief(spec[key])} and its sweep {brief(said)}; "
                "remove one",
                where([key]),
            )
        found[key] = said
    found["name"] = spec["name"] or config.name or ""
    found["description"] = spec["description"] or config.description or ""
    if config.metric_name is None:
        return found
    metric = {"name": config.metric_name, "goal": config.goal}
    if spec["metric"] is not None and spec["metric"] != metric:
        raise SpecError(
            f"metric: the experiment has {brief(spec['metric'])} and its sweep {brief(metric)}; "
            "remove one",
            source.where(["metric"]),
        )
    return found | {"metric": metric}


def plan_sweep(
    spec: Spec,
    config: SweepConfig,
    definition: Mapping[str, Any],
    default_seed: int,
    source: Source,
) -> Sweep:
    """The sweep of an experiment.

    Args:
        spec: the experiment.
        config: what `read_sweep` returned.
        definition: what decides the results of all its runs: program, command, the parameters that
            all share, dataset, code.
        default_seed: that of experiments that list none.
        source: the experiment's file.

    Raises:
        SpecError: it would never end, or its ids are too long for W&B.
    """
    given = spec.sweep
    assert given is not None
    seeds = spec.seeds
    if given.engine == "wandb":
        _check_servers(seeds, source)
    identity = dict(definition) | _decides(config, given, seeds) | {"default_seed": default_seed}
    digest = digest_text(canonical_json(identity))[:_HASH_DIGITS]
    sweep = Sweep(
        f"{spec.id}-{digest}",
        config,
        _count(config, given.count, len(seeds), source),
        given.engine,
        given.lag,
        given.seed,
        given.sampler,
        given.confirm,
        seeds,
        default_seed,
        *_place(given.config, source),
        definition,
    )
    if sweep.confirm and config.metric_name is None:
        raise SpecError(
            "sweep.confirm: the best ones are told by a metric; add `metric` to the sweep",
            source.where(["sweep", "confirm"]),
        )
    if sweep.confirm > sweep.count:
        raise SpecError(
            f"sweep.confirm: found {sweep.confirm}, allowed: at most the {sweep.count} trials",
            source.where(["sweep", "confirm"]),
        )
    last_runs = [*sweep.trial_runs(sweep.count - 1), *(run for run, _, _ in sweep.confirmations())]
    longest = max(map(len, last_runs))
    if longest > _MOST_CHARACTERS:
        raise SpecError(
            f"id: too long for a sweep by {longest - _MOST_CHARACTERS} characters, since W&B's "
            f"runs have ids of at most {_MOST_CHARACTERS}; shorten it",
            source.where(["id"]),
        )
    return sweep


def _check_servers(seeds: Sequence[int], source: Source) -> None:
    """See that nothing is asked of a sweep that its server doesn't do."""
    for key in ("sampler", "seed"):
        if source.find(["sweep", key]) is not None:
            raise SpecError(
                f"sweep.{key}: the server chooses by its own, since engine is wandb; remove it",
                source.where(["sweep", key]),
            )
    if len(seeds) > 1:
        raise SpecError(
            "seeds: a server hands out one run for each configuration; list one seed, or let "
            "`confirm` run the best ones again",
            source.where(["seeds"]),
        )


def _place(given: Any, source: Source) -> tuple[str, tuple[str, ...]]:
    return (given, ()) if isinstance(given, str) else (source.path, ("sweep", "config"))


def _decides(config: SweepConfig, given: SweepSpec, seeds: Sequence[int]) -> dict[str, Any]:
    """What of a sweep decides its trials' parameters, and what becomes of them."""
    raw = config.raw
    decides = {"method": config.method, "space": raw["parameters"]}
    if given.engine == "wandb":
        # The server has one run for each trial, so that no two runs here may be the same trial.
        decides |= {key: raw[key] for key in ("metric", "early_terminate") if key in raw}
        return decides | {"engine": "wandb", "lag": given.lag, "seeds": list(seeds)}
    if config.metric_name is not None:
        # It says what came of a trial, once and for all.
        metric = {"name": config.metric_name, "goal": config.goal, "impute": config.impute}
        decides["metric"] = metric | {"target": config.target}
    if config.method != "grid":
        decides["seed"] = given.seed
    if config.method == "bayes":
        decides["sampler"] = given.sampler
    if waits_for_results(config):
        # The result that later trials follow is a mean over the seeds.
        decides |= {"lag": given.lag, "seeds": sorted(seeds)}
    if config.early_terminate is not None:
        decides["early_terminate"] = raw["early_terminate"]
    return decides


def _count(config: SweepConfig, wanted: int | None, seeds: int, source: Source) -> int:
    """How many trials there are: what is wanted, within the sweep's cap on runs and the grid."""
    size = config.space.grid_size if config.method == "grid" else None
    capped = None if config.run_cap is None else config.run_cap // seeds
    if capped == 0:
        raise SpecError(
            f"run_cap: found {config.run_cap}, and each trial has {seeds} runs, one for each seed; "
            "raise it, or list fewer seeds",
            source.where(["seeds"]),
        )
    limits = [limit for limit in (wanted, capped, size) if limit is not None]
    if not limits:
        raise SpecError(
            f"missing key 'count' in 'sweep': add it, how many trials there are; method "
            f"{config.method} never ends by itself",
            source.where(["sweep"]),
        )
    if min(limits) > _MOST_TRIALS:
        raise SpecError(
            f"sweep.count: there would be {min(limits):,} trials, allowed: at most "
            f"{_MOST_TRIALS:,}; set how many, or let method random choose",
            source.where(["sweep"]),
        )
    return min(limits)


def run_pattern(sweep_ids: Iterable[str]) -> str:
    """A pattern of the ids of all runs of these sweeps."""
    ids = "|".join(map(re.escape, sweep_ids))
    trials = r"(?:t\d\d\d\d+|c\d+(?:-[0-9a-f]+)?\.\d+)"
    return rf"(?:{ids})-{trials}(?:-s-?\d+)?" if ids else "none"
