"""upload.json: the receipt for the artifacts that a run has logged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from caduceus.io.json_records import Record


@dataclass(frozen=True)
class UploadedArtifact:
    """The type of an artifact, W&B's digest, and whether the run took it in or logged it."""

    type: str
    digest: str
    is_used: bool


@dataclass(frozen=True, kw_only=True)
class Upload(Record):
    """The content of upload.json: the run's id, and its artifacts by name."""

    run: str
    artifacts: Mapping[str, UploadedArtifact] = field(default_factory=dict)
