"""What the SDK needs beside a log that it sends: media and the files of artifacts."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from caduceus.exports.history import read_segment
from caduceus.exports.run import moved_path, place
from caduceus.io.files import files_below, md5_base64, read_json
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder


def staged_log(folder: RunFolder) -> Path:
    """Where the SDK will find the log that is to be sent, with a folder for files beside it."""
    staged = folder.delivery / f"offline-run-{folder.path.name}"
    shutil.rmtree(staged, ignore_errors=True)
    (staged / "files").mkdir(parents=True)
    return (staged / f"run-{folder.path.name}.wandb").absolute()


def stage_files(source: Path, target: Path) -> None:
    """Put a segment's files where the SDK finds them."""
    for file in files_below(source):
        inside = target / file.relative_to(source)
        if inside.is_relative_to(target / "media"):
            place(file, inside)
        else:  # W&B writes some of these anew, which must not reach the original
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, inside)


def finder(folder: RunFolder) -> Callable[[Path], Path]:
    """Finds a file of an artifact by where it lay when it was logged, also if all has moved."""
    name = Identity.read(folder.run_json).config.get("dataset")
    record_json = folder.results / f"datasets/{name}/dataset.json"
    record: dict[str, Any] = {"path": "", "files": {}}
    if record_json.exists():
        record = read_json(record_json)
    base = Path(record["path"])

    def find(path: Path) -> Path:
        found = moved_path(path, [folder.path, folder.owner, folder.output])
        if found.exists():
            return found
        inside = [name for name in record["files"] if path.as_posix().endswith(f"/{name}")]
        if not inside:
            return found
        return base if base.is_file() else base / max(inside, key=len)

    return find


def lost_files(log: Path, find: Callable[[Path], Path]) -> Iterator[tuple[tuple[str, str], str]]:
    """Name and digest of each artifact with a file that isn't what was logged, and which."""
    for artifact in read_segment(log).artifacts:
        for file in artifact.files.values():
            if file.path is None:
                continue
            path = find(file.path)
            if not path.is_file() or md5_base64(path) != file.digest:
                what = "isn't what was logged any more" if path.exists() else "is missing"
                yield (
                    (artifact.name, artifact.digest),
                    f"artifact {artifact.name} can't be sent: {path} {what}",
                )
