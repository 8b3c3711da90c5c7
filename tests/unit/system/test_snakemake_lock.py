"""Snakemake's lock: removed when its holder was killed, and only then."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from caduceus.errors import ResultError
from caduceus.io.files import read_json, write_json
from caduceus.system.snakemake_lock import (
    note_holder,
    note_when_locked,
    unlock,
    unlock_if_killed,
)


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").write_text("results/x")
    return tmp_path


def is_locked(folder: Path) -> bool:
    return any((folder / ".snakemake/locks").iterdir())


def test_a_lock_whose_holder_runs_stays(locked: Path) -> None:
    note_holder(locked)
    with pytest.raises(ResultError, match=f"already runs here, as process {os.getpid()}; wait"):
        unlock(locked)
    assert is_locked(locked)


def test_a_lock_whose_holder_has_ended_goes(locked: Path) -> None:
    note_holder(locked)
    holder = read_json(locked / ".snakemake/caduceus.json")
    write_json(locked / ".snakemake/caduceus.json", holder | {"started": holder["started"] - 100})
    unlock(locked)  # another process has got the number since
    assert not is_locked(locked)


def test_a_lock_goes_whose_holder_was_killed_a_moment_ago(locked: Path) -> None:
    """Its parent hasn't asked how it ended, so that its number is still taken."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    started = psutil.Process(process.pid).create_time()
    note_holder(locked)
    holder = read_json(locked / ".snakemake/caduceus.json")
    changed = {"pid": process.pid, "started": started}
    write_json(locked / ".snakemake/caduceus.json", holder | changed)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    unlock(locked)
    process.wait()
    assert not is_locked(locked)


@pytest.mark.parametrize("words", [["snakemake"], ["caduceus", "build"], ["caduceus-ml", "build"]])
def test_a_lock_of_a_snakemake_that_has_just_started_stays(locked: Path, words: list[str]) -> None:
    """It holds the lock before it notes that it does."""
    program = locked / words[0]
    program.write_text("import time; time.sleep(600)")
    process = subprocess.Popen([sys.executable, str(program), *words[1:]], cwd=locked)
    try:
        with pytest.raises(ResultError, match=f"already runs here, as process {process.pid};"):
            unlock(locked)
    finally:
        process.kill()
        process.wait()
    assert is_locked(locked)


def test_a_lock_that_nobody_noted_stays(locked: Path) -> None:
    """Its Snakemake may be at work on another machine."""
    with pytest.raises(
        ResultError, match="locked by an unknown process; if no Snakemake runs here"
    ):
        unlock(locked)
    assert is_locked(locked)


class Persistence:
    """Snakemake's, whose lock can be taken or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        if is_locked(self.folder):
            raise BlockingIOError
        yield


def test_the_holder_is_noted_as_soon_as_it_has_the_lock(locked: Path) -> None:
    record = locked / ".snakemake/caduceus.json"
    persistence = Persistence(locked)
    note_when_locked(persistence, locked)
    note_when_locked(persistence, locked)  # each input function does
    with pytest.raises(BlockingIOError), persistence.lock():
        pass
    assert not record.exists()
    (locked / ".snakemake/locks/0.input.lock").unlink()
    (locked / ".snakemake/locks").rmdir()  # by another Snakemake that has ended
    with persistence.lock():
        assert read_json(record)["pid"] == os.getpid()


def test_a_dry_run_holds_nothing(tmp_path: Path) -> None:
    persistence = Persistence(tmp_path)
    persistence.lock = Persistence.lock.__get__(persistence)  # as Snakemake sets another
    kept = persistence.lock
    note_when_locked(persistence, tmp_path)
    assert persistence.lock is kept


def test_without_a_lock_nothing_happens(tmp_path: Path) -> None:
    unlock(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_start_removes_the_lock_of_a_snakemake_that_was_killed(locked: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    note_holder(locked)
    holder = read_json(locked / ".snakemake/caduceus.json")
    write_json(locked / ".snakemake/caduceus.json", holder | {"pid": process.pid})
    unlock_if_killed(locked)
    assert not is_locked(locked)


@pytest.mark.parametrize("case", ["running", "unknown", "elsewhere", "damaged", "younger"])
def test_a_start_leaves_any_other_lock_to_snakemake(locked: Path, case: str) -> None:
    note_holder(locked)
    record = locked / ".snakemake/caduceus.json"
    holder = read_json(record)
    if case == "unknown":
        record.unlink()
    elif case == "elsewhere":
        write_json(record, holder | {"host": "another"})
    elif case == "damaged":
        record.write_text("{")
    elif case == "younger":  # of a Snakemake on another host that hasn't recorded itself yet
        write_json(record, holder | {"started": holder["started"] - 100})
        os.utime(record, ns=(0, 0))
    unlock_if_killed(locked)
    assert is_locked(locked)
