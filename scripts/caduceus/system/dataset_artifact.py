"""The artifact by which W&B's lineage graph connects a run with the dataset that it used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.wandb_log.artifact_log import manifest_digest
from caduceus.wandb_log.segments import Artifact, ArtifactFile

# The files of a larger dataset are logged as references with their digests, not as copies.
_COPIED_BYTES = 100_000_000


def dataset_artifact(record: Mapping[str, Any], base: Path) -> Artifact:
    """Return the artifact of a dataset, as an input of a run.

    Args:
        record: the content of dataset.json; its digests are used, so that a large dataset isn't
            read again for every run.
        base: the dataset's file or folder.
    """
    base = base.absolute()
    is_copied = record["bytes"] <= _COPIED_BYTES
    files = {}
    for name, file in record["files"].items():
        path = base if base.is_file() else base / name
        files[name] = ArtifactFile(
            digest=file["md5"],
            bytes=file["bytes"],
            path=path if is_copied else None,
            ref="" if is_copied else path.as_uri(),
        )
    return Artifact(
        name=f"dataset-{record['name']}",
        type="dataset",
        digest=manifest_digest(files),
        aliases=("latest",),
        metadata={key: record[key] for key in ("sha256", "version", "bytes")},
        is_used=True,
        files=files,
    )
