"""params.json: the definition of a run, which is all that decides its result."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.io.json_records import Record

SEED = "seed"  # the name of the argument by default
ADOPTED_FILE = "adopted.yaml"  # in the project's folder


@dataclass(frozen=True, kw_only=True)
class Adopted(Record):
    """The declaration that an earlier run is the run of a definition: an entry of adopted.yaml.

    Attributes:
        run: the id that the definition has by itself.
        of: the earlier run, whose id and results it takes.
        by: who declared it.
        at: the date.
        why: the reason.
        program: the program that ran.
        code: the digest of the code that ran.
        parameters: the parameters that it ran with.
    """

    run: str
    of: str
    by: str
    at: str
    why: str
    program: str
    code: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Params(Record):
    """The content of params.json. A hash of it is part of the run's id.

    Attributes:
        code: the digest of the program's code, or `version X` where the experiment names one.
        command: the words of the command line, with W&B's macros.
        dataset: `name` and, where declared, `version` and `sha256`; None without a dataset.
        parameters: by name, without the seed; of a sweep's run with those that the sweep chose.
        program: the training program, relative to the project's folder.
        seed: the seed.
        seed_argument: the argument that passes the seed; None if none does. The file of a run whose
            seed goes by the name `seed` doesn't have the key, so that its id is that of before.
        adopted: of a run that an earlier one was declared to be, what really ran; it isn't hashed.
    """

    code: str
    command: tuple[Json, ...]
    dataset: Mapping[str, Json] | None
    parameters: Mapping[str, Json]
    program: str
    seed: int
    seed_argument: str | None = SEED
    adopted: Adopted | None = None

    optional = ("adopted",)
    mend = (
        "delete it, and the next `snakemake` writes it again; a run that has finished isn't "
        "trained again"
    )

    @property
    def seed_by_argument(self) -> dict[str, int] | None:
        """The seed by the name of its argument; None if no argument passes it."""
        return None if self.seed_argument is None else {self.seed_argument: self.seed}

    @property
    def ran_code(self) -> str:
        """The digest of the code that ran, or will."""
        return self.adopted.code if self.adopted else self.code

    def named_config(self, config: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return a run's configuration with the seed under the name of its argument.

        A `seed` that the program reports is then another one, such as that of its data.
        """
        if self.seed_argument in (None, SEED) or SEED not in config:
            return config
        return {self.seed_argument if name == SEED else name: config[name] for name in config}

    def to_json(self) -> dict[str, Json]:
        """Convert to the file's object."""
        found = super().to_json()
        if self.seed_argument == SEED:
            del found["seed_argument"]
        return found
