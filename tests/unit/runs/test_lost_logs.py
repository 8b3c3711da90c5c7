"""Logs that an ended run has lost keep it from being exported anew."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus import __main__ as command_line
from caduceus.errors import ResultError
from caduceus.runs.files.train import Train
from caduceus.runs.files.upload import Upload
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs, left_logs
from caduceus.runs.lost_logs import are_logs_lost, lost_logs
from run_files import attempt, train
from written_logs import CHANGED, WHOLE, content, ended, log


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.chdir(tmp_path)
    return RunFolder(Path("results/runs/RUN"))


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
    earlier_ns = folder.train_json.stat().st_mtime_ns - 10**12  # as a copy that keeps times has
    os.utime(path, ns=(earlier_ns, earlier_ns))
    assert are_logs_lost(folder)
    with pytest.raises(ResultError) as error:
        check_logs(folder, attempts)
    [(found, how)] = lost_logs(folder)
    assert str(error.value).startswith(f"{found}: {how}; ")
    path.write_bytes(WHOLE)
    assert not are_logs_lost(folder)


_START = """
import json, os, sys
from pathlib import Path
from caduceus.runs.folder import RunFolder
from caduceus.runs.lost_logs import lost_logs

opened = []
sys.addaudithook(lambda event, words: event == "open" and opened.append(str(words[0])))
lost = [str(log) for log, _ in lost_logs(RunFolder(Path(sys.argv[1])))]
print(json.dumps([lost, [path for path in opened if path.endswith(".wandb")]]))
"""


def looked_at(folder: RunFolder) -> tuple[list[str], list[str]]:
    """The logs that a new process finds lost, and those that it reads."""
    words = [sys.executable, "-c", _START, str(folder.path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    lost, read = json.loads(done.stdout)
    return lost, read


@pytest.mark.slow
def test_a_log_that_was_found_equal_is_read_again_only_once_it_has_changed(
    folder: RunFolder,
) -> None:
    """As in a copied project, whose files have other times."""
    path = log(folder, 1, WHOLE)
    train("RUN", ended(folder, 1, "finished")).write(folder.train_json)
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)
    assert looked_at(folder) == ([], [str(path)])
    assert looked_at(folder) == ([], [])
    data, times = CHANGED["another byte"], path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert looked_at(folder) == ([str(path)], [str(path)])
    assert looked_at(folder) == ([str(path)], [str(path)])  # only what is equal is remembered
    path.write_bytes(WHOLE)
    assert looked_at(folder) == ([], [str(path)])
    assert looked_at(folder) == ([], [])


def test_nothing_is_remembered_where_snakemake_never_ran(folder: RunFolder) -> None:
    Path(".snakemake").rmdir()
    log(folder, 1, WHOLE)
    train("RUN", ended(folder, 1, "finished")).write(folder.train_json)
    os.utime(folder.train_json, ns=(0, 0))
    assert lost_logs(folder) == []
    assert not Path(".snakemake").exists()


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
