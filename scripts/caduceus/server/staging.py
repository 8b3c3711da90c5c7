"""Stage what the SDK needs beside a log that it uploads: media and the files of artifacts."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from caduceus.exports.history import read_segment
from caduceus.exports.run_artifacts import artifacts_of, moved_path, place
from caduceus.io.files import files_below, md5_base64
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.server.runs import ServerArtifact


def staged_log(folder: RunFolder) -> Path:
    """Create a staging folder for one upload, with files/ in it; return the path of its log."""
    staged = folder.delivery / f"offline-run-{folder.path.name}"
    shutil.rmtree(staged, ignore_errors=True)
    (staged / "files").mkdir(parents=True)
    return (staged / f"run-{folder.path.name}.wandb").absolute()


def stage_files(source: Path, target: Path) -> None:
    """Link or copy a segment's files into the staging folder."""
    for file in files_below(source):
        inside = target / file.relative_to(source)
        if inside.is_relative_to(target / "media"):
            place(file, inside)
        else:  # W&B rewrites some of these files, and must not change the originals
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, inside)


def logged_media(logs: Sequence[Path]) -> set[str]:
    """Return the names of the files of media beside these logs, as a server has them."""
    folders = [log.parent / "files" for log in logs]
    return {
        file.relative_to(folder).as_posix()
        for folder in folders
        for file in files_below(folder / "media")
    }


def file_finder(folder: RunFolder) -> Callable[[Path], Path]:
    """Return a function that finds a file of an artifact by the path under which it was logged.

    It finds the file even if the project's or the dataset's folder has been moved since.
    """
    name = Identity.read(folder.run_json).config.get("dataset")
    record = DatasetRecord.read_if_there(folder.results / f"datasets/{name}/dataset.json")

    def find(path: Path) -> Path:
        found = moved_path(path, [folder.path, folder.owner, folder.output])
        if found.exists() or record is None:
            return found
        inside = [name for name in record.files if path.as_posix().endswith(f"/{name}")]
        if not inside:
            return found
        base = Path(record.path)
        return base if base.is_file() else base / max(inside, key=len)

    return find


def held_artifacts(present: Sequence[ServerArtifact], logs: Sequence[Path]) -> set[tuple[str, str]]:
    """Return name and digest of the artifacts on the server that needn't be uploaded again.

    If the last version of a name isn't the one that is `latest` among the run's versions on the
    server, as the program has gone back to an earlier content, that version is uploaded again: the
    server then moves the aliases.

    Args:
        present: the run's artifacts on the server.
        logs: all logs of the run.
    """
    held = {(artifact.name, artifact.digest) for artifact in present}
    latest = {each.name: each.digest for each in present if "latest" in each.aliases}
    logged = artifacts_of([read_segment(log) for log in logs])
    last = {each.name: each.digest for each in logged if not each.is_used}
    moved = {
        (name, last[name]) for name in latest.keys() & last.keys() if latest[name] != last[name]
    }
    return held - moved


def changed_artifacts(
    log: Path, find: Callable[[Path], Path]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield name and digest of each artifact with a missing or changed file, and a message."""
    for artifact in read_segment(log).artifacts:
        for file in artifact.files.values():
            if file.path is None:
                continue
            path = find(file.path)
            if not path.is_file() or md5_base64(path) != file.digest:
                what = "has changed since it was logged" if path.exists() else "is missing"
                yield (
                    (artifact.name, artifact.digest),
                    f"artifact {artifact.name} can't be uploaded: {path} {what}",
                )
