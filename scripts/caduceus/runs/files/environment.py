"""The environment that an experiment names for its program, and what was found in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, cast

from caduceus.io.files import Json, digest_text
from caduceus.io.json_records import Record

Kind = Literal["uv", "python", "apptainer"]


@dataclass(frozen=True)
class EnvironmentSpec:
    """The key `environment` of an experiment.

    Attributes:
        kind: `uv` for a project of uv, `python` for an interpreter, `apptainer` for an image.
        path: its path, from the project's folder.
    """

    kind: Kind
    path: str

    @classmethod
    def from_json(cls, value: Mapping[str, Json] | None) -> Self | None:
        """Convert the value of the key, which its schema has checked; None if there is none."""
        if value is None:
            return None
        [(kind, path)] = value.items()
        return cls(cast(Kind, kind), str(path))

    def to_json(self) -> dict[str, Json]:
        """Convert to the value of the key."""
        return {self.kind: self.path}

    @property
    def name(self) -> str:
        """The name of its file below results/environments/, without the suffix."""
        return f"{self.kind}-{digest_text(self.path)[:8]}"


@dataclass(frozen=True, kw_only=True)
class ProgramEnvironment(Record):
    """The environment that an attempt ran in, of those that an experiment named.

    Attributes:
        kind: as the experiment has it.
        sha256: of uv.lock, of the image, or of the interpreter's version and its packages.
        python: the version of its Python.
        wandb: the version of its wandb.
    """

    kind: Kind
    sha256: str
    python: str
    wandb: str


@dataclass(frozen=True, kw_only=True)
class MadeEnvironment(Record):
    """The content of results/environments/NAME.json: an environment that was made or checked.

    Attributes:
        kind: as the experiment has it.
        path: likewise.
        sha256: of uv.lock, of the image, or of the interpreter's version and its packages.
        python: the version of its Python.
        wandb: the version of its wandb.
        interpreter: the path of its Python; of an image, the path inside.
        prefix: the folder that it is installed in.
        watched: the path whose time and size tell whether it is still the one that was checked:
            uv.lock, the image, or the folder of an interpreter's packages.
        mtime_ns: when that was last modified, in nanoseconds since 1970.
        size: of that, in bytes.
        packages: the version of each installed package, by name.
    """

    kind: Kind
    path: str
    sha256: str
    python: str
    wandb: str
    interpreter: str
    prefix: str
    watched: str
    mtime_ns: int
    size: int
    packages: Mapping[str, str]

    mend = "delete it, and the next `snakemake` that trains checks the environment again"

    @property
    def recorded(self) -> ProgramEnvironment:
        """The part that the record of an attempt has."""
        return ProgramEnvironment(
            kind=self.kind, sha256=self.sha256, python=self.python, wandb=self.wandb
        )
