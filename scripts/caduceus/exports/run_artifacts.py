"""The files of a run's export: its media, and the files of the artifacts that it logged."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from caduceus.io.files import files_below, md5_base64
from caduceus.runs.files.export import ArtifactFile, ExportedArtifact
from caduceus.wandb_log import Artifact, Segment
from caduceus.wandb_log.segments import WANDBS_OWN_TYPES


def export_media(segments: Sequence[Segment], folder: Path) -> None:
    """Place the media of a run's logs in `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for segment in segments:
        media = segment.files / "media"
        if media.is_dir():
            for path in files_below(media):
                place(path, folder / path.relative_to(media))


def artifacts_of(segments: Sequence[Segment]) -> list[Artifact]:
    """Return each version of an artifact that was logged or taken in, without W&B's own.

    They are sorted by name, and the versions of a name in the order in which each was last logged:
    an artifact whose content goes back to an earlier one is the last version again. An alias is
    the version's that was given it last, as on a server.
    """
    found: dict[tuple[str, str], Artifact] = {}
    holders: dict[tuple[str, str], str] = {}  # the digest of the version, by name and alias
    for artifact in (artifact for segment in segments for artifact in segment.artifacts):
        if artifact.type in WANDBS_OWN_TYPES:
            continue
        found.pop((artifact.name, artifact.digest), None)
        found[artifact.name, artifact.digest] = artifact
        if not artifact.is_used:
            holders |= {(artifact.name, alias): artifact.digest for alias in artifact.aliases}
    given: dict[tuple[str, str], list[str]] = {}
    for (name, alias), digest in holders.items():
        given.setdefault((name, digest), []).append(alias)
    versions = (
        each
        if each.is_used
        else replace(each, aliases=tuple(given.get((each.name, each.digest), ())))
        for each in found.values()
    )
    return sorted(versions, key=lambda artifact: artifact.name)


def export_artifacts(
    artifacts: Sequence[Artifact], folder: Path, bases: Sequence[Path]
) -> Iterator[str]:
    """Place the files of every logged artifact in `folder`/NAME, and yield what is wrong with one.

    The digest of each file is checked. If an artifact was logged several times, its last version is
    exported.

    Args:
        artifacts: what the run logged and took in; only artifacts that it logged have files here.
        folder: takes the files; emptied first.
        bases: folders that may have moved, with their content, since the files were logged.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    last = {artifact.name: artifact for artifact in artifacts if not artifact.is_used}
    for artifact in last.values():
        for name, file in artifact.files.items():
            if file.path is None:
                continue
            target = folder / artifact.name / name
            source = moved_path(file.path, bases)
            where = f"artifact {artifact.name}, file {name}"
            if not target.resolve().is_relative_to(folder.resolve()):
                yield f"{where}: its name leads out of the folder"
            elif not source.is_file():
                yield f"{where}: {source} is missing"
            elif md5_base64(source) != file.digest:
                yield f"{where}: {source} isn't what was logged"
            else:
                place(source, target)


def describe_artifact(artifact: Artifact) -> ExportedArtifact:
    """Describe an artifact as run_summary.json holds it."""
    return ExportedArtifact(
        name=artifact.name,
        type=artifact.type,
        digest=artifact.digest,
        aliases=tuple(sorted(artifact.aliases)),  # wandb writes them in random order
        metadata=artifact.metadata,
        files={
            name: ArtifactFile(bytes=file.bytes, md5=file.digest, ref=file.ref or None)
            for name, file in artifact.files.items()
        },
        description=artifact.description or None,
    )


def moved_path(path: Path, bases: Sequence[Path]) -> Path:
    """Return where a logged file is now: in one of `bases`, which may have moved, or at `path`."""
    parts = path.parts
    for base in bases:
        name = base.absolute().name
        if name in parts:
            inside = parts[len(parts) - parts[::-1].index(name) :]
            moved = base.joinpath(*inside)
            if moved.exists():
                return moved
    return path


def place(source: Path, target: Path) -> None:
    """Link `source` at `target`, or copy it where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
