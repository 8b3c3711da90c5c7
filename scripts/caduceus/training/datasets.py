"""Datasets: written once by a program or found, digested, and checked before training.

The sha256 of a file is that of its bytes; the sha256 of a folder is that of the lines
`SHA256  PATH` of its files in the order of their paths; experiments/README.md has a command for it.
"""

import os
import shutil
import sys
from pathlib import Path

from caduceus.errors import DatasetError, ProgramError
from caduceus.io.files import digest_text, files_below, md5_base64, sha256
from caduceus.runs.files.dataset import DatasetFile, DatasetRecord
from caduceus.runs.files.plan import Dataset
from caduceus.system import processes


def make_dataset(dataset: Dataset, folder: Path) -> DatasetRecord:
    """Run the program that writes the dataset, if it has one, and describe the data.

    Args:
        dataset: the dataset as the experiment declares it.
        folder: takes the data that a program writes, as `folder`/data.

    Raises:
        DatasetError: the data are missing or not the declared ones.
        ProgramError: the user's program failed.
    """
    if dataset.program is not None:
        path = folder / "data"
        _run_program(dataset.program, path)
    else:
        path = Path(dataset.path or "")
    record = _describe(dataset, path)
    if dataset.sha256 and dataset.sha256 != record.sha256:
        raise DatasetError(
            f"sha256 of {path} is {record.sha256}, but the experiment declares {dataset.sha256}; "
            "restore the data or declare what they are now",
            f"dataset {dataset.name}",
        )
    return record


def check_dataset(record: DatasetRecord) -> None:
    """Check that the data are what `record` describes.

    Files with the recorded size and modification time count as unchanged; others are read.

    Raises:
        DatasetError: a file is missing, new or different.
    """
    path = Path(record.path)
    where = f"dataset {record.name}"
    mend = "restore it, or declare the change in the experiment by a new sha256 or version"
    files = _files(path)
    if set(files) != set(record.files):
        odd = sorted(set(files) ^ set(record.files))[0]
        raise DatasetError(
            f"{path / odd} was added or removed since the data were described; {mend}", where
        )
    for name, known in record.files.items():
        status = files[name].stat()
        if (status.st_size, status.st_mtime_ns) == (known.bytes, known.mtime_ns):
            continue
        if status.st_size != known.bytes or sha256(files[name]) != known.sha256:
            raise DatasetError(
                f"{files[name]} changed since the data were described; {mend}", where
            )


def _run_program(program: str, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    console = part.with_name("console.log")
    with console.open("wb") as stream:
        words = [sys.executable, program, str(part)]
        outcome = processes.run(words, Path(), os.environ, stream)
    if outcome.exit_code != 0:
        lines = console.read_text(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "it printed nothing"
        raise ProgramError(f"failed: {reason}; see {console}", program)
    console.unlink()
    if not files_below(part):
        raise ProgramError("wrote no file into the folder it was given", program)
    shutil.rmtree(path, ignore_errors=True)
    part.rename(path)


def _files(path: Path) -> dict[str, Path]:
    """Return the files of a dataset by their paths below its folder, or by the file's own name."""
    if path.is_file():
        return {path.name: path}
    return {file.relative_to(path).as_posix(): file for file in files_below(path)}


def _describe(dataset: Dataset, path: Path) -> DatasetRecord:
    files = _files(path)
    if not files:
        raise DatasetError(
            f"{path} doesn't exist or is empty; correct `path` in the experiment or put the data "
            "there",
            f"dataset {dataset.name}",
        )
    described = {}
    for name, file in files.items():
        status = file.stat()
        described[name] = DatasetFile(
            bytes=status.st_size,
            sha256=sha256(file),
            md5=md5_base64(file),
            mtime_ns=status.st_mtime_ns,
        )
    lines = "".join(f"{known.sha256}  {name}\n" for name, known in described.items())
    return DatasetRecord(
        name=dataset.name,
        version=dataset.version,
        path=path.as_posix(),
        sha256=described[path.name].sha256 if path.is_file() else digest_text(lines),
        bytes=sum(known.bytes for known in described.values()),
        files=described,
    )
