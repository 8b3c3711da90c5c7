"""results/experiments/ID.json: an experiment with every default filled in, and its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.runs.files.params import Params
from caduceus.runs.metric import Metric

_DEFINITION = ("program", "command", "parameters", "dataset", "code", "seed", "seed_argument")


@dataclass(frozen=True, kw_only=True)
class Dataset(Record):
    """The data that runs use, as an experiment declares them.

    Attributes:
        name: short name, at most 48 characters.
        path: the file or folder that holds the data; None if a program writes them.
        program: the program that writes them; None if they exist.
        sha256: their digest.
        version: a version that the user raises.
    """

    name: str
    path: str | None = None
    program: str | None = None
    sha256: str | None = None
    version: str | int | None = None

    optional = ("path", "program", "sha256", "version")

    @property
    def identity(self) -> dict[str, Json]:
        """The part that decides the results of runs: name, version and sha256, if declared."""
        declared = {"name": self.name, "version": self.version, "sha256": self.sha256}
        return {key: value for key, value in declared.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Resources(Record):
    """The resources of one run.

    Attributes:
        threads: processor threads.
        mem_mb: memory in MB, for cluster schedulers.
        gpus: number of GPUs, or a share of one, between 0 and 1.
        runtime: minutes after which the run is ended as failed; 0 for no limit.
    """

    threads: int
    mem_mb: int
    gpus: float
    runtime: int

    @property
    def gpu_share(self) -> float | None:
        """Its share of one GPU; None if it has whole GPUs, or none."""
        return self.gpus if 0 < self.gpus < 1 else None

    def whole_gpus(self, for_share: int) -> int:
        """Return the number of GPUs that Snakemake and schedulers count.

        Args:
            for_share: what a share counts as: 1 where each run is a job of its own on a cluster,
                which gets whole GPUs; else 0, and the locks of the GPUs decide.
        """
        return for_share if self.gpu_share else int(self.gpus)

    @property
    def scheduler_minutes(self) -> int | None:
        """The scheduler's time limit: later, so that the run is first ended as failed."""
        return self.runtime + 10 if self.runtime else None


@dataclass(frozen=True, kw_only=True)
class SweepSpec(Record):
    """The key `sweep` of an experiment.

    Attributes:
        config: W&B's sweep configuration, or the path of a file that holds it.
        engine: what chooses the trials: `caduceus`, or `wandb`, the W&B server.
        count: how many trials there are; None for the whole grid or the sweep's run_cap.
        lag: a trial is chosen by the results of those at least so many before it.
        seed: of what is chosen at random.
        sampler: what chooses in method bayes: `gp` or `tpe`.
        confirm: how many of the best configurations are run again.
        points: configurations of the first trials.
        known: experiments, sweeps and folders whose runs the search learns from.
    """

    config: Mapping[str, Json] | str
    engine: Literal["caduceus", "wandb"]
    count: int | None
    lag: int
    seed: int
    sampler: str
    confirm: int
    points: tuple[Mapping[str, Json], ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spec(Record):
    """An experiment file with every default filled in; its schema describes each key.

    `lists_seeds` says whether the file has the key `seeds`; else `seeds` has the default one.
    """

    id: str
    name: str
    type: str
    group: str
    hypothesis: str
    baseline: Mapping[str, Json] | None
    dataset: Dataset | None
    description: str
    tags: tuple[str, ...]
    program: str
    command: tuple[Json, ...]
    parameters: Mapping[str, Json]
    matrix: Mapping[str, tuple[Json, ...]]
    variants: Mapping[str, Mapping[str, Json]]
    exclude: tuple[Mapping[str, Json], ...]
    sweep: SweepSpec | None
    seeds: tuple[int, ...]
    metric: Metric | None
    resources: Resources
    code: tuple[str, ...] | str | int | None
    keep_checkpoints: bool
    seed_argument: str | None = "seed"
    lists_seeds: bool = True
    methods: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    zip: tuple[Mapping[str, tuple[Json, ...]], ...] = ()
    include: tuple[Mapping[str, Json], ...] = ()
    absent: Mapping[str, Json] = field(default_factory=dict)

    @property
    def lists(self) -> dict[str, tuple[Json, ...]]:
        """The values of the parameters that `matrix` and `zip` list, by name."""
        return {name: of for lists in (self.matrix, *self.zip) for name, of in lists.items()}


@dataclass(frozen=True)
class Run:
    """One variant with one seed.

    Attributes:
        id: the run's id.
        name: what W&B shows: experiment, variant, seed.
        variant: the variant's name.
        seed: its seed.
        definition: all that decides its result; of a sweep's run without the parameters that the
            sweep chooses.
        trial: the trial that chooses these; None without a sweep.
    """

    id: str
    name: str
    variant: str
    seed: int
    definition: Params
    trial: str | None

    @property
    def kind(self) -> str:
        """`trial` of a sweep's run, else `planned`."""
        return "planned" if self.trial is None else "trial"


@dataclass(frozen=True)
class Plan(Record):
    """An experiment and its runs.

    Attributes:
        spec: the experiment.
        file: the path of its file.
        runs: in the order of the file.
    """

    spec: Spec
    file: str
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> Sequence[int]:
        """The seeds of its runs; a sweep may draw one for each trial."""
        return sorted({run.seed for run in self.runs}) if self.spec.sweep else self.spec.seeds

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Convert the file's object, which has the runs by their ids.

        Raises:
            ValueError: a key is missing or has another type of value.
        """
        if isinstance(value, dict) and isinstance(value.get("runs"), dict):
            runs = value["runs"].items()
            listed = [{"id": run, **of} if isinstance(of, dict) else of for run, of in runs]
            value = {**value, "runs": listed}
        return super().from_json(value)

    def to_json(self) -> dict[str, Json]:
        """Convert to the file's object."""
        runs = dict(map(_entry, self.runs))
        return {"spec": self.spec.to_json(), "file": self.file, "runs": runs}


def _entry(run: Run) -> tuple[str, dict[str, Json]]:
    definition = run.definition.to_json()
    return run.id, {
        "name": run.name,
        "variant": run.variant,
        "seed": run.seed,
        "definition": {key: definition[key] for key in _DEFINITION if key in definition},
        "trial": run.trial,
    }
