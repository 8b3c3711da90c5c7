"""upload.json: the receipt for the artifacts that a run has logged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from caduceus.io.files import FileDigest
from caduceus.io.json_records import Record


@dataclass(frozen=True)
class UploadedArtifact:
    """The type of an artifact, W&B's digest, and whether the run took it in or logged it."""

    type: str
    digest: str
    is_used: bool


@dataclass(frozen=True, kw_only=True)
class Upload(Record):
    """The content of upload.json.

    Attributes:
        run: the run's id.
        artifacts: by name.
        logs: the logs of what `upload_artifacts` has logged, as of an attempt.
    """

    run: str
    artifacts: Mapping[str, UploadedArtifact] = field(default_factory=dict)
    logs: Mapping[str, FileDigest] | None = None

    optional = ("logs",)
