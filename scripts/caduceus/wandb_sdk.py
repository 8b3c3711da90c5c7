"""The one door to the wandb SDK."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import wandb
from wandb.sdk.artifacts.artifact_manifest_entry import ArtifactManifestEntry

Run = wandb.Run

# A dataset above this travels as references to its files, each with its digest, not as copies.
_COPIED_DATASET_BYTES = 100_000_000


def start_run(**settings: Any) -> Run:
    """Start the run that the environment describes."""
    return wandb.init(settings=wandb.Settings(**settings)) if settings else wandb.init()


def set_summary(run: Run, values: Mapping[str, Any]) -> None:
    """Set values of the run's summary."""
    run.summary.update(dict(values))


def finish_run(run: Run) -> None:
    """End the run, and return once its log is whole: `finish` alone returns a moment earlier."""
    run.finish()
    wandb.teardown()


def image(pixels: Any) -> wandb.Image:
    """A picture to log, from a PIL image, an array or a matplotlib figure."""
    return wandb.Image(pixels)


def confusion_matrix(
    labels: Iterable[int], predictions: Iterable[int], class_names: list[str], title: str
) -> Any:
    """W&B's confusion matrix chart."""
    return wandb.plot.confusion_matrix(
        y_true=list(labels), preds=list(predictions), class_names=class_names, title=title
    )


def log_files(
    run: Run,
    name: str,
    type: str,
    files: Mapping[str, Path],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Log an artifact made of `files`, by their names inside it."""
    artifact = wandb.Artifact(name, type=type, metadata=dict(metadata or {}))
    for inside, path in files.items():
        artifact.add_file(str(path), name=inside)
    run.log_artifact(artifact)


def use_dataset(run: Run, record: Mapping[str, Any], base: Path) -> None:
    """Note that `run` uses a dataset, so that W&B draws the line from one to the other.

    Args:
        run: the run.
        record: as `datasets.make_dataset` returns it; its digests are taken as they are, so that a
            large dataset isn't read again for every run.
        base: the dataset's file or folder.
    """
    known = {key: record[key] for key in ("sha256", "version", "bytes")}
    artifact = wandb.Artifact(f"dataset-{record['name']}", type="dataset", metadata=known)
    base = base.absolute()
    copied = record["bytes"] <= _COPIED_DATASET_BYTES
    for name, file in record["files"].items():
        path = base if base.is_file() else base / name
        artifact.manifest.add_entry(
            ArtifactManifestEntry(
                path=name,
                digest=file["md5"],
                size=file["bytes"],
                local_path=str(path) if copied else None,
                ref=None if copied else path.as_uri(),
            )
        )
    # `use_artifact` refuses to work offline; this is what it does online with a new artifact, and
    # a sync marks the dataset as used once it has arrived.
    run._log_artifact(artifact, aliases=["latest"], is_user_created=True, use_after_commit=True)
