"""Snakemake's errors that a user can mend are one line."""

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from caduceus.io.files import read_json, write_json
from caduceus.system.snakemake_errors import shorten_errors
from caduceus.system.snakemake_lock import note_holder, unlock


class LockException(Exception):  # noqa: N818 - Snakemake's name
    pass


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def kept() -> Iterator[Kept]:
    log, handler = logging.getLogger("snakemake.logging"), Kept()
    before = [*log.filters]
    log.filters.clear()  # a test that ran Snakemake here has left its own
    shorten_errors()
    shorten_errors()  # each Snakefile that loads the workflow does
    assert len(log.filters) == 1
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    log.filters[:] = before


def report(error: Exception) -> None:
    """Report an error as Snakemake does, while it is handled."""
    try:
        raise error
    except Exception:
        logging.getLogger("snakemake.logging").error("Traceback: %s%%", "many lines")


def test_a_full_disk_is_one_line(kept: Kept) -> None:
    report(OSError(errno.ENOSPC, "No space left on device", ".snakemake/locks/0.input.lock"))
    assert kept.lines == [
        "caduceus: .snakemake/locks/0.input.lock: No space left on device; free some space or move "
        "results/ to a larger disk"
    ]


def test_a_log_file_on_a_full_disk_prints_no_traceback(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    log, file = logging.getLogger("snakemake.logging"), logging.FileHandler("/dev/full")
    log.addHandler(file)
    try:
        shorten_errors()
        log.error("a message")
        file.setFormatter(logging.Formatter("%(unknown)s"))
        log.error("another one")
    finally:
        log.removeHandler(file)
        with contextlib.suppress(OSError):
            file.close()
    assert kept.lines == ["a message", "another one"]
    said = capsys.readouterr().err
    assert "KeyError: 'unknown'" in said
    assert "OSError" not in said


def test_a_locked_folder_names_the_process(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report(LockException())  # it has ended meanwhile
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").write_text("results/x")
    note_holder()
    report(LockException())
    (tmp_path / ".snakemake/caduceus.json").write_text("{")
    report(LockException())
    unknown, running, damaged = kept.lines
    assert "locked by an unknown process" in unknown
    assert running == (
        f"caduceus: {tmp_path}: Snakemake already runs here, as process {os.getpid()}; wait for it "
        "to end"
    )
    assert damaged.startswith("caduceus: .snakemake/caduceus.json: ")


def test_a_lock_that_was_left_is_removed_by_our_own_command(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    note_holder()
    record = tmp_path / ".snakemake/caduceus.json"
    write_json(record, read_json(record) | {"started": 0.0})  # another process has its number
    report(LockException())
    lock = tmp_path / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir()
    lock.write_text("results/x")
    report(LockException())
    assert kept.lines == [
        f"caduceus: {tmp_path}: another Snakemake has just ended here; start again",
        f"caduceus: {tmp_path}: locked by a Snakemake that has ended; if none has just started "
        "here on another host, type `caduceus unlock`",
    ]
    assert unlock(tmp_path)


def test_other_errors_stay(kept: Kept) -> None:
    report(ValueError("a fault"))
    logging.getLogger("snakemake.logging").error("no exception")
    assert kept.lines == ["Traceback: many lines%", "no exception"]
