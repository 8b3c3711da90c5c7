"""Stage what the SDK needs beside a log that it uploads: media and the files of artifacts."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from caduceus.exports.history import read_segment
from caduceus.exports.run_artifacts import artifacts_of, moved_path, place
from caduceus.exports.run_files import saved_files
from caduceus.io.files import files_below, md5_base64
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.server.artifacts import ServerArtifact
from caduceus.wandb_log import Segment
from caduceus.wandb_log.segments import is_programs_file


def staged_log(folder: RunFolder) -> Path:
    """Create a staging folder for one upload, with files/ in it; return the path of its log."""
    staged = folder.delivery / f"offline-run-{folder.path.name}"
    shutil.rmtree(staged, ignore_errors=True)
    (staged / "files").mkdir(parents=True)
    return (staged / f"run-{folder.path.name}.wandb").absolute()


def stage_files(folder: RunFolder, logs: Sequence[Path], target: Path) -> list[str]:
    """Link or copy the files of a run's segments into a staging folder.

    Returns:
        The names of those that the program saved.
    """
    for log in logs:
        source = log.parent / "files"
        for file in files_below(source):
            name = file.relative_to(source)
            if name.parts[0] == "media":
                place(file, target / name)
            elif not is_programs_file(name.as_posix()):  # W&B rewrites some of these files
                place(file, target / name, is_final=False)
    saved = _saved_with(folder, logs)
    sources = {name: source for name, source in saved.items() if source is not None}
    for saved_as, path in sources.items():
        place(path, target / saved_as, is_final=False)
    return list(sources)


def logged_files(folder: RunFolder, logs: Sequence[Path]) -> set[str]:
    """Return the names of the media and saved files of these logs, as a server has them."""
    media = {
        file.relative_to(log.parent / "files").as_posix()
        for log in logs
        for file in files_below(log.parent / "files/media")
    }
    saved = _saved_with(folder, logs)
    return media | {name for name, source in saved.items() if source is not None}


def _saved_with(folder: RunFolder, logs: Sequence[Path]) -> dict[str, Path | None]:
    return saved_files(list(map(Segment, logs)), [folder.path, folder.owner, folder.output])


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
