"""The logs of a run that has ended are those that its attempts left."""

from dataclasses import replace
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.runs.files.upload import Upload
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs, left_logs
from run_files import attempt
from written_logs import CHANGED, HEADER, WHOLE, content, ended, log


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "results/runs/RUN")


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
