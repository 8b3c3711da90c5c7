"""The logs of a run that has ended are those that its attempts left."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from caduceus import __main__ as command_line
from caduceus.errors import ResultError
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.train import Train
from caduceus.runs.files.upload import Upload
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import are_logs_lost, check_logs, left_logs, lost_logs
from run_files import attempt, train
from wandb_logs import field, framed, history, record

ROW = {("_step",): "0", ("loss",): "0.5"}
HEADER = 7  # bytes of a log before its first record


def content(rows: int, has_end: bool = True, run: str = "RUN") -> bytes:
    records = [record(1, 17, field(1, run))]
    records += [history(2 + n, ROW | {("_step",): str(n)}) for n in range(rows)]
    return framed([*records, record(2 + rows, 18, field(1, 0))] if has_end else records)


def log(folder: RunFolder, number: int | str, data: bytes, run: str = "RUN") -> Path:
    path = folder.wandb(number) / f"wandb/offline-run-{number}-{run}/run-{run}.wandb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def ended(folder: RunFolder, number: int, state: str) -> Attempt:
    return attempt(number, state=state, logs=left_logs(folder, number))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "results/runs/RUN")


WHOLE = content(4)
CHANGED = {
    "a hundred bytes": WHOLE[:100],
    "at the border of a record": content(2, has_end=False),
    "inside a record": content(2, has_end=False)[:-5],
    "the last rows": content(3, has_end=False),
    "the end alone": content(4, has_end=False),
    "the header": WHOLE[:HEADER],
    "nothing": b"",
    "zeros at the end": WHOLE[:-40] + bytes(40),
    "zeros behind the end": WHOLE + bytes(40),
    "another byte": WHOLE[:60] + bytes([WHOLE[60] ^ 1]) + WHOLE[61:],
    "another run": content(4, run="RUM"),
    "a row more": content(5),
}


@pytest.mark.parametrize("data", CHANGED.values(), ids=CHANGED)
def test_a_finished_runs_log_that_has_changed_is_an_error(folder: RunFolder, data: bytes) -> None:
    path = log(folder, 1, WHOLE)
    attempts = [ended(folder, 1, "finished")]
    check_logs(folder, attempts)
    path.write_bytes(data)
    with pytest.raises(ResultError) as error:
        check_logs(folder, attempts)
    message = str(error.value)
    size = f"the log has {len(data):,} bytes; {len(WHOLE):,} were left by the run"
    what = "the log isn't what the run left" if len(data) == len(WHOLE) else size
    mend = f"restore it from a copy, or delete {folder.path} to have the run made again"
    assert message == f"{path}: {what}; {mend}"


def test_a_log_that_is_gone_is_an_error(folder: RunFolder) -> None:
    path = log(folder, 1, WHOLE)
    attempts = [ended(folder, 1, "finished")]
    path.unlink()
    with pytest.raises(ResultError, match=f"the log of {len(WHOLE)} bytes is gone"):
        check_logs(folder, attempts)


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_each_segment_is_compared(folder: RunFolder, state: str) -> None:
    first, second = log(folder, 1, content(3, has_end=False)), log(folder, 2, WHOLE)
    attempts = [ended(folder, 1, state), ended(folder, 2, "finished")]
    check_logs(folder, attempts)
    whole = first.read_bytes()
    # The SDK's process, which outlives a killed supervisor, may add to the log.
    first.write_bytes(whole + bytes(9))
    check_logs(folder, attempts)
    for path, data in ((first, whole[:-1]), (second, WHOLE[:-1])):
        kept = path.read_bytes()
        path.write_bytes(data)
        with pytest.raises(ResultError, match=f"^{path}: "):
            check_logs(folder, attempts)
        path.write_bytes(kept)
    check_logs(folder, attempts)


def test_attempts_before_a_finished_one_no_longer_count(folder: RunFolder) -> None:
    first = log(folder, 1, WHOLE)
    log(folder, 2, WHOLE)
    attempts = [ended(folder, number, "finished") for number in (1, 2)]
    first.unlink()
    check_logs(folder, attempts)


def test_without_a_record_a_finished_run_needs_an_end(folder: RunFolder) -> None:
    """As in projects of versions that recorded no logs."""
    path = log(folder, 1, WHOLE)
    old = attempt(state="finished")
    assert "logs" not in old.to_json()
    check_logs(folder, [old])
    for data in (content(4, has_end=False), WHOLE[:100], WHOLE[:HEADER], b"", bytes(99)):
        path.write_bytes(data)
        with pytest.raises(ResultError, match="has no record of the run's end"):
            check_logs(folder, [old])
        for other in (replace(old, was_stopped=True), replace(old, state="failed")):
            check_logs(folder, [other])
    path.unlink()
    check_logs(folder, [old])  # the program has logged nothing


def test_the_log_of_artifacts_is_compared(folder: RunFolder) -> None:
    path = log(folder, "upload", content(0))
    Upload(run="RUN", logs=left_logs(folder, "upload")).write(folder.upload_json)
    check_logs(folder, [])
    path.write_bytes(b"")
    with pytest.raises(ResultError, match=f"^{path}: the log has 0 bytes"):
        check_logs(folder, [])
    Upload(run="RUN").write(folder.upload_json)
    check_logs(folder, [])


def test_a_further_run_has_a_log_of_its_own(folder: RunFolder) -> None:
    path = log(folder, 1, WHOLE)
    further = log(folder, 1, content(2, run="RUN-2"), "RUN-2")
    nested = RunFolder(folder.further / "RUN-2")
    nested.path.mkdir(parents=True)
    nested.work.symlink_to(folder.work)
    attempts = [ended(folder, 1, "finished")]
    path.write_bytes(WHOLE[:-1])
    check_logs(nested, attempts)
    path.write_bytes(WHOLE)
    further.write_bytes(b"")
    for each in (folder, nested):
        with pytest.raises(ResultError, match=f"delete {folder.path} to have"):
            check_logs(each, attempts)


def test_logs_of_an_ended_run_are_lost_once_one_is_gone(folder: RunFolder) -> None:
    folder.code.mkdir(parents=True)
    assert not are_logs_lost(folder)  # of a run that hasn't ended nothing is known
    old, path = log(folder, 1, WHOLE), log(folder, 2, WHOLE)
    upload = log(folder, "upload", WHOLE)
    attempts = (ended(folder, 1, "finished"), ended(folder, 2, "finished"))
    train("RUN", *attempts).write(folder.train_json)
    Upload(run="RUN", logs=left_logs(folder, "upload")).write(folder.upload_json)
    assert lost_logs(folder) == []
    old.unlink()
    assert not are_logs_lost(folder)  # the export is made from the second alone
    for each in (path, upload):
        each.unlink()
        assert [found for found, _ in lost_logs(folder)] == [each]
        assert are_logs_lost(folder)
        each.write_bytes(WHOLE)
    shutil.rmtree(folder.code)
    assert are_logs_lost(folder)
    folder.server.mkdir()
    assert not are_logs_lost(folder)


@pytest.mark.parametrize("data", CHANGED.values(), ids=CHANGED)
def test_a_log_that_has_changed_is_lost_as_one_that_is_gone(folder: RunFolder, data: bytes) -> None:
    folder.code.mkdir(parents=True)
    path = log(folder, 1, WHOLE)
    attempts = [ended(folder, 1, "finished")]
    train("RUN", *attempts).write(folder.train_json)
    assert not are_logs_lost(folder)
    path.write_bytes(data)
    later_ns = folder.train_json.stat().st_mtime_ns + 1
    os.utime(path, ns=(later_ns, later_ns))
    assert are_logs_lost(folder)
    with pytest.raises(ResultError) as error:
        check_logs(folder, attempts)
    [(found, how)] = lost_logs(folder)
    assert str(error.value).startswith(f"{found}: {how}; ")
    path.write_bytes(WHOLE)
    assert not are_logs_lost(folder)


def test_a_log_that_grew_after_a_kill_is_whole(folder: RunFolder) -> None:
    folder.code.mkdir(parents=True)
    path = log(folder, 1, content(3, has_end=False))
    attempts = ended(folder, 1, "interrupted"), ended(folder, 2, "finished")
    log(folder, 2, WHOLE)
    train("RUN", *attempts).write(folder.train_json)
    path.write_bytes(path.read_bytes() + bytes(9))
    assert not are_logs_lost(folder)


def test_logs_that_were_never_recorded_are_lost_with_their_folder(folder: RunFolder) -> None:
    folder.code.mkdir(parents=True)
    log(folder, 1, WHOLE)
    train("RUN", attempt(1, state="finished")).write(folder.train_json)
    assert not are_logs_lost(folder)
    shutil.rmtree(folder.work / "wandb")
    assert are_logs_lost(folder)
    Train.skipped("RUN").write(folder.train_json)  # it was never started
    assert not are_logs_lost(folder)
    folder.train_json.write_text("damaged")
    assert not are_logs_lost(folder)


def test_a_run_without_export_and_logs_is_a_failure_that_says_what_to_do(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.code.mkdir(parents=True)
    path = log(folder, 1, WHOLE)
    train("RUN", ended(folder, 1, "finished")).write(folder.train_json)
    folder.summary_json.touch()
    path.unlink()
    assert command_line.main(["check-logs", "--out", str(folder.path / "checked_logs")]) == 1
    said = capsys.readouterr().err
    assert f"{folder.path}: its export lacks manifest.json, metrics_history.csv, and the " in said
    where = path.relative_to(folder.path)
    how = f"the log of {len(WHOLE)} bytes is gone"
    assert f"are lost ({where}: {how}); restore either from a copy, or " in said
