"""Programs: how they end, and that nothing of them is left."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from caduceus import processes
from caduceus.errors import ProgramError


def run(tmp_path: Path, code: str, time_limit_s: float = 0) -> tuple[processes.Outcome, str]:
    console = tmp_path / "console"
    with console.open("wb") as stream:
        words = [sys.executable, "-c", code]
        outcome = processes.run(words, tmp_path, os.environ, stream, time_limit_s)
    return outcome, console.read_text()


def test_the_exit_code_and_both_streams_are_kept(tmp_path: Path) -> None:
    outcome, console = run(
        tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    )
    assert (outcome.exit_code, outcome.signal, outcome.timed_out) == (3, None, False)
    assert console == "out\nerr\n"


def test_a_signal_that_ends_it_is_kept(tmp_path: Path) -> None:
    outcome, _ = run(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert (outcome.exit_code, outcome.signal) == (None, 9)
    assert processes.signal_name(9) == "SIGKILL"
    assert processes.signal_name(99) == "signal 99"


def test_time_and_memory_are_measured(tmp_path: Path) -> None:
    outcome, _ = run(
        tmp_path,
        "import time; x = bytearray(200_000_000)\n"
        "while time.process_time() < 0.5: pass\ntime.sleep(0.5)",
    )
    assert 0.5 <= outcome.cpu_s < outcome.wall_s
    assert outcome.wall_s >= 1.0
    ours = psutil.Process().memory_info().rss  # with which a forked process starts
    assert 200e6 < outcome.peak_memory_bytes < max(400e6, 1.1 * ours)


def test_the_time_limit_ends_a_program_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)"
    )
    outcome, console = run(tmp_path, code, time_limit_s=1)
    assert outcome.timed_out
    assert outcome.signal == 15
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(console)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(console)) or not psutil.Process(int(console)).is_running()


def test_a_program_that_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.5)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    outcome, _ = run(tmp_path, code, time_limit_s=1)
    assert outcome.timed_out
    assert outcome.signal == 9


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "console").open("wb") as stream, pytest.raises(ProgramError, match="nowhere"):
        processes.run(["/nowhere"], tmp_path, os.environ, stream)
