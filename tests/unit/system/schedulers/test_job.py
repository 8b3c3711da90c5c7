"""What a scheduler starts as a job: warnings, and how it notes that it has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.errors import SchedulerError
from caduceus.system.schedulers.job_files import VARIABLE, JobFiles, Submission, submissions
from caduceus.system.time_limits import go_on_after_time_limit

pytestmark = pytest.mark.slow

# Says that it has started; at SIGTERM, says so, saves if it may, and ends.
PROGRAM = """
import os, signal, sys, time
from caduceus.system.time_limits import go_on_after_time_limit
def stop(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"warned\\n")  # print may be interrupted
    if sys.argv[1] == "save":
        go_on_after_time_limit(has_saved=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
os.write(1, b"started\\n")
time.sleep(600)
"""


def begin(files: JobFiles, *words: str, warn_after_s: float = 0) -> "subprocess.Popen[str]":
    options = [f"--files={files.base}", f"--warn-after={warn_after_s}"]
    return subprocess.Popen(
        [sys.executable, "-m", "caduceus.system.schedulers.job", *options, "--", *words],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as schedulers do
        preexec_fn=_wait_with_sigterm if warn_after_s else None,
    )


def _wait_with_sigterm() -> None:
    """Keep a warning that comes early until the program expects it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def program(how: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, how]


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


@pytest.fixture
def files(tmp_path: Path) -> JobFiles:
    files = JobFiles.named(tmp_path, "train.a.1")
    files.write_submission(Submission("7", "caduceus:train:a"))
    return files


@pytest.mark.parametrize(("command", "ending"), [("true", "finished"), ("false", "failed")])
def test_how_a_command_ended_is_noted(files: JobFiles, command: str, ending: str) -> None:
    files.write_end("interrupted")  # of an earlier attempt
    assert end(begin(files, command))[0] == (command == "false")
    assert files.read_end() == ending


def test_the_program_is_warned_before_the_limit_and_goes_on_if_it_saved(files: JobFiles) -> None:
    code, output = end(begin(files, *program("save"), warn_after_s=0.1))
    assert (code, output.split()[-1]) == (143, "warned")
    assert files.read_end() == "limit"


def test_a_program_that_saves_nothing_has_failed(files: JobFiles) -> None:
    assert end(begin(files, *program("nothing"), warn_after_s=0.1))[0] == 143
    assert files.read_end() == "failed"


@pytest.mark.parametrize(
    ("number", "how", "ending"),
    [
        (signal.SIGUSR1, "save", "limit"),  # Grid Engine's soft limit
        (signal.SIGUSR2, "save", "interrupted"),  # Grid Engine's warning of qdel
        (signal.SIGTERM, "save", "interrupted"),
        (signal.SIGINT, "save", "interrupted"),  # LSF's bkill
    ],
)
def test_signals_to_all_processes_of_a_job_arrive_as_sigterm(
    files: JobFiles, number: int, how: str, ending: str
) -> None:
    process = begin(files, "/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *program(how))
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    os.killpg(process.pid, number)
    code, output = end(process)
    assert code == 143 and output.startswith("warned\n")
    assert files.read_end() == ending


def test_outside_of_a_job_nothing_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    go_on_after_time_limit(has_saved=False)


def test_a_run_that_would_start_for_ever_is_named(
    files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(files.base))
    go_on_after_time_limit(has_saved=False)  # it was cancelled
    files.note_limit()
    with pytest.raises(SchedulerError, match=r"train\.a\.1: its time limit came before anything"):
        go_on_after_time_limit(has_saved=False)


def test_damaged_files_are_no_submissions(files: JobFiles, tmp_path: Path) -> None:
    files.base.with_name("b.json").write_text("{")
    files.base.with_name("c.json").write_text('{"job": "7"}')
    files.base.with_name("train.a.1.end").write_text("")
    assert submissions(tmp_path) == {"train.a.1": Submission("7", "caduceus:train:a")}
    assert files.read_end() is None
    files.remove()
    assert submissions(tmp_path) == {}
