"""What the server holds: projects, runs, artifacts. Their attributes are fields of the schema."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sweeps import Sweep

MANIFEST = "wandb_manifest.json"


def md5(content: bytes) -> str:
    """In base 64, as W&B writes it."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@dataclass(kw_only=True, eq=False)
class Node:
    number: int
    created_at: str
    updated_at: str
    heartbeat_at: str

    @property
    def id(self) -> str:
        return f"{type(self).__name__}-{self.number}"


@dataclass(kw_only=True, eq=False)
class Holder(Node):
    """What files belong to, and the md5 that each was declared to have."""

    files: dict[str, bytes] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class Project(Node):
    entity: str
    name: str
    description: str | None = None
    is_benchmark: bool = False
    runs: dict[str, "Run"] = field(default_factory=dict)
    collections: dict[str, "Collection"] = field(default_factory=dict)
    sweeps: dict[str, "Sweep"] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class Run(Holder):
    """Lines, config and summary are kept as they were sent."""

    project: Project
    name: str
    display_name: str
    state: str = "running"
    exit_code: int | None = None
    group: str | None = None
    job_type: str | None = None
    sweep_name: str | None = None
    description: str | None = None
    notes: str | None = None
    host: str | None = None
    commit: str | None = None
    github: str | None = None
    tags: list[str] = field(default_factory=list)
    config_text: str = "{}"
    summary_text: str = "{}"
    history_lines: list[str] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    event_lines: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    logged: list["Artifact"] = field(default_factory=list)
    used: list["Artifact"] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.project.entity}/{self.project.name}/{self.name}"

    @property
    def history(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.history_lines]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.event_lines]

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.summary_text)

    @property
    def config(self) -> dict[str, Any]:
        """The values, out of the `{"value": ...}` in which they are sent."""
        return {key: entry["value"] for key, entry in json.loads(self.config_text).items()}

    @property
    def metadata(self) -> dict[str, Any] | None:
        return json.loads(self.files.get("wandb-metadata.json", b"null"))

    @property
    def artifacts(self) -> dict[str, "Artifact"]:
        """What it logged, by name and version."""
        return {artifact.path: artifact for artifact in self.logged if artifact.is_committed}


@dataclass(kw_only=True, eq=False)
class Collection(Node):
    """A name, its versions and its aliases: an alias is one version's at a time."""

    project: Project
    name: str
    type: str
    versions: list["Artifact"] = field(default_factory=list)
    aliases: dict[str, "Artifact"] = field(default_factory=dict)

    @property
    def committed(self) -> list["Artifact"]:
        return [artifact for artifact in self.versions if artifact.is_committed]

    def find(self, alias: str) -> "Artifact | None":
        versions = {f"v{artifact.version_index}": artifact for artifact in self.committed}
        return (versions | self.aliases).get(alias)


class Manifest(Holder):
    """What an artifact consists of."""


@dataclass(kw_only=True, eq=False)
class Artifact(Holder):
    """A version, pending until it is committed and has its index."""

    collection: Collection
    current_manifest: Manifest
    digest: str
    created_by: Run | None
    client_id: str | None = None
    description: str | None = None
    metadata: str | None = None
    history_step: int | None = None
    wanted_aliases: list[str] = field(default_factory=list)
    version_index: int | None = None

    @property
    def is_committed(self) -> bool:
        return self.version_index is not None

    @property
    def path(self) -> str:
        return f"{self.collection.name}:v{self.version_index}"

    @property
    def type(self) -> str:
        return self.collection.type

    @property
    def state(self) -> str:
        return "COMMITTED" if self.is_committed else "PENDING"

    @property
    def size(self) -> int:
        return sum(entry.get("size", 0) for entry in self.entries.values())

    @property
    def aliases(self) -> list[str]:
        return [alias for alias, held in self.collection.aliases.items() if held is self]

    @property
    def entries(self) -> dict[str, Any]:
        return json.loads(self.current_manifest.files.get(MANIFEST, b"{}")).get("contents", {})

    def commit(self) -> Iterator[str]:
        """Make it a version, and yield what is wrong with it."""
        if not self.is_committed:
            self.version_index = len(self.collection.committed)
        self.collection.aliases |= dict.fromkeys(self.wanted_aliases, self)
        if MANIFEST not in self.current_manifest.files:
            yield "it was committed without a manifest"
        lines = [f"{path}:{entry['digest']}" for path, entry in sorted(self.entries.items())]
        listing = "\n".join(["wandb-artifact-manifest-v1", *lines, ""])
        if hashlib.md5(listing.encode()).hexdigest() != self.digest:
            yield "the digest isn't that of the manifest's entries"
        for path, entry in self.entries.items():
            if "ref" not in entry and path not in self.files:
                yield f"it was committed without {path}"
            elif "ref" not in entry and md5(self.files[path]) != entry["digest"]:
                yield f"the manifest has another digest of {path}"
