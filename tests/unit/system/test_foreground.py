"""Programs in the foreground."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.system.clean_exit import Stopped
from caduceus.system.foreground import run_here

pytestmark = pytest.mark.slow

# A job in the group of its program, which ends once the job has. The program notes the signal: an
# exception during `wait` may lose the job's status.
PROGRAM = """\
import os, signal, subprocess, sys
heard = []
signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
job = subprocess.Popen([sys.executable, "-c", "import signal; print('begun', flush=True); "
    "signal.signal(signal.SIGINT, signal.default_int_handler); signal.pause()"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
job.stdout.readline()
{ask}
print("ended with", job.wait(), heard, flush=True)
raise SystemExit(7)
"""
CALLER = """\
import signal, sys
from caduceus.system.clean_exit import Stopped
from caduceus.system.foreground import run_here
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print(run_here([sys.executable, "-c", sys.argv[1]]), flush=True)
except Stopped as stop:
    print(stop.number, flush=True)
"""


def test_a_program_run_here_gives_its_status() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run_here([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_here([sys.executable, "-c", code]) == 128 + signal.SIGKILL
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_the_program_with_its_jobs(name: str, tmp_path: Path) -> None:
    """The program asks for the signal itself once its job has begun."""
    program = PROGRAM.format(ask=f"os.kill(os.getppid(), signal.{name})")
    words = [sys.executable, "-c", CALLER, program]
    # In a session of its own, so that no terminal is there that sends Ctrl-C.
    ended = subprocess.run(words, capture_output=True, text=True, start_new_session=True)
    said = f"ended with {-signal.SIGINT} {[signal.SIGINT.value]}"
    assert ended.stdout == f"{said}\n{signal.Signals[name].value}\n"


def test_the_signal_of_a_group_ends_what_outlives_the_program() -> None:
    """As Snakemake, which has no handler of SIGHUP."""
    program = PROGRAM.format(ask="os.killpg(0, signal.SIGHUP)")
    words = [sys.executable, "-c", CALLER, program]
    ended = subprocess.run(words, capture_output=True, text=True, start_new_session=True)
    assert ended.stdout == f"{signal.SIGHUP.value}\n"


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code = "import os, signal; os.kill(os.getppid(), signal.SIGHUP); raise SystemExit(4)"
        assert run_here([sys.executable, "-c", code]) == 4
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_stop_says_what_to_do() -> None:
    assert str(Stopped(signal.SIGINT)) == "interrupted"
    assert str(Stopped.of(KeyboardInterrupt(), "go on")) == "interrupted; go on"
    assert str(Stopped.of(Stopped(signal.SIGTERM), "go on")) == "stopped by SIGTERM; go on"
