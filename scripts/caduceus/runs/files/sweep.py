"""The files of a sweep's folder, results/sweeps/SWEEP; those of its trials are in `trial`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.runs.files.params import SEED
from caduceus.runs.goal import Goal


@dataclass(frozen=True, kw_only=True)
class GivenMetric(Record):
    """The metric of W&B's configuration; keys that decide only suggestions are in `unknown`."""

    name: str
    goal: Goal | None = None

    optional = ("goal",)


@dataclass(frozen=True, kw_only=True)
class GivenConfig(Record):
    """W&B's configuration as given; `unknown` has the keys that `sweeps.configs` alone reads.

    Attributes:
        method: how parameters are chosen: grid, random or bayes.
        metric: the metric to optimize; None if there is none.
    """

    method: str
    metric: GivenMetric | None = None

    optional = ("metric",)

    @property
    def goal(self) -> Goal:
        """Which values of the metric are better: as in W&B the low ones, unless it says so."""
        return (self.metric and self.metric.goal) or Goal.MINIMIZE


@dataclass(frozen=True, kw_only=True)
class SweepDefinition(Record):
    """The definition of a sweep's runs, apart from the parameters that it chooses.

    Its fields are those of `Params`, without the seed, and written alike.
    """

    program: str
    command: tuple[Json, ...]
    parameters: Mapping[str, Json]
    dataset: Mapping[str, Json] | None
    code: str
    seed_argument: str | None = SEED

    def to_json(self) -> dict[str, Json]:
        """Convert to the file's object, without the argument of the seed if that is `seed`."""
        found = super().to_json()
        if self.seed_argument == SEED:
            del found["seed_argument"]
        return found


@dataclass(frozen=True, kw_only=True)
class SweepPlan(Record):
    """The content of sweep.json: everything but the number of trials.

    Attributes:
        sweep: the sweep's id, the prefix of its trials' ids.
        config: W&B's configuration as given.
        engine: `caduceus`, or `wandb` if the W&B server chooses the trials.
        lag: trial t is suggested from the results of trials 0 to t - lag.
        seed: of the suggestions; not used by the server.
        sampler: of method bayes; not used by the server.
        seeds: each configuration runs once with each seed.
        default_seed: the seed of an experiment that lists none; run ids don't contain it.
        file: the file with W&B's configuration.
        keys: the path of keys to the configuration in that file.
        definition: what decides the results of all its runs, apart from the parameters it chooses.
        points: configurations of the first trials; None if none are given.
        known: experiments, sweeps and folders with runs that the search learns from; None if there
            are none.
    """

    sweep: str
    config: GivenConfig
    engine: Literal["caduceus", "wandb"]
    lag: int
    seed: int
    sampler: str
    seeds: tuple[int, ...]
    default_seed: int
    file: str
    keys: tuple[str, ...]
    definition: SweepDefinition
    points: tuple[Mapping[str, Json], ...] | None = None
    known: tuple[str, ...] | None = None

    optional = ("points", "known")
    mend = "delete it, and the next `snakemake` writes it again; trials that have run stay"

    @property
    def is_chosen_by_server(self) -> bool:
        """Whether a W&B server chooses the trials."""
        return self.engine == "wandb"

    def trial_runs(self, number: int) -> list[str]:
        """Return the ids of a trial's runs, in seed order; the default seed has no suffix."""
        prefix = f"{self.sweep}-t{number:04d}"
        return [prefix if seed == self.default_seed else f"{prefix}-s{seed}" for seed in self.seeds]


@dataclass(frozen=True, kw_only=True)
class MissingMetric(Record):
    """work/unlogged.json: a run that has finished without the sweep's metric.

    Attributes:
        run: the run's id.
        logged: the names of what it logged.
    """

    run: str
    logged: tuple[str, ...]

    mend = "delete it; it is written again if another run lacks the sweep's metric"


@dataclass(frozen=True, kw_only=True)
class ServerSweep(Record):
    """An entry of work/server.json: a sweep as it was created on a W&B server.

    Attributes:
        server: the server's address.
        project: the project there, ENTITY/PROJECT.
        sweep: W&B's id of the sweep.
    """

    server: str
    project: str
    sweep: str

    mend = "restore it from a copy; without it the sweep is made on the server once more"
