"""Programs: how they end, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from caduceus.errors import ProgramError
from caduceus.system import processes
from projects import wait_for

pytestmark = pytest.mark.slow

HOUR = 3600.0
IMPATIENT = processes.Patience(0.5, 0.2, 0.2, 0.2, 0.2)
PATIENT = processes.Patience(linger_s=HOUR)


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it isn't a zombie that its new parent should reap."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def run(
    tmp_path: Path,
    code: str,
    time_limit_s: float = 0,
    patience: processes.Patience = PATIENT,
) -> tuple[processes.Outcome, str]:
    console = tmp_path / "console"
    with console.open("wb") as stream:
        words = [sys.executable, "-c", code]
        outcome = processes.run(
            words, tmp_path, os.environ, stream, time_limit_s, patience=patience
        )
    return outcome, console.read_text()


@pytest.fixture
def time_is_up_once_it_has_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit of an hour has passed when the program has printed a line, and not before."""

    def monotonic() -> float:
        console = tmp_path / "console"
        has_printed = console.exists() and "\n" in console.read_text()
        return time.monotonic() + has_printed * 2 * HOUR

    monkeypatch.setattr(processes, "time", SimpleNamespace(monotonic=monotonic))


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


@pytest.mark.usefixtures("time_is_up_once_it_has_printed")
def test_the_time_limit_ends_a_program_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)"
    )
    outcome, console = run(tmp_path, code, time_limit_s=HOUR)
    assert outcome.timed_out
    assert outcome.signal == 15
    assert not is_running(int(console))


@pytest.mark.usefixtures("time_is_up_once_it_has_printed")
def test_a_program_that_will_not_end_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(600)"
    )
    outcome, _ = run(tmp_path, code, time_limit_s=HOUR, patience=IMPATIENT)
    assert outcome.timed_out
    assert outcome.signal == 9


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "console").open("wb") as stream, pytest.raises(ProgramError, match="nowhere"):
        processes.run(["/nowhere"], tmp_path, os.environ, stream)


# A worker as torchrun starts it: in a session of its own, and this one doesn't listen.
DEAF_WORKER = """
import signal, subprocess, sys, time
code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', end='', flush=True); " \\
    "time.sleep(600)"
words = [sys.executable, "-c", code]
worker = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE)
worker.stdout.read(1)
print(worker.pid, flush=True)
"""


@pytest.mark.usefixtures("time_is_up_once_it_has_printed")
def test_workers_in_sessions_of_their_own_are_ended_too(tmp_path: Path) -> None:
    code = DEAF_WORKER + "time.sleep(600)"
    outcome, console = run(tmp_path, code, time_limit_s=HOUR, patience=IMPATIENT)
    assert outcome.timed_out
    assert not is_running(int(console))


@pytest.mark.linux
def test_nothing_is_left_of_a_program_that_ended_well(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome, console = run(tmp_path, DEAF_WORKER, patience=IMPATIENT)
    took = time.monotonic() - started
    assert outcome.exit_code == 0
    assert not is_running(int(console))
    assert outcome.wall_s <= took - IMPATIENT.linger_s - IMPATIENT.linger_grace_s


def test_what_outlives_its_program_may_finish_its_work_and_is_counted(tmp_path: Path) -> None:
    work = "x = bytearray(200_000_000)\nwhile time.process_time() < 0.6: pass\nprint('done')"
    code = (
        "import os, time\n"
        "program = os.getpid()\n"
        "if os.fork(): os._exit(0)\n"  # as a daemon does
        "while os.path.exists(f'/proc/{program}'): time.sleep(0.01)\n"  # until it is waited for
        f"os.setsid()\n{work}\n"
    )
    started = time.monotonic()
    outcome, console = run(tmp_path, code)
    took = time.monotonic() - started
    assert console == "done\n"
    assert outcome.cpu_s >= 0.6 and took - outcome.wall_s >= 0.5
    assert outcome.peak_memory_bytes > 200e6


def test_orphans_that_end_while_the_program_runs_are_reaped(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(20):\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0: time.sleep(0.1)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "open('forked', 'w').close()\n"
        "while not os.path.exists('go'): time.sleep(0.05)\n"
    )
    others = set(psutil.Process().children())  # of earlier tests; they may end any time
    until = time.monotonic() + 1200

    def should_continue() -> bool:
        is_alone = len(set(psutil.Process().children()) - others) == 1
        if is_alone and (tmp_path / "forked").exists():
            (tmp_path / "go").touch()
        return time.monotonic() < until

    with (tmp_path / "console").open("wb") as stream:
        words = [sys.executable, "-c", code]
        outcome = processes.run(
            words, tmp_path, os.environ, stream, should_continue=should_continue
        )
    assert not outcome.was_cancelled


def test_what_was_there_before_the_program_is_left_alone(tmp_path: Path) -> None:
    with (tmp_path / "beside").open("wb") as stream:
        beside = processes.start([sys.executable, "-c", "import time; time.sleep(600)"], stream)
    try:
        run(tmp_path, "pass", patience=IMPATIENT)
        assert beside.poll() is None
    finally:
        processes.end(beside, 0)
    assert beside.returncode == -signal.SIGTERM


def test_the_caller_can_call_a_program_off(tmp_path: Path) -> None:
    with (tmp_path / "console").open("wb") as stream:
        words = [sys.executable, "-c", "import time; time.sleep(600)"]
        outcome = processes.run(words, tmp_path, os.environ, stream, should_continue=lambda: False)
    assert (outcome.was_cancelled, outcome.signal, outcome.interrupted_by) == (True, 15, None)


SUPERVISOR = """
import os, sys
from pathlib import Path
from caduceus.system import processes, stop_signals
with open("console", "wb") as stream, stop_signals.signals_deferred():
    words = [sys.executable, "-c", sys.argv[1]]
    outcome = processes.run(words, Path(), os.environ, stream)
    print(outcome.interrupted_by, outcome.exit_code, outcome.signal, flush=True)
    sys.stdin.read()
    print("home", flush=True)
print("not reached after a signal", flush=True)
"""


def supervise(tmp_path: Path, code: str) -> "subprocess.Popen[str]":
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, code],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    console = tmp_path / "console"
    wait_for(lambda: console.exists() and "\n" in console.read_text())
    return supervisor


@pytest.mark.parametrize("number", [15, 2, 1, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_asks_us_to_stop_ends_the_program(tmp_path: Path, number: int) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: sys.exit(7))\n"
        "print('on', flush=True); time.sleep(600)"
    )
    supervisor = supervise(tmp_path, code)
    supervisor.send_signal(number)
    printed, _ = supervisor.communicate()
    assert printed == f"{int(number)} 7 None\nhome\nnot reached after a signal\n"


def test_a_program_that_saves_and_ends_at_once_was_interrupted_all_the_same(tmp_path: Path) -> None:
    """Schedulers send their signal to it and to us."""
    code = (
        "import os, signal, time\n"
        "signal.signal(15, lambda *_: os._exit(0))\n"
        "print('on', os.getpid(), flush=True); time.sleep(600)"
    )
    supervisor = supervise(tmp_path, code)
    program = int((tmp_path / "console").read_text().split()[1])
    supervisor.send_signal(signal.SIGTERM)
    os.kill(program, signal.SIGTERM)
    printed, _ = supervisor.communicate()
    assert printed == "15 0 None\nhome\nnot reached after a signal\n"


def test_a_second_signal_breaks_nothing_off(tmp_path: Path) -> None:
    supervisor = supervise(tmp_path, "import time; print('on', flush=True); time.sleep(600)")
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.stdout.readline() == "15 None 15\n"
    supervisor.send_signal(signal.SIGTERM)
    printed, _ = supervisor.communicate()
    assert printed == "home\n"
    assert supervisor.returncode == -signal.SIGTERM


PRINTS = "import sys\nfor _ in range(int(sys.argv[1])): sys.stdout.write('{}' * 1000)\nsys.exit(3)"
FLOOD = f"""
import os, resource, sys
from pathlib import Path
from caduceus.training import failure_reason
from caduceus.system import processes
console = Path("console")
with console.open("wb") as stream:
    words = [sys.executable, "-c", {PRINTS!r}.replace("{{}}", sys.argv[2]), sys.argv[1]]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = processes.run(words, Path(), os.environ, stream)
said = failure_reason.reason("it", outcome, 0, console)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown * 1024, console.stat().st_size, len(said))
"""


@pytest.mark.parametrize("line", ["all in one line" * 10, "many lines" * 10 + r"\n"])
@pytest.mark.parametrize(
    "megabytes", [100, pytest.param(1000, marks=pytest.mark.soak)], ids=["", "gigabyte"]
)
def test_what_a_program_prints_fills_no_memory(tmp_path: Path, line: str, megabytes: int) -> None:
    size = len(line.encode().decode("unicode_escape")) * 1000
    words = [sys.executable, "-c", FLOOD, str(megabytes * 1_000_000 // size), line]
    printed = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / "console").unlink()
    grown, printed_bytes, said = map(int, printed.split())
    assert printed_bytes > 0.99e6 * megabytes
    assert grown < 8e6
    assert said < 1000
