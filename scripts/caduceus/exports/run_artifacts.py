"""The files of a run's export: its media, and the files of the artifacts that it logged."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from caduceus.io.copies import copy_file
from caduceus.io.files import is_file, md5_base64
from caduceus.io.names import is_safe_name, is_safe_path, quoted
from caduceus.runs.files.export import ArtifactFile, ExportedArtifact
from caduceus.wandb_log import Artifact, Segment
from caduceus.wandb_log.segments import TABLE_TYPES, WANDBS_OWN_TYPES
from caduceus.wandb_log.segments import ArtifactFile as LoggedFile


def export_media(segments: Sequence[Segment], folder: Path) -> Iterator[str]:
    """Place the media of a run's logs in `folder`, which is emptied first.

    Yields:
        A message for each link that isn't followed: it leads out of the run's files, or nowhere.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for segment in segments:
        media, root = segment.files / "media", segment.path.parent.resolve()
        if not media.resolve().is_relative_to(root):
            yield f"media: {media} leads out of the run's files"
            continue
        for path in _media(media):
            name = path.relative_to(media)
            if path.is_file() and path.resolve().is_relative_to(root):
                place(path, folder / name)
            else:
                yield f"media: {quoted(name.as_posix())} isn't a file of the run"


def _media(folder: Path, is_linked: bool = False) -> Iterator[Path]:
    """Yield the files below a folder, in order, and the links that lead to no file of the run.

    A linked folder is followed once: links inside it could lead around in circles.
    """
    for base, folders, names in os.walk(folder):
        folders.sort()
        links = [path for name in folders if (path := Path(base, name)).is_symlink()]
        for link in links:
            is_near = link.resolve().is_relative_to(folder.parents[1].resolve())
            yield from [link] if is_linked or not is_near else _media(link, is_linked=True)
        yield from (Path(base, name) for name in sorted(names))


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
            if file.path is None or not (is_safe_name(artifact.name) and is_safe_path(name)):
                continue
            wrong = place_logged(file, folder / artifact.name / name, bases)
            if wrong:
                yield f"artifact {artifact.name}, file {name}: {wrong}"


def place_logged(file: LoggedFile, target: Path, bases: Sequence[Path]) -> str | None:
    """Place a file of an artifact at `target`; return what is wrong with it, None if nothing is."""
    source, wrong = find_logged(file, bases)
    if wrong:
        return wrong
    try:
        place(source, target, _is_copy(source, bases))
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return "another file has the name of its folder, or it theirs"
    return None


def find_logged(file: LoggedFile, bases: Sequence[Path]) -> tuple[Path, str | None]:
    """Return where a file of an artifact is now, and what is wrong with it; None if nothing is."""
    assert file.path is not None
    source = moved_path(file.path, bases)
    if not is_file(source):
        return source, f"{source} is missing"
    return source, None if md5_base64(source) == file.digest else f"{source} isn't what was logged"


def refused_names(segments: Sequence[Segment]) -> Iterator[str]:
    """Yield a message for each name in the logged artifacts that can't be a file's or folder's."""
    tables = [a for segment in segments for a in segment.artifacts if a.type in TABLE_TYPES]
    for artifact in [*artifacts_of(segments), *tables]:
        if artifact.is_used:
            continue
        if artifact.type not in TABLE_TYPES and not is_safe_name(artifact.name):
            yield f"artifact {quoted(artifact.name)}: its name can't be a folder's"
            continue
        for name, file in artifact.files.items():
            if file.path is not None and not is_safe_path(name):
                kind = "table" if artifact.type in TABLE_TYPES else "artifact"
                yield f"{kind} {artifact.name}: the name {quoted(name)} can't be a file's"


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
            if is_file(moved):
                return moved
    return path


def place(source: Path, target: Path, is_final: bool = True) -> None:
    """Copy a file, or what a link leads to.

    Args:
        source: the file.
        target: its new place.
        is_final: whether no program writes to the file any more, as it is W&B's own copy. It is
            then linked, to save space; any other file would change the export with it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if is_final and not source.is_symlink():
        try:
            os.link(source, target)
        except OSError:  # the file system has no hard links, or another one holds the file
            pass
        else:
            return
    copy_file(source, target)


def _is_copy(path: Path, bases: Sequence[Path]) -> bool:
    """Whether a file of an artifact is the copy that W&B staged, or a download from the server."""
    downloads = [base / name for base in bases for name in ("artifacts", "server/artifacts")]
    return path.parent.parts[-2:] == ("artifacts", "staging") or path.parent in downloads
