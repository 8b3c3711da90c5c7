"""Datasets: digests, and the refusal of data that aren't the declared ones."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import DatasetError, ProgramError
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.plan import Dataset
from caduceus.training.datasets import check_dataset, make_dataset


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three files, named from the folder we work in."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"b.txt": "two", "a/c.txt": "three", "a.txt": "one"}.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Path("data")


def described(path: Path) -> DatasetRecord:
    return make_dataset(Dataset(name="d", path=str(path), version=1), Path("out"))


def test_a_folders_sha256_is_what_sha256sum_makes_of_it(data: Path) -> None:
    command = "find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.run(command, shell=True, cwd=data, capture_output=True, text=True)

    assert described(data).sha256 == printed.stdout.split()[0]


def test_a_files_sha256_is_that_of_its_bytes(data: Path) -> None:
    printed = subprocess.run(["sha256sum", data / "a.txt"], capture_output=True, text=True)
    record = described(data / "a.txt")

    assert record.sha256 == printed.stdout.split()[0]
    assert record.bytes == 3
    assert record.files.keys() == {"a.txt"}


def test_unchanged_data_pass(data: Path) -> None:
    record = described(data)
    check_dataset(record)
    os.utime(data / "b.txt", (1, 1))  # touched, not changed: the content is read and compared
    check_dataset(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: (data / "b.txt").write_text("owt"), "data/b.txt changed since"),
        (lambda data: (data / "b.txt").write_text("longer"), "data/b.txt changed since"),
        (lambda data: (data / "b.txt").unlink(), "data/b.txt was added or removed since"),
        (lambda data: (data / "new.txt").write_text(""), "data/new.txt was added or removed since"),
    ],
)
def test_changed_data_are_refused(data: Path, change: Any, message: str) -> None:
    record = described(data)
    change(data)
    with pytest.raises(DatasetError, match=message):
        check_dataset(record)


def test_a_missing_dataset_says_what_to_do(data: Path) -> None:
    with pytest.raises(DatasetError, match=r"dataset d: nowhere doesn't exist or is empty; corr"):
        described(Path("nowhere"))


def test_a_program_makes_the_data_once_and_whole(data: Path) -> None:
    program = Path("make.py")
    program.write_text("import sys, pathlib; (pathlib.Path(sys.argv[1]) / 'x').write_text('1')")
    record = make_dataset(Dataset(name="d", program="make.py", version=1), Path("out"))

    assert record.path == "out/data"
    assert Path("out/data/x").read_text() == "1"
    assert {path.name for path in Path("out").iterdir()} == {"data"}


def test_a_program_that_fails_is_one_line(data: Path) -> None:
    Path("make.py").write_text("raise ValueError('no space')")
    with pytest.raises(
        ProgramError, match=r"^make.py: failed: ValueError: no space; see out/console.log$"
    ):
        make_dataset(Dataset(name="d", program="make.py", version=1), Path("out"))


def test_a_program_that_writes_nothing_is_refused(data: Path) -> None:
    Path("make.py").write_text("")
    with pytest.raises(ProgramError, match=r"make.py: wrote no file into the folder"):
        make_dataset(Dataset(name="d", program="make.py", version=1), Path("out"))
