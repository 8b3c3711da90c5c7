"""Datasets: made once or found, digested, and checked before training.

The sha256 of a file is that of its bytes; the sha256 of a folder is that of the lines
`SHA256  PATH` of its files in the order of their paths; experiments/README.md has a command for it.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.errors import DatasetError, ProgramError
from caduceus.io.files import digest_text, files_below, md5_base64, sha256
from caduceus.system import processes

Spec = Mapping[str, Any]  # the `dataset` section of an experiment


def make_dataset(spec: Spec, folder: Path) -> dict[str, Any]:
    """Make the dataset if a program of the user's does, and describe it.

    Args:
        spec: name; path or program; sha256 or version or both.
        folder: where the program's data go, as `folder`/data.

    Returns:
        The dataset's record: `name`, `version`, `path` (from the folder we work in), `sha256`,
        `bytes`, and `files`, by path: `bytes`, `sha256`, `md5` (base64, W&B's digest), `mtime_ns`.

    Raises:
        DatasetError: the data are missing or not the declared ones.
        ProgramError: the user's program failed.
    """
    if "program" in spec:
        path = folder / "data"
        _run_program(spec, path)
    else:
        path = Path(spec["path"])
    record = _describe(spec, path)
    declared = spec.get("sha256")
    if declared and declared != record["sha256"]:
        raise DatasetError(
            f"sha256 of {path} is {record['sha256']}, but the experiment declares {declared}; "
            "restore the data or declare what they are now",
            f"dataset {spec['name']}",
        )
    return record


def check_dataset(record: Mapping[str, Any]) -> None:
    """Refuse data that aren't what `record` describes.

    Files whose size and time are as recorded count as unchanged; others are read.

    Raises:
        DatasetError: a file is missing, new or different.
    """
    path = Path(record["path"])
    where = f"dataset {record['name']}"
    mend = "restore it, or declare the change in the experiment by a new sha256 or version"
    files = _files(path)
    if set(files) != set(record["files"]):
        odd = sorted(set(files) ^ set(record["files"]))[0]
        raise DatasetError(
            f"{path / odd} came or went since the data were described; {mend}", where
        )
    for name, known in record["files"].items():
        status = files[name].stat()
        if (status.st_size, status.st_mtime_ns) == (known["bytes"], known["mtime_ns"]):
            continue
        if status.st_size != known["bytes"] or sha256(files[name]) != known["sha256"]:
            raise DatasetError(
                f"{files[name]} changed since the data were described; {mend}", where
            )


def _run_program(spec: Spec, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    console = part.with_name("console.log")
    with console.open("wb") as stream:
        words = [sys.executable, spec["program"], str(part)]
        outcome = processes.run(words, Path(), os.environ, stream)
    if outcome.exit_code != 0:
        lines = console.read_text(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "it printed nothing"
        raise ProgramError(f"failed: {reason}; see {console}", spec["program"])
    console.unlink()
    if not files_below(part):
        raise ProgramError("wrote no file into the folder it was given", spec["program"])
    shutil.rmtree(path, ignore_errors=True)
    part.rename(path)


def _files(path: Path) -> dict[str, Path]:
    """The files of a dataset by name: paths below a folder, or the file's own name."""
    if path.is_file():
        return {path.name: path}
    return {file.relative_to(path).as_posix(): file for file in files_below(path)}


def _describe(spec: Spec, path: Path) -> dict[str, Any]:
    files = _files(path)
    if not files:
        raise DatasetError(
            f"{path} doesn't exist or is empty; correct `path` in the experiment or put the data "
            "there",
            f"dataset {spec['name']}",
        )
    described = {}
    for name, file in files.items():
        status = file.stat()
        described[name] = {
            "bytes": status.st_size,
            "sha256": sha256(file),
            "md5": md5_base64(file),
            "mtime_ns": status.st_mtime_ns,
        }
    lines = "".join(f"{known['sha256']}  {name}\n" for name, known in described.items())
    return {
        "name": spec["name"],
        "version": spec.get("version"),
        "path": path.as_posix(),
        "sha256": described[path.name]["sha256"] if path.is_file() else digest_text(lines),
        "bytes": sum(known["bytes"] for known in described.values()),
        "files": described,
    }
