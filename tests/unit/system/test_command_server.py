"""Commands that a server forks: each does and ends as in a new interpreter."""

import importlib
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from caduceus.system.command_server import client
from caduceus.system.command_server.direct import Command, Starter, start_directly
from caduceus.system.command_server.imports import NUMBERS_OF_THREADS, RUN_COMMANDS, Imports

pytestmark = pytest.mark.slow

# A server whose commands run the code that is their argument.
SERVER = """
import socket, sys
from pathlib import Path
from caduceus.system.command_server.server import Server
request = Server(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])).serve()
if request:
    exec(request.words[3])
"""
# One that does nothing more once it has forked a command.
STUCK = "import os, signal\nos.pidfd_open = lambda _: signal.pause()\n" + SERVER
DEADLINE_S = 300


def wait_for(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


class Served:
    """A server of this process, and its clients."""

    def __init__(self, folder: Path, code: str = SERVER):
        self.folder = folder / "served"
        self.folder.mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self.folder / "socket"))
            listener.listen(128)
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, str(listener.fileno()), str(self.folder)],
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )

    def begin(self, code: str, **options: object) -> "subprocess.Popen[str]":
        """Start a client; in place of a new interpreter it has a program that prints `fresh`."""
        words = [sys.executable, "-I", "-S", client.__file__, str(self.folder / "socket")]
        words += ["/bin/echo", "-m", "caduceus", "init-run", code]
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | options
        return subprocess.Popen(words, **given)  # type: ignore[call-overload, no-any-return]

    def run(self, code: str, given: str = "", **options: object) -> tuple[int, str]:
        process = self.begin(code, stdin=subprocess.PIPE, **options)
        output, _ = process.communicate(given, timeout=DEADLINE_S)
        return process.returncode, output

    def end(self) -> None:
        """End as the server's Snakemake."""
        assert self.process.stdin
        self.process.stdin.close()

    def finish(self) -> None:
        self.end()
        self.process.send_signal(signal.SIGCONT)
        self.process.wait(DEADLINE_S)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Served]:
    """A server that the test ends."""
    found = Served(tmp_path)
    yield found
    found.finish()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("shared"))
    yield found
    found.finish()


@pytest.fixture
def served(shared: Served) -> Served:
    """The server of all tests that leave it running."""
    shared.process.send_signal(signal.SIGCONT)  # if a test has failed while it was stopped
    return shared


def is_fresh(result: tuple[int, str]) -> bool:
    return result[0] == 0 and result[1].startswith("-m caduceus init-run")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('message')", 1),
        ("1 / 0", 1),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
)
def test_a_client_ends_as_its_command(served: Served, code: str, status: int) -> None:
    assert served.run(code)[0] == status


def test_a_command_has_the_streams_the_environment_and_the_folder_of_its_client(
    served: Served,
) -> None:
    code = """
import os
print(sys.stdin.read(), os.environ["WORD"], "HOME" in os.environ, os.getcwd())
print("an error", file=sys.stderr)
"""
    variables = {name: value for name, value in os.environ.items() if name != "HOME"}
    status, output = served.run(code, "given", env=variables | {"WORD": "ä ="})
    assert status == 0
    assert f"given ä = False {Path.cwd()}\n" in output
    assert "an error\n" in output


def test_a_command_holds_nothing_of_the_server_or_of_other_commands(served: Served) -> None:
    other = served.begin("import time; print('begun', flush=True); time.sleep(1000)")
    assert other.stdout
    assert other.stdout.readline() == "begun\n"
    _, output = served.run("import os; print(os.listdir('/proc/self/fd'))")
    assert output == "['0', '1', '2', '3']\n"  # 3 is the folder that it lists
    other.kill()
    other.communicate(timeout=DEADLINE_S)


def test_many_commands_at_once(served: Served) -> None:
    clients = [served.begin(f"print({number}); sys.exit({number})") for number in range(30)]
    for number, process in enumerate(clients):
        output, _ = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, output) == (number, f"{number}\n")


COUNTING = """
import signal, time
from collections import Counter
counts = Counter()
for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
    signal.signal(getattr(signal, name), lambda *_, name=name: counts.update([name]))
print("ready", flush=True)
while not counts["SIGUSR2"]:
    time.sleep(0.01)
print(*sorted(counts.items()))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1"])
def test_a_signal_reaches_the_command(served: Served, name: str) -> None:
    process = served.begin(COUNTING)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.Signals[name])
    process.send_signal(signal.SIGUSR2)
    assert process.communicate(timeout=DEADLINE_S)[0] == f"('{name}', 1) ('SIGUSR2', 1)\n"


def test_a_signal_to_the_group_comes_once_and_does_not_end_the_server(tmp_path: Path) -> None:
    """A terminal's Ctrl-C reaches the server, its client and what has started them."""
    words = [sys.executable, __file__, str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    process.send_signal(signal.SIGUSR2)
    assert (
        process.communicate(timeout=DEADLINE_S)[0]
        == "('SIGINT', 1) ('SIGUSR2', 1)\n0 still there\n"
    )


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        served = Served(tmp_path)
        code = "import signal; print(signal.getsignal(1), signal.getsignal(15), flush=True)"
        process = served.begin(f"{code}; sys.stdin.read()", stdin=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdout
    assert process.stdout.readline() == f"{signal.SIG_IGN} {signal.SIG_DFL}\n"
    process.send_signal(signal.SIGHUP)
    process.communicate("", timeout=DEADLINE_S)
    assert process.returncode == 0
    served.end()
    served.process.wait(DEADLINE_S)


def begin_long(served: Served) -> tuple["subprocess.Popen[str]", psutil.Process]:
    process = served.begin("import os, time; print(os.getpid(), flush=True); time.sleep(1000)")
    assert process.stdout
    return process, psutil.Process(int(process.stdout.readline()))


def test_a_command_is_killed_with_its_client(served: Served) -> None:
    process, command = begin_long(served)
    process.kill()
    command.wait(DEADLINE_S)
    process.communicate(timeout=DEADLINE_S)
    assert served.run("print(1)") == (0, "1\n")


def test_a_command_and_its_client_are_killed_with_the_server(own_server: Served) -> None:
    process, command = begin_long(own_server)
    own_server.process.kill()
    command.wait(DEADLINE_S)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -signal.SIGKILL
    assert is_fresh(own_server.run("print(1)"))


def test_the_server_ends_after_its_parent_and_the_last_command(own_server: Served) -> None:
    process, command = begin_long(own_server)
    own_server.end()
    wait_for(lambda: not own_server.folder.exists())
    assert command.is_running()
    assert own_server.process.poll() is None
    process.terminate()
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -signal.SIGTERM
    assert own_server.process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize(
    "variables", [{"PYTHONHASHSEED": "7"}, {"LC_ALL": "C"}, {"LD_PRELOAD": ""}, {"TZ": "UTC+3"}]
)
def test_what_an_interpreter_reads_when_it_starts_needs_a_new_one(
    served: Served, variables: dict[str, str]
) -> None:
    assert is_fresh(served.run("print(1)", env=os.environ | variables))


def test_another_folder_needs_a_new_interpreter(served: Served, tmp_path: Path) -> None:
    assert is_fresh(served.run("print(1)", cwd=tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        lambda: os.umask(0o027),
        lambda: os.nice(1),
        lambda: resource.setrlimit(resource.RLIMIT_CPU, (5000, resource.RLIM_INFINITY)),
    ],
    ids=["umask", "nice", "limit"],
)
def test_what_a_rule_changes_for_its_command_needs_a_new_interpreter(
    served: Served, change: Callable[[], object]
) -> None:
    """As `shell.prefix("umask 027; ")` in a Snakefile does."""
    assert is_fresh(served.run("print(1)", preexec_fn=change))


def test_a_closed_stream_needs_a_new_interpreter(served: Served) -> None:
    closed = served.begin("print(1)", preexec_fn=lambda: os.close(0))
    output, _ = closed.communicate(timeout=DEADLINE_S)
    assert is_fresh((closed.returncode, output))


def test_a_request_that_is_too_long_needs_a_new_interpreter(served: Served) -> None:
    variables = {f"LONG{number}": "x" * 100_000 for number in range(12)}
    assert is_fresh(served.run("print(1)", env=os.environ | variables))


def test_rules_are_led_to_the_server(tmp_path: Path) -> None:
    """The real commands: what they print and how they end is the same by the server and without."""
    (run := tmp_path / "results/runs/one").mkdir(parents=True)
    (tmp_path / "e.yaml").write_text("")
    commands = [
        ["init-run", "--identity", "{}", "--out", str(run / "run.json"), "--log", "log"],
        ["init-run", "--help"],
        ["export-run", "--out", str(run / "manifest.json"), "--log", "log"],
        ["export-run", "--unknown"],
        ["train", "--out", str(run / "train.json"), "--log", "log"],
        ["upload-artifacts", "--out", str(run / "upload.json"), "--log", "log"],
        ["check-claims", "e.yaml", "--claims", "{}", "--log", "log"],
        ["sum-compute", "--help"],
        ["status", "--results", "nowhere"],
    ]
    code = f"""
import os, subprocess, sys
from caduceus.system.command_server import starting
if sys.argv[1] == "served":
    starting.start()
    assert os.environ["CADUCEUS_PYTHON"] != sys.executable
for words in {commands!r} * (3 if sys.argv[1] == "served" else 1):
    done = subprocess.run([os.environ["CADUCEUS_PYTHON"], "-m", "caduceus", *words])
    print(done.returncode, flush=True)
"""
    printed = {}
    for way in ("served", "fresh"):
        done = subprocess.run(
            [sys.executable, "-c", code, way],
            cwd=tmp_path,
            env=os.environ
            | {"CADUCEUS_PYTHON": sys.executable, "TMPDIR": str(tmp_path)}
            | dict.fromkeys(NUMBERS_OF_THREADS, "1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        log = tmp_path / "log"
        printed[way] = done.stdout, log.read_text()
        log.unlink()
        assert not list(tmp_path.glob("caduceus-*"))  # the folder of the socket
    assert printed["served"] == tuple(3 * text for text in printed["fresh"])


@pytest.mark.parametrize("folder", ["no/such/folder", "x" * 100])
def test_without_a_folder_for_it_commands_start_as_ever(tmp_path: Path, folder: str) -> None:
    if "/" not in folder:
        (tmp_path / folder).mkdir()
    code = (
        "import os, tempfile\n"
        f"tempfile.tempdir = {str(tmp_path / folder)!r}\n"
        "from caduceus.system.command_server import starting\n"
        "starting.start()\n"
        "print(os.environ['CADUCEUS_PYTHON'])"
    )
    words = [sys.executable, "-c", code]
    variables = os.environ | {"CADUCEUS_PYTHON": "as it was"}
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "as it was\n"


def test_commands_of_each_run_are_those_of_its_rules() -> None:
    assert RUN_COMMANDS == ("plan-run", "init-run", "train", "upload-artifacts", "export-run")


@pytest.mark.parametrize(
    ("changed", "is_refused"),
    [
        ({}, False),
        ({"TMPDIR": "/elsewhere", "SHLVL": "7"}, False),
        ({"MPLBACKEND": "svg"}, True),
        ({"HOME": None}, True),
        ({"OPENBLAS_NUM_THREADS": "2"}, True),
        ({"OMP_NUM_THREADS": None}, True),
    ],
)
def test_libraries_of_the_paper_need_the_environment_of_their_import(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], is_refused: bool
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    given = dict(os.environb)
    imports = Imports()
    for name in NUMBERS_OF_THREADS:
        given[name.encode()] = b"1"
    for name, value in changed.items():
        given.pop(name.encode(), None)
        if value is not None:
            given[name.encode()] = value.encode()
    with pytest.raises(ValueError) if is_refused else nullcontext():
        imports.prepare("sum-compute", given)
    imports.prepare("export-run", given)  # a run's command has its program's environment


def test_what_commands_import_leaves_one_thread_and_pays_off() -> None:
    code = """
import os, sys
from caduceus.system.command_server.imports import Imports, PAPER_COMMANDS, RUN_COMMANDS
imports, environment = Imports(), dict(os.environb)
def ask(command):
    imports.prepare(command, environment)
    return len(os.listdir("/proc/self/task"))
ask("export-run")
assert "caduceus.commands.export_run" not in sys.modules  # a single one imports it itself
for number in range(40):
    ask("export-run")
assert "caduceus.commands.export_run" in sys.modules and "numpy" not in sys.modules
assert {ask(command) for command in (*RUN_COMMANDS, *PAPER_COMMANDS)} == {1}
assert {"scipy.special", "pyarrow", "matplotlib.backends.backend_pdf"} <= sys.modules.keys()
assert not {"pandas", "wandb", "torch", "scipy.stats"} & sys.modules.keys()
"""
    variables = os.environ | dict.fromkeys(NUMBERS_OF_THREADS, "1")
    done = subprocess.run([sys.executable, "-c", code], env=variables, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()


def test_a_forked_process_ends_as_its_interpreter_would() -> None:
    code = """
import atexit, sys, threading
from caduceus.system.command_server.server import end_process
event = threading.Event()
threading.Thread(target=lambda: (event.wait(), print("thread"))).start()
atexit.register(print, "exit")
print("command")
event.set()
end_process(3)
"""
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (3, "command\nthread\nexit\n")


def test_a_forked_process_leaves_to_the_server_what_its_modules_want_at_the_end(
    served: Served,
) -> None:
    served.run("pass")
    assert served.run("import atexit; print(atexit._ncallbacks())")[1] == "0\n"


# Commands that threads of Snakemake have the server run, without a shell between.
PREFIX = 'set -euo pipefail;  "$CADUCEUS_PYTHON" -m caduceus init-run '
ENVIRONMENT = dict(os.environ) | {"CADUCEUS_PYTHON": "/a/script"}


def start(served: Served, command: str, **options: object) -> Any:
    """Start a shell command; returns its text in place of a process of a shell."""
    path = str(served.folder / "socket")
    starter = Starter(path, "/a/script", ["init-run"], lambda command, **_: command)
    return starter(command, **{"shell": True, "stdout": None, "env": ENVIRONMENT} | options)


def begin(served: Served, code: str) -> Command:
    command = start(served, PREFIX + shlex.quote(code))
    assert isinstance(command, Command)
    return command


def test_snakemake_starts_no_shell(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    shell: Any = importlib.import_module("snakemake.shell")
    monkeypatch.setenv("CADUCEUS_PYTHON", "/a/script")
    monkeypatch.setattr(shell, "STDOUT", None)  # of a process whose output isn't captured
    started: list[str] = []
    patched = vars(subprocess) | {"Popen": lambda command, **_: started.append(command)}
    monkeypatch.setattr(shell, "sp", SimpleNamespace(**patched))
    start_directly(str(served.folder / "socket"), "/a/script", ["init-run"])
    shell.shell('"$CADUCEUS_PYTHON" -m caduceus init-run pass')
    assert started == []
    with pytest.raises(subprocess.CalledProcessError):
        shell.shell('"$CADUCEUS_PYTHON" -m caduceus init-run {code:q}', code="sys.exit(3)")


@pytest.mark.parametrize(
    ("code", "status"),
    [("pass", 0), ("sys.exit(3)", 3), ("1 / 0", 1), ("import os; os.abort()", -signal.SIGABRT)],
)
def test_without_a_shell_it_ends_as_the_command(served: Served, code: str, status: int) -> None:
    assert begin(served, code).wait() == status


def test_without_a_shell_it_has_the_environment_the_folder_and_the_group(
    served: Served, tmp_path: Path
) -> None:
    code = (
        "import os; print(os.environ['CADUCEUS_PYTHON'], os.getcwd(), os.getpgrp(), "
        f"os.getpid(), file=open({str(tmp_path / 'said')!r}, 'w'))"
    ).replace("'", '"')
    command = begin(served, code)
    assert command.wait() == 0
    told = f"/a/script {Path.cwd()} {os.getpgrp()} {command.pid}\n"
    assert (tmp_path / "said").read_text() == told


def test_it_is_killed_with_the_process_that_asked(served: Served) -> None:
    command = begin(served, "import time; time.sleep(1000)")
    process = psutil.Process(command.pid)
    command._connection.close()  # as the kernel does
    wait_for(lambda: not process.is_running())
    assert begin(served, "pass").wait() == 0


def test_snakemake_can_end_it(served: Served) -> None:
    ended = begin(served, "import time; time.sleep(1000)")
    ended.terminate()
    assert ended.wait() == -signal.SIGTERM
    killed = begin(served, "import time; time.sleep(1000)")
    killed.kill()
    assert killed.wait() == -signal.SIGKILL


def test_it_fails_if_the_server_is_killed(own_server: Served) -> None:
    command = begin(own_server, "import time; time.sleep(1000)")
    own_server.process.kill()
    assert command.wait() == -signal.SIGKILL
    assert start(own_server, f"{PREFIX}pass") == f"{PREFIX}pass"


def test_it_never_begins_twice(tmp_path: Path) -> None:
    """The server is killed once the command has begun, and before it says anything."""
    served = Served(tmp_path, STUCK)
    (begun := tmp_path / "begun").mkdir()
    code = f"import os, time; open(f'{begun}/{{os.getpid()}}', 'w'); time.sleep(1000)"

    def kill() -> None:
        wait_for(lambda: [*begun.iterdir()])
        served.process.kill()

    with ThreadPoolExecutor() as threads:
        killing = threads.submit(kill)
        command = start(served, PREFIX + shlex.quote(code.replace("'", '"')))
        killing.result()
    served.finish()
    assert isinstance(command, Command)
    assert [str(command.pid)] == [path.name for path in begun.iterdir()]
    assert command.wait() == -signal.SIGKILL


def test_what_the_server_had_not_heard_is_left_to_the_shell(
    own_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = client.ask

    def ask_and_kill(*words: Any, **named: Any) -> Any:
        connection = ask(*words, **named)
        own_server.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(own_server.process.pid).status() == psutil.STATUS_STOPPED)
        threading.Thread(target=own_server.process.kill).start()
        return connection

    monkeypatch.setattr(client, "ask", ask_and_kill)
    assert start(own_server, f"{PREFIX}pass") == f"{PREFIX}pass"


@pytest.mark.parametrize("is_reported", [False, True])
def test_ending_what_has_ended_does_nothing(served: Served, is_reported: bool) -> None:
    command = begin(served, "import time; time.sleep(1000)")
    process = psutil.Process(command.pid)
    if not is_reported:  # the server closes the connection before it reads the signals
        served.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(served.process.pid).status() == psutil.STATUS_STOPPED)
    process.kill()
    gone = (psutil.STATUS_ZOMBIE,) if not is_reported else ()
    wait_for(lambda: not process.is_running() or process.status() in gone)
    command.terminate()
    command.kill()
    served.process.send_signal(signal.SIGCONT)
    assert command.wait() == -signal.SIGKILL
    command.terminate()
    command.kill()
    assert begin(served, "pass").wait() == 0


def test_a_signal_to_a_client_whose_command_has_ended_does_nothing(served: Served) -> None:
    process, command = begin_long(served)
    served.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(served.process.pid).status() == psutil.STATUS_STOPPED)
    command.kill()
    wait_for(lambda: command.status() == psutil.STATUS_ZOMBIE)
    process.send_signal(signal.SIGTSTP)  # the client sends it on, and then stops
    wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    served.process.send_signal(signal.SIGCONT)
    wait_for(lambda: not command.is_running())
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, output) == (-signal.SIGKILL, "")


def test_what_was_not_confirmed_never_starts(served: Served) -> None:
    """A client that has waited too long may give up whenever the server agrees."""
    words = ["-m", "caduceus", "init-run", "pass"]
    given = client.inherited(client.umask())
    variables = {os.fsencode(name): os.fsencode(value) for name, value in ENVIRONMENT.items()}
    connection = client.ask(str(served.folder / "socket"), words, variables, given, is_direct=True)
    assert connection is not None
    assert begin(served, "pass").wait() == 0
    connection.setblocking(False)
    with pytest.raises(BlockingIOError):  # else the number of the process
        connection.recv(16)
    connection.close()
    assert begin(served, "pass").wait() == 0


def test_what_timed_out_never_starts(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(served.process.pid).status() == psutil.STATUS_STOPPED)
    command = PREFIX + shlex.quote(f'open("{tmp_path / "made"}", "w")')
    with monkeypatch.context() as patched:
        patched.setattr(client, "PATIENCE_S", 0.01)
        assert start(served, command) == command
    served.process.send_signal(signal.SIGCONT)
    assert begin(served, "pass").wait() == 0
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("named", "is_left"),
    [
        *(("", False), ("{folder}/none.sh", False), ("{folder}/env.sh", True)),
        *(("$HOME/none.sh", True), ("`a`", True), ("~/none.sh", True), ("{relative}", True)),
    ],
)
def test_what_bash_would_source_is_left_to_it(
    served: Served, tmp_path: Path, named: str, is_left: bool
) -> None:
    (tmp_path / "env.sh").write_text("export CADUCEUS_PYTHON=/another\n")
    relative = os.path.relpath(tmp_path / "env.sh")
    named = named.format(folder=tmp_path, relative=relative)
    variables = ENVIRONMENT | {"BASH_ENV": named}
    command = f"{PREFIX}pass"
    started = start(served, command, env=variables)
    assert (started == command) == is_left
    assert isinstance(started, str) or started.wait() == 0


def test_another_umask_than_at_the_start_is_left_to_the_shell(served: Served) -> None:
    command = f"{PREFIX}pass"
    path = str(served.folder / "socket")
    starter = Starter(path, "/a/script", ["init-run"], lambda command, **_: command)
    assert starter(command, env=ENVIRONMENT).wait() == 0
    before = os.umask(0o027)
    try:
        assert starter(command, env=ENVIRONMENT) == command
    finally:
        os.umask(before)
    assert starter(command, env=ENVIRONMENT).wait() == 0


@pytest.mark.parametrize(
    "words",
    [
        *('"$HOME"', "$HOME", "~", "*", "a; b", "a | b", "a > b", "a & b", "`a`", "$(a)", "{a,b}"),
        *("a\\ b", "# a", "'a", "!a", "a\nb", "'a'\"b\"", "ä"),
    ],
)
def test_what_a_shell_would_replace_is_left_to_it(served: Served, words: str) -> None:
    assert start(served, PREFIX + words) == PREFIX + words


@pytest.mark.parametrize(
    "command",
    [
        PREFIX.replace("init-run", "status"),  # none that the server runs
        f"exec {PREFIX}pass",
        f"umask 027; {PREFIX}pass",  # as by `shell.prefix` of a Snakefile
        '"$CADUCEUS_PYTHON" -m caduceus init-run pass',  # another shell than bash
    ],
)
def test_other_commands_are_left_to_the_shell(served: Served, command: str) -> None:
    assert start(served, command) == command


def test_another_interpreter_or_output_is_left_to_the_shell(served: Served) -> None:
    command = f"{PREFIX}pass"
    other = ENVIRONMENT | {"CADUCEUS_PYTHON": "/another"}
    assert start(served, command, env=other) == command
    assert start(served, command, stdout=-1) == command  # a pipe


def interrupted(folder: Path) -> None:
    """Run a client in this process's group, which gets SIGINT meanwhile."""
    served = Served(folder)
    process = served.begin(COUNTING)
    assert process.stdout
    line = process.stdout.readline()
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGUSR2, lambda *_: process.send_signal(signal.SIGUSR2))
    print(line, end="", flush=True)
    output, _ = process.communicate(timeout=DEADLINE_S)
    print(output, end="")
    print(process.returncode, served.run("print('still there')")[1], end="")
    served.end()
    served.process.wait()


if __name__ == "__main__":
    interrupted(Path(sys.argv[1]))
