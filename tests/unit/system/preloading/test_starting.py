"""Programs that are forked from a preloaded process: they can't tell it from a fresh start."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from caduceus.system import processes
from caduceus.system.preloading import starting
from caduceus.system.preloading.requests import Hook, NotForkedError
from caduceus.system.preloading.starting import ForkedProgram, Preload, fork
from projects import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment of its own, whose packages are written by the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin/python"


@pytest.fixture
def owner() -> Iterator["subprocess.Popen[bytes]"]:
    """The process that the servers of a test belong to; its end ends them."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def install(python: Path, name: str, code: str) -> None:
    [site] = python.parents[1].glob("lib/python3.*/site-packages")
    # Python takes bytecode by the second and the size, which two modules of a test may share.
    for compiled in (site / "__pycache__").glob(f"{name}.*.pyc"):
        compiled.unlink()
    (site / f"{name}.py").write_text(code)


class Programs:
    """Runs a program both ways."""

    def __init__(self, python: Path, folder: Path, owner: int):
        self.python, self.folder, self.owner = python, folder, owner
        self.environment = {**os.environ, "OWN": "1"}
        self.server: int | None = None

    def fork(self, words: list[str], *modules: str, **named: object) -> ForkedProgram:
        preload = Preload(modules, owner=self.owner, **named)  # type: ignore[arg-type]
        with (self.folder / "console").open("wb") as console, Path(os.devnull).open() as nothing:
            descriptors = {0: nothing.fileno(), 1: console.fileno(), 2: console.fileno()}
            found = fork(
                [str(self.python), *words], self.folder, self.environment, descriptors, preload
            )
        self.server = psutil.Process(found.guard).ppid()
        return found

    def forked(self, words: list[str], *modules: str, **named: object) -> tuple[int, str]:
        program = self.fork(words, *modules, **named)
        with program.watched():
            status = os.waitstatus_to_exitcode(program.wait().status)
        return status, (self.folder / "console").read_text()

    def fresh(self, words: list[str]) -> tuple[int, str]:
        with (self.folder / "console").open("wb") as console:
            outcome = processes.run(
                [str(self.python), *words], self.folder, self.environment, console
            )
        status = outcome.exit_code if outcome.signal is None else -outcome.signal
        assert status is not None
        return status, (self.folder / "console").read_text()


@pytest.fixture
def programs(python: Path, tmp_path: Path, owner: "subprocess.Popen[bytes]") -> Programs:
    return Programs(python, tmp_path, owner.pid)


STATE = """
import os, sys
names = sorted(globals())
installed = lambda: sorted(n for n in sys.modules if n.startswith("pre") and "." not in n)
found = {
    "names": names, "argv": sys.argv, "orig_argv": sys.orig_argv, "file": __file__,
    "spec": str(__spec__)[:30], "package": __package__, "loader": type(__loader__).__name__,
    "cached": __cached__, "path": sys.path, "executable": sys.executable, "prefix": sys.prefix,
    "flags": str(sys.flags), "cwd": os.getcwd(), "environment": dict(os.environ),
    "hidden": installed(), "standard": [repr(s) for s in (sys.stdin, sys.stdout, sys.stderr)],
    "leads": os.getpid() == os.getsid(0) == os.getpgrp(), "main": sys.modules["__main__"].__file__,
}
import gc, importlib.util, resource, signal, threading
found["collections"] = gc.isenabled(), gc.get_threshold()
spec = importlib.util.find_spec("preloaded")
found["spec"] = [spec.name, spec.origin, spec.cached, spec.has_location]
found["still_hidden"] = installed()
import preloaded
found["shown"] = installed()
found["own_spec"] = str(preloaded.__spec__)[:20], preloaded.__file__
found["here"], found["argument"] = preloaded.HERE, preloaded.used
found["umask"] = os.umask(0)
found["limits"] = [resource.getrlimit(n) for n in range(10)]
found["signals"] = [str(signal.getsignal(n)) for n in sorted(signal.valid_signals())]
found["mask"] = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
found["descriptors"] = sorted(os.listdir("/proc/self/fd"))
found["threads"] = [t.name for t in threading.enumerate()]
try:
    found["terminal"] = os.open("/dev/tty", os.O_RDONLY)
except OSError as error:
    found["terminal"] = error.strerror
found["command"] = open("/proc/self/cmdline").read()
found["variables"] = sorted(open("/proc/self/environ").read().split("\\0"))
import json; print(json.dumps(found))
"""
PRELOADED = """
import os
import preneeded
HERE = os.getcwd()
used = preneeded.VALUE
"""


@pytest.mark.parametrize("words", [["program.py", "a", "b c"], ["./program.py"], ["-m", "program"]])
def test_a_forked_program_finds_what_a_fresh_one_finds(
    programs: Programs, words: list[str]
) -> None:
    install(programs.python, "preneeded", "VALUE = 7")
    install(programs.python, "preloaded", PRELOADED)
    install(programs.python, "preunused", "")
    (programs.folder / "program.py").write_text(STATE)
    (programs.folder / "local").mkdir()
    programs.environment["PYTHONPATH"] = os.pathsep.join(["local", str(programs.folder / "local")])
    forked = programs.forked(words, "preunused", "preloaded")
    fresh = programs.fresh(words)
    assert json.loads(forked[1]) == json.loads(fresh[1])
    assert forked[0] == fresh[0] == 0


ENDS = {
    "an error": "def f():\n    1 / 0\nprint('before')\nf()",
    "an error and its cause": "try:\n    {}[1]\nexcept KeyError:\n    raise OSError(2)",
    "a wrong syntax": "x = (",
    "a message": "import sys; sys.exit('that was all')",
    "a status": "raise SystemExit(7)",
    "an interrupt": "raise KeyboardInterrupt",
    "a signal": "import os; os.kill(os.getpid(), 9)",
    "its end": "import atexit; atexit.register(print, 'last')",
    "a hook": "import sys; sys.excepthook = lambda *a: print(a[1], a[2].tb_lineno); 1 / 0",
    "a thread": "import threading; threading.Thread(target=lambda: print('thread')).start()",
    "an error in a thread": "from threading import Thread\nt = Thread(target=int, args=('x',))\n"
    "t.start(); t.join()",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_forked_program_ends_as_a_fresh_one(programs: Programs, end: str) -> None:
    install(programs.python, "preloaded", "import atexit; atexit.register(print, 'of the module')")
    (programs.folder / "program.py").write_text("import preloaded\n" + ENDS[end])
    assert programs.forked(["program.py"], "preloaded") == programs.fresh(["program.py"])
    assert programs.forked(["-m", "program"], "preloaded") == programs.fresh(["-m", "program"])


NOISY = """
class Noisy:
    def __init__(self, name): self.name = name
    def __del__(self): print(self.name)
"""
GENERATOR = """
def rows():
    try:
        yield 1
    finally:
        print("closed")
"""
LEFT = {
    "nothing": "",
    "a status": "import sys; sys.exit(0)",
    "an empty message": "import sys; sys.exit('')",
    "a number that is no status": "import sys; sys.exit(0.0)",
    "an object that is never collected": NOISY + "import gc; held = Noisy('first'); gc.freeze()",
    "a file": "file = open('left', 'w'); file.write('all of it')",
    "a file in a cycle": "held = [open('left', 'w')]; held += [held]; held[0].write('a'); del held",
    "an archive": "import zipfile; file = zipfile.ZipFile('left', 'w'); file.writestr('a', 'b')",
    "a file in place of the output": "import sys; sys.stdout = open('left', 'w'); print('a')",
    "objects": NOISY + "_first = Noisy('first'); last = Noisy('last')",
    "an object in a cycle": NOISY + "held = [Noisy('first')]; held += [held]; del held",
    "an object that a module holds": NOISY + "preloaded.held = [Noisy('first')]",
    "an object of a module": "import own; print('imported')",
    "an object that a function made": NOISY + "import functools\n"
    "kept = functools.cache(Noisy); kept('first')",
    "a generator": GENERATOR + "started = rows(); next(started); new = rows()",
    "a generator that a module holds": GENERATOR + "preloaded.held = rows(); next(preloaded.held)",
    "what C has not written": "import ctypes; ctypes.CDLL(None).printf(b'from C')",
    "a thread that goes on": "import threading, time\n"
    "threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()",
    "what it does at the end": "import atexit; atexit.register(lambda: print('last'))",
    "an error at the end": "import atexit; atexit.register(int, 'x')",
}


@pytest.mark.parametrize("left", LEFT)
def test_what_a_program_leaves_is_deleted_as_by_a_fresh_one(programs: Programs, left: str) -> None:
    install(programs.python, "preloaded", "held = None")
    (programs.folder / "own.py").write_text(NOISY + "made = Noisy('own')")
    (programs.folder / "program.py").write_text("import preloaded\n" + LEFT[left])

    def result(way: Callable[[list[str]], tuple[int, str]]) -> tuple[int, str, bytes | None]:
        file = programs.folder / "left"
        file.unlink(missing_ok=True)
        status, output = way(["program.py"])
        plain = re.sub("0x[0-9a-f]+", "", output)
        if left == "an archive" and file.exists():  # it has the time
            return status, plain, str(zipfile.ZipFile(file).namelist()).encode()
        return status, plain, file.read_bytes() if file.exists() else None

    assert result(lambda words: programs.forked(words, "preloaded")) == result(programs.fresh)


TASK = """
import asyncio
async def fail(): 1 / 0
loop = asyncio.new_event_loop()
task = loop.create_task(fail())
loop.run_until_complete(asyncio.sleep(0))
"""
PROCESS = """
import asyncio
loop = asyncio.new_event_loop()
held = loop.run_until_complete(asyncio.create_subprocess_exec("sleep", "1000"))
"""
TELLING = """
import os, sys, preloaded
sys.addaudithook(lambda event, _, write=os.write: event[:8] == "cpython." and write(1, b"cleared"))
"""


@pytest.mark.parametrize(
    ("more", "is_short"),
    [
        *(("", True), ("import json, socket; held = socket.socket()", True)),
        *(("sys.exit()", True), ("held = open('left', 'w')", False), (TASK, False)),
        *((f"{TASK}task.exception()", True), (PROCESS, False)),
        (f"{PROCESS}held.kill(); loop.run_until_complete(held.wait())", True),
        *((f"{NOISY}preloaded.held = Noisy('')", False), ("import noisy", False)),
        ("import ctypes, shutil; held = ctypes.CDLL(shutil.copy(sys.argv[1], 'libown.so'))", False),
    ],
)
def test_shared_modules_stay_only_where_nobody_notices(
    programs: Programs, more: str, is_short: bool
) -> None:
    install(programs.python, "preloaded", "held = None")
    install(programs.python, "noisy", f"{NOISY}held = Noisy('')")
    (programs.folder / "program.py").write_text(TELLING + more)
    library = importlib.util.find_spec("_bisect")
    assert library and library.origin
    modules = ("preloaded", "noisy") if "noisy" in more else ("preloaded",)
    _, output = programs.forked(["program.py", library.origin], *modules)
    assert ("cleared" not in output) == is_short
    assert "cleared" in programs.fresh(["program.py", library.origin])[1]


MAKES = """
import random, tempfile, time
own, seeded, started = random.Random(), random.Random(5), time.time()
folder = tempfile.TemporaryDirectory(suffix="-media")
"""


@pytest.mark.parametrize("change", ["gc.set_threshold(123, 4, 5)", "gc.disable()"])
def test_a_module_may_change_when_garbage_is_collected(programs: Programs, change: str) -> None:
    install(programs.python, "prerare", f"import gc; {change}")
    program = "import gc, prerare; print(gc.get_threshold(), gc.isenabled())"
    (programs.folder / "program.py").write_text(program)
    assert programs.forked(["program.py"], "prerare") == programs.fresh(["program.py"])


def test_modules_that_a_package_makes_by_itself_come_with_it(programs: Programs) -> None:
    """As those that torch makes in C: Python never looks for them."""
    made = "import sys, types\ninner = types.ModuleType('inner')\ninner.VALUE = 7\n"
    made += "sys.modules['preloaded.made.inner'] = inner\n"
    made += "sys.modules['preloaded.made'] = types.ModuleType('made')"
    install(programs.python, "preloaded", made)
    (programs.folder / "program.py").write_text(
        "import sys\nprint('preloaded.made.inner' in sys.modules)\n"
        "import preloaded\nfrom preloaded.made.inner import VALUE\nprint(VALUE)"
    )
    assert programs.fresh(["program.py"]) == (0, "False\n7\n")
    assert programs.forked(["program.py"], "preloaded") == (0, "False\n7\n")


def test_what_a_module_makes_at_import_is_made_anew_in_each_program(programs: Programs) -> None:
    """As wandb: each program's end deletes the temporary folder of that program only."""
    install(programs.python, "preloaded", MAKES)
    (programs.folder / "program.py").write_text(
        "import os, preloaded, random\n"
        "assert os.path.isdir(preloaded.folder.name)\n"
        "print(preloaded.folder.name, preloaded.own.random(), random.random())\n"
        "print(preloaded.seeded.random(), preloaded.started)"
    )
    found = [programs.forked(["program.py"], "preloaded")[1].split() for _ in range(2)]
    folders, own, shared, seeded, started = zip(*found, strict=True)
    assert len({*folders}) == len({*own}) == len({*shared}) == len({*started}) == 2
    assert len({*seeded}) == 1
    assert not any(Path(folder).exists() for folder in folders)
    assert all(folder.endswith("-media") for folder in folders)


GENERATORS = """
import random
import numpy as np
import torch
torch.set_num_threads(1)
print(random.random())
print(np.random.rand())
print(torch.initial_seed(), torch.randperm(1000).tolist(), torch.nn.Linear(1, 1).weight.item())
"""


@pytest.fixture(scope="module")
def python_with_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that finds the packages of this one too."""
    folder = tmp_path_factory.mktemp("with_torch")
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python3.*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin/python"


def test_generators_differ_between_programs_unless_a_module_seeds_them(
    programs: Programs, python_with_torch: Path
) -> None:
    programs.python = python_with_torch
    programs.environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    (programs.folder / "program.py").write_text(GENERATORS)
    printed = [programs.forked(["program.py"], "torch")[1].splitlines() for _ in range(2)]
    assert all(one != other for one, other in zip(*printed, strict=True))
    code = "import random, numpy, torch\nrandom.seed(3); numpy.random.seed(4); torch.manual_seed(5)"
    install(programs.python, "seeding", code)
    (programs.folder / "program.py").write_text("import seeding" + GENERATORS)
    fresh = programs.fresh(["program.py"])
    assert programs.forked(["program.py"], "seeding") == fresh
    assert fresh[0] == 0


UNFIT = {
    "starts 1 threads": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "opens socket": "import socket; kept = socket.socket()",
    "prints: hello": "print('hello')",
    "reads OWN": "import os; os.environ.get('OWN')",
    "makes the temporary file": "import os, tempfile; os.close(tempfile.mkstemp()[0])",
    "a lock that all processes would share": "import multiprocessing as m; kept = m.Lock()",
    "importing preloaded fails: ZeroDivisionError": "1 / 0",
    "keeps preother.init": "import preother; mine = preother.init",
}


@pytest.mark.parametrize("reason", UNFIT)
def test_a_module_that_a_fork_would_share_is_not_preloaded(programs: Programs, reason: str) -> None:
    install(programs.python, "preother", "def init(): pass")
    install(programs.python, "preloaded", UNFIT[reason])
    (programs.folder / "program.py").write_text("")
    for is_new in (True, False):
        with pytest.raises(NotForkedError, match=reason) as refused:
            programs.forked(
                ["program.py"], "preloaded", varying=("OWN",), replaced=("preother.init",)
            )
        assert refused.value.is_new == is_new


WAITING = """
import time
from pathlib import Path
while not Path({0!r}).exists():
    Path({1!r}).touch()
    time.sleep(0.01)
"""


def test_a_run_that_stops_waiting_for_the_modules_is_not_started_by_the_server(
    programs: Programs, tmp_path: Path
) -> None:
    """One starts the server, the other waits for it; each is asked whether it still waits."""
    imported, begun = tmp_path / "imported", tmp_path / "begun"
    install(programs.python, "preloaded", WAITING.format(str(imported), str(begun)))
    (tmp_path / "program.py").write_text("import os; open(os.environ['WHO'], 'w').close()")
    asked: list[str] = []

    def go(who: str, should_wait: Callable[[], bool]) -> ForkedProgram:
        words, environment = [str(programs.python), "program.py"], {**os.environ, "WHO": who}
        preload = Preload(("preloaded",), owner=programs.owner, varying=("WHO",))
        return fork(words, tmp_path, environment, {0: 0, 1: 1, 2: 2}, preload, should_wait)

    def waits_on() -> bool:
        asked.append("first")
        return True

    with ThreadPoolExecutor() as pool:
        first = pool.submit(go, "first", waits_on)
        wait_for(begun.exists)
        with pytest.raises(NotForkedError, match="stopped while"):
            go("second", lambda: False)
        wait_for(lambda: asked)
        imported.touch()
        with first.result().watched():
            assert first.result().wait().status == 0
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()


def test_nothing_starts_without_a_last_word_of_the_supervisor(
    programs: Programs, tmp_path: Path
) -> None:
    """The server is stopped after it has got the request, until the supervisor has gone away."""
    (tmp_path / "program.py").write_text("import os; open(os.environ['OWN'], 'w').close()")
    assert programs.forked(["program.py"], varying=("OWN",)) == (0, "")
    server = psutil.Process(programs.server)
    server.suspend()
    preload = Preload((), owner=programs.owner, varying=("OWN",))
    environment = programs.environment | {"OWN": "late"}
    words = [str(programs.python), "program.py"]
    with pytest.raises(NotForkedError, match="stopped before"):
        fork(words, tmp_path, environment, {0: 0, 1: 1, 2: 2}, preload, lambda: False)
    server.resume()
    programs.environment["OWN"] = "next"
    assert programs.forked(["program.py"], varying=("OWN",)) == (0, "")
    wait_for(lambda: not server.children())
    assert not (tmp_path / "late").exists()
    assert (tmp_path / "next").exists()


COMMANDS = {
    "isn't that of a Python program": ["env", "A=1", "python"],
    "isn't a Python interpreter": ["sh", "-c", "python"],
    "options of Python": [sys.executable, "-O", "program.py"],
    "isn't a file of Python code": [sys.executable, "none.py"],
}


@pytest.mark.parametrize("reason", COMMANDS)
def test_other_commands_start_afresh(tmp_path: Path, reason: str) -> None:
    with pytest.raises(NotForkedError, match=reason):
        fork(COMMANDS[reason], tmp_path, os.environ, {}, Preload(()))


def test_a_file_that_hides_a_preloaded_package_is_imported_as_afresh(programs: Programs) -> None:
    install(programs.python, "preloaded", "")
    (programs.folder / "preloaded.py").write_text("")
    (programs.folder / "program.py").write_text("")
    with pytest.raises(NotForkedError, match=r"preloaded.py is imported in place"):
        programs.forked(["program.py"], "preloaded")


@pytest.mark.parametrize("place", ["", "local"])
@pytest.mark.parametrize("name", ["calendar.py", "preloaded/__init__.py", "json/__init__.py"])
def test_a_module_of_the_program_that_hides_another_is_imported_as_afresh(
    programs: Programs, name: str, place: str
) -> None:
    install(programs.python, "preloaded", "import calendar")
    own = programs.folder / place / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("")
    (programs.folder / "program.py").write_text("")
    programs.environment["PYTHONPATH"] = str(programs.folder / place)
    with pytest.raises(NotForkedError, match="is imported in place"):
        programs.forked(["program.py"], "preloaded")


def test_a_program_that_changes_the_environment_starts_afresh(programs: Programs) -> None:
    """A fork has imported the module before, with the value from before."""
    install(programs.python, "preloaded", "import os\nVALUE = os.environ.get('CHANGED')")
    program = programs.folder / "program.py"
    program.write_text("import os\nos.environ['CHANGED'] = '1'\nimport preloaded")
    with pytest.raises(NotForkedError, match=r"program\.py:2 changes os\.environ"):
        programs.fork(["program.py"], "preloaded")


def test_a_preloaded_module_that_is_the_program_starts_afresh(programs: Programs) -> None:
    install(programs.python, "preloaded", "")
    with pytest.raises(NotForkedError, match="is the program"):
        programs.forked(["-m", "preloaded"], "preloaded")


def test_a_folder_that_is_no_package_hides_no_module_of_python(programs: Programs) -> None:
    (programs.folder / "json").mkdir()
    (programs.folder / "program.py").write_text("import json; print(json.dumps(1))")
    assert programs.forked(["program.py"]) == (0, "1\n")


def test_a_file_that_a_package_reads_at_import_needs_a_fresh_start(programs: Programs) -> None:
    install(programs.python, "numba", "")
    (programs.folder / "program.py").write_text("import numba")
    assert programs.forked(["program.py"], "numba") == (0, "")
    (programs.folder / ".numba_config.yaml").write_text("num_threads: 1")
    with pytest.raises(NotForkedError, match=r"numba reads \.numba_config\.yaml"):
        programs.forked(["program.py"], "numba")


def test_one_server_serves_many_programs_until_a_module_changes(programs: Programs) -> None:
    install(programs.python, "preloaded", "VALUE = 1")
    (programs.folder / "program.py").write_text("import preloaded; print(preloaded.VALUE)")
    servers = []
    for _ in range(2):
        assert programs.forked(["program.py"], "preloaded") == (0, "1\n")
        servers.append(programs.server)
    install(programs.python, "preloaded", "VALUE = 22")
    assert programs.forked(["program.py"], "preloaded") == (0, "22\n")
    assert servers[0] == servers[1] != programs.server


def test_a_server_with_further_modules_is_forked_from_that_of_the_first(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both made while they were imported is each program's own, as after a fresh start."""
    install(programs.python, "first", "import atexit; atexit.register(print, 'first')\n" + MAKES)
    install(programs.python, "second", "import first, os\nowner = os.getpid()\n" + MAKES)
    (programs.folder / "program.py").write_text(
        "import sys\nprint('first' in sys.modules, 'second' in sys.modules)\n"
        "import second, os, random\nfrom second import first\n"
        "print(second.owner, first.folder.name, second.folder.name, random.random())\n"
        "print(first.own.random(), second.own.random(), first.started, second.started)\n"
        "print(first.seeded.random(), second.seeded.random(), os.path.isdir(first.folder.name))"
    )

    def found(*modules: str) -> tuple[list[str], int]:
        status, printed = programs.forked(["program.py"], *modules, base=("first",))
        assert status == 0, printed
        assert programs.server is not None
        return printed.split(), programs.server

    base, base_server = found("first")
    enough, server = found("first", "second")
    assert server == base_server  # few modules are missing
    monkeypatch.setattr(starting, "_FEW", 0)
    first, server = found("first", "second")
    second, same_server = found("first", "second")
    assert server == same_server != base_server
    assert psutil.Process(server).ppid() == base_server
    assert first[2] == second[2] == str(server)
    assert base[-4:] == enough[-4:] == first[-4:] == second[-4:]  # the seeded, the folder, the end
    for each in (base, enough, first, second):
        assert each[:2] == ["False", "False"]
        assert not Path(each[3]).exists() and not Path(each[4]).exists()
    own = [text for each in (base, enough, first, second) for text in each[3:10]]
    assert len({*own}) == len(own)
    install(
        programs.python,
        "third",
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    )
    with pytest.raises(NotForkedError, match="starts 1 threads"):
        found("first", "third")
    assert found("first")[1] == base_server


@pytest.mark.parametrize("change", ["environment", "modules", "interpreter"])
def test_what_a_module_may_read_at_import_has_a_server_of_its_own(
    programs: Programs, change: str
) -> None:
    install(programs.python, "preloaded", "import os; THREADS = os.environ.get('OMP_NUM_THREADS')")
    install(programs.python, "preother", "")
    (programs.folder / "program.py").write_text("import preloaded; print(preloaded.THREADS)")
    programs.environment["OMP_NUM_THREADS"] = "1"
    assert programs.forked(["program.py"], "preloaded") == (0, "1\n")
    first = programs.server
    if change == "environment":
        programs.environment["OMP_NUM_THREADS"] = "2"
        assert programs.forked(["program.py"], "preloaded") == (0, "2\n")
    elif change == "modules":
        programs.forked(["program.py"], "preloaded", "preother")
    else:
        other = programs.python.with_name("python3")
        programs.python = other
        programs.forked(["program.py"], "preloaded")
    assert programs.server != first


def test_the_server_ends_with_its_owner_and_leaves_nothing(
    programs: Programs, owner: "subprocess.Popen[bytes]"
) -> None:
    (programs.folder / "program.py").write_text("")
    programs.forked(["program.py"])
    server = psutil.Process(programs.server)
    owner.kill()
    owner.wait()
    wait_for(lambda: not server.is_running())
    (programs.folder / "program.py").write_text("")
    with pytest.raises(NotForkedError, match="has ended"):
        programs.forked(["program.py"])


def test_the_server_ends_when_it_is_idle_but_not_before_its_program(programs: Programs) -> None:
    (programs.folder / "program.py").write_text("import time; time.sleep(600)")
    program = programs.fork(["program.py"], idle_s=2)
    server = psutil.Process(programs.server)
    with pytest.raises(psutil.TimeoutExpired):
        server.wait(3)
    os.kill(program.pid, signal.SIGKILL)
    with program.watched():
        program.wait()
    wait_for(lambda: not server.is_running())
    assert programs.forked(["-m", "this"])[0] == 0


def test_a_program_gets_sigterm_when_its_supervisor_ends(programs: Programs) -> None:
    (programs.folder / "program.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: (open('ended', 'w').close(), sys.exit()))\n"
        "open('ready', 'w').close(); time.sleep(600)"
    )
    program = programs.fork(["program.py"])
    wait_for((programs.folder / "ready").exists)
    with program.watched():
        pass  # closes the connection, as the end of this process would
    wait_for((programs.folder / "ended").exists)


def test_a_killed_server_ends_no_program(programs: Programs) -> None:
    (programs.folder / "program.py").write_text(
        "import os, time\nopen('ready', 'w').close()\n"
        "while not os.path.exists('go'): time.sleep(0.01)\nprint('end')"
    )
    program = programs.fork(["program.py"])
    wait_for((programs.folder / "ready").exists)
    assert programs.server is not None
    os.kill(programs.server, signal.SIGKILL)
    (programs.folder / "go").touch()
    with program.watched():
        assert program.wait().status == 0
    assert (programs.folder / "console").read_text() == "end\n"


def test_a_hook_starts_before_the_program(programs: Programs) -> None:
    folder = programs.folder / "hooks"
    folder.mkdir()
    (folder / "ownhook.py").write_text(
        "import builtins, sys\ndef start(): builtins.path_at_start = list(sys.path)"
    )
    (programs.folder / "program.py").write_text(
        "import sys; print(str(sys.path[0]) not in path_at_start, 'hooks' in str(sys.path))"
    )
    programs.environment["PYTHONPATH"] = str(folder)
    hook = Hook(folder, "ownhook")
    assert programs.forked(["program.py"], hook=hook) == (0, "True False\n")


def run(programs: Programs, code: str, patience: processes.Patience) -> processes.Outcome:
    (programs.folder / "program.py").write_text(code)
    program = programs.fork(["program.py"])
    with (programs.folder / "console").open("ab") as console:
        return processes.run([], programs.folder, {}, console, forked=program, patience=patience)


HOUR = 3600.0


def test_what_outlives_a_forked_program_is_ended_and_counted(programs: Programs) -> None:
    code = (
        "import os, signal, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid(); signal.signal(15, signal.SIG_IGN)\n"
        "    while time.process_time() < 0.3: pass\n"
        "    print(os.getpid(), flush=True); time.sleep(600)\n"
        "while time.process_time() < 0.2: pass\n"
        "while not os.fstat(1).st_size: time.sleep(0.01)"
    )
    outcome = run(programs, code, processes.Patience(linger_s=0.1, linger_grace_s=0.1))
    assert outcome.exit_code == 0
    assert not psutil.pid_exists(int((programs.folder / "console").read_text()))
    assert 0.5 <= outcome.cpu_s < 5
    assert outcome.peak_memory_bytes > 1e6


def test_descendants_of_a_forked_program_may_finish(programs: Programs) -> None:
    code = (
        "import os, time\nprogram = os.getpid()\nif os.fork() == 0:\n"
        "    while os.getppid() == program: time.sleep(0.01)\n    print('done', flush=True)\n"
    )
    outcome = run(programs, code, processes.Patience(linger_s=HOUR))
    assert outcome.exit_code == 0
    assert (programs.folder / "console").read_text() == "done\n"


def test_limits_umask_and_ignored_signals_are_those_of_the_caller(programs: Programs) -> None:
    (programs.folder / "program.py").write_text(
        "import os, resource, signal\n"
        "print(oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_NOFILE)[0],\n"
        "      signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN)"
    )
    programs.forked(["program.py"])  # the server starts with other ones
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    umask, handler = os.umask(0o027), signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 7, hard))
    try:
        _, printed = programs.forked(["program.py"])
    finally:
        os.umask(umask)
        signal.signal(signal.SIGUSR2, handler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert printed == f"0o27 {soft - 7} True\n"


def test_the_list_of_modules_may_be_long(programs: Programs) -> None:
    [site] = programs.python.parents[1].glob("lib/python3.*/site-packages")
    names = [f"preloaded_{'x' * 120}_{number}" for number in range(1200)]
    for name in names:
        (site / f"{name}.py").touch()
    (programs.folder / "program.py").write_text("")
    assert programs.forked(["program.py"], *names) == (0, "")
    for name in names:
        (site / f"{name}.py").unlink()


def test_descriptors_keep_their_numbers(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import os; os.write(77, b'here')")
    with (tmp_path / "other").open("wb") as other, (tmp_path / "console").open("wb") as console:
        descriptors = {0: console.fileno(), 1: console.fileno(), 2: 2, 77: other.fileno()}
        program = fork(
            [str(programs.python), "program.py"],
            tmp_path,
            programs.environment,
            descriptors,
            Preload((), owner=programs.owner),
        )
    with program.watched():
        assert program.wait().status == 0
    assert (tmp_path / "other").read_text() == "here"


def test_a_folder_that_others_may_enter_is_not_used(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text("")
    monkeypatch.setattr(starting.private_folders.tempfile, "tempdir", str(tmp_path))
    assert programs.forked(["program.py"]) == (0, "")
    [root] = tmp_path.glob("caduceus-preload-*")
    assert root.stat().st_mode & 0o777 == 0o700
    root.chmod(0o755)
    with pytest.raises(NotForkedError, match="isn't private"):
        programs.forked(["program.py"])


def test_a_long_path_of_the_temporary_folder_is_no_reason(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text("")
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.setattr(starting.private_folders.tempfile, "tempdir", str(folder))
    assert programs.forked(["program.py"]) == (0, "")
