"""config.yaml with every default filled in; its schema describes each key."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.io.validation import Where, validate
from caduceus.io.yaml_files import Key, as_number, load
from caduceus.runs.wandb_paths import ProjectPath

_LOGGED_TYPES = ("model", "dataset", "results", "experiment-spec")


@dataclass(frozen=True, kw_only=True)
class WandbSettings(Record):
    """The key `wandb`: where runs are tracked."""

    mode: str
    patience_s: float
    scratch: str | None
    project: str
    entity: str | None
    groups: Mapping[str, str]
    artifact_types: Mapping[str, str]

    @property
    def known_artifact_types(self) -> tuple[str, ...]:
        """The declared types of artifacts, and those that runs always log."""
        return tuple(dict.fromkeys([*self.artifact_types, *_LOGGED_TYPES]))

    @property
    def path(self) -> ProjectPath:
        """The W&B project of the runs."""
        return ProjectPath(self.entity or "", self.project)


@dataclass(frozen=True, kw_only=True)
class ExportedProject(Record):
    """A W&B project to export whole, ENTITY/PROJECT, or some of its groups."""

    project: str
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExportSettings(Record):
    """The key `export`: where what runs logged is read from."""

    source: str
    projects: tuple[ExportedProject, ...]

    @property
    def is_remote(self) -> bool:
        """Whether the runs are remote: they run elsewhere and are read from the W&B server."""
        return self.source == "api"


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings(Record):
    """The key `archive`: what `snakemake archive` puts into its zip."""

    name: str | None
    include: tuple[str, ...]
    max_file_mb: float
    anonymous: bool


@dataclass(frozen=True, kw_only=True)
class NotifySettings(Record):
    """The key `notify`: whom the last job tells how a build ended.

    Attributes:
        webhook: the environment variable that holds the address; None for no webhook.
        command: the words of a command that gets the message on its standard input.
        events: what is told.
    """

    webhook: str | None = None
    command: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def argument(self) -> str:
        """The settings as one word of a command line; empty if nobody is told."""
        return json.dumps(self.to_json()) if self.webhook or self.command else ""


@dataclass(frozen=True, kw_only=True)
class Settings(Record):
    """The whole configuration; `paper` is the mapping, the path of a file that holds it or `none`.

    `defaults` has the parameters that every experiment starts from, and `seed`.
    """

    experiments: tuple[str, ...]
    wandb: WandbSettings
    export: ExportSettings
    defaults: Mapping[str, Json]
    retries: int
    custom_rules: tuple[str, ...]
    paper: Mapping[str, Json] | str
    claims: str
    secrets: str
    csv_formulas: str
    notify: NotifySettings
    archive: ArchiveSettings

    @property
    def paper_file(self) -> str | None:
        """The path of the file that holds the paper; None if config.yaml does, or there is none."""
        return self.paper if isinstance(self.paper, str) and self.paper != "none" else None

    @property
    def archive_name(self) -> str:
        """The archive's name: the given one, or that of the W&B project as the name of a file."""
        words = re.sub("[^A-Za-z0-9_.-]+", "-", self.wandb.project).strip(".-")
        return self.archive.name or words or "archive"


def parse_settings(config: Json, where: Where) -> Settings:
    """Check a configuration and fill in the defaults.

    Args:
        config: what config.yaml holds, with what the command line put over it.
        where: finds the file and line of a key, for messages.

    Raises:
        SpecError: the first thing that is wrong in it.
    """
    filled = validate(as_number(config), "config", where)
    if isinstance(filled["experiments"], str):
        filled["experiments"] = [filled["experiments"]]
    return Settings.from_json(filled)


def load_settings(path: Path) -> Settings:
    """Read a config.yaml alone.

    Raises:
        SpecError: the first thing that is wrong in it.
    """
    return parse_settings(load(path).value, key_finder([str(path)]))


def key_finder(config_files: Sequence[str]) -> Where:
    """Return a function that finds the file and line of a key of the configuration."""
    files = [load(Path(path), path) for path in config_files if Path(path).suffix != ".json"]

    def where(keys: Sequence[Key]) -> str:
        for file in reversed(files):
            if not keys or file.find(keys) is not None:
                return file.where(keys)
        # No file has the key: it is missing from a mapping, or came by --config.
        return files[-1].where(keys) if files else "config"

    return where
