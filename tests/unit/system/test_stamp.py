"""A stamp answers only while all that was looked at is as it was."""

import importlib.util
import itertools
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from caduceus.system import processes
from caduceus.system.file_states import FileStates
from caduceus.system.recorded_reads import RecordedReads
from caduceus.system.stamp import Stamp, have_settled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import REPOSITORY

NAMES = ("a", "b", "folder/a", "folder/b", "folder/deep/a", "link")
NUMBERS = itertools.count()


# Others may change or link a file here while a test runs.
PACKAGES = tuple(os.fsencode(place) for place in {sys.prefix, sys.base_prefix, REPOSITORY})


class OwnReads(RecordedReads):
    """Record no reads of threads that earlier tests have left in this process, nor of packages.

    Attributes:
        began_ns: the time before the first of them.
    """

    began_ns = 0

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if threading.current_thread() is threading.main_thread():
            super().hear(event, arguments)

    def _note(self, path: Any, is_listed: bool = False) -> None:
        is_own = isinstance(path, int) or not os.fsencode(path).startswith(PACKAGES)
        if is_own and threading.current_thread() is threading.main_thread():
            super()._note(path, is_listed)

    def reasons(self) -> list[bytes]:
        """Return the paths because of which a stamp wasn't written, or doesn't answer."""
        files = FileStates()
        return [
            path
            for path, state in self.states.items()
            if not have_settled([state], self.began_ns) or files.of(path) != state
        ]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which Snakemake has run; Python has looked for no module elsewhere."""
    (tmp_path / "project/.snakemake").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(sys, "path_importer_cache", {})
    return tmp_path / "project"


def settle() -> None:
    """Wait until the clock of the file system is past the last change by more than a tick."""
    youngest = max(path.lstat().st_ctime_ns for path in (Path(), *Path().rglob("*")))
    probe = Path(".snakemake/probe")
    while not probe.exists() or probe.stat().st_ctime_ns < youngest + 60_000_000:
        time.sleep(0.005)
        probe.write_text("")
    probe.unlink()


def remember(look: Callable[[], object], words: Sequence[str] = ()) -> OwnReads:
    """Have this process look at files, and keep what it saw; returns all that it looked at."""
    stamp = Stamp("test", words)
    reads = OwnReads()
    reads.began_ns = stamp.begin()
    assert reads.began_ns
    reads.start()
    try:
        seen = look()
    finally:
        reads.stop()
    stamp.write(repr(seen), reads, reads.began_ns)
    return reads


def answer(words: Sequence[str] = ()) -> str | None:
    return Stamp("test", words).answer()


def look_everywhere() -> list[object]:
    """What a workflow may ask for: contents, times, names, links, and what isn't there."""
    seen: list[object] = []
    for name in NAMES:
        path = Path(name)
        with suppress(OSError):
            seen.append(path.is_file() and path.read_bytes())
            seen.append(path.is_symlink() and path.readlink())
            seen.append(path.lstat().st_mtime_ns)
    walk = os.walk("folder", followlinks=True)
    seen += [(base, sorted(folders), sorted(names)) for base, folders, names in walk]
    seen.append(sorted(Path().glob("*/*a")))
    with os.scandir() as entries:
        files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        seen.append(sorted((entry.name, entry.stat().st_size) for entry in files))
    return seen


def write(name: str, content: bytes) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)


def write_anew(name: str, content: bytes) -> None:
    """As editors do: another file takes the name."""
    write(f"{name}.new", content)
    Path(f"{name}.new").replace(name)


def write_with_its_time(name: str, content: bytes) -> None:
    """Of the same time, and of the same size if the content is as long."""
    old = Path(name).stat()
    Path(name).write_bytes(content)
    os.utime(name, ns=(old.st_atime_ns, old.st_mtime_ns))


def delete(name: str, content: bytes) -> None:
    Path(name).unlink()


def touch(name: str, content: bytes) -> None:
    os.utime(name)


def link(name: str, content: bytes) -> None:
    Path(name).unlink(missing_ok=True)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).symlink_to(os.path.relpath("b" if content else "folder", Path(name).parent))


def rename(name: str, content: bytes) -> None:
    Path(name).rename("b" if content else "folder/a")


def exchange_folders(name: str, content: bytes) -> None:
    Path("folder").rename("moved")
    Path("other").mkdir()
    Path("other").rename("folder")


EDITS = (write, write_anew, write_with_its_time, delete, touch, link, rename, exchange_folders)
Edits = list[tuple[Callable[[str, bytes], None], str, bytes]]
SOME = st.lists(
    st.tuples(st.sampled_from(EDITS), st.sampled_from(NAMES), st.sampled_from([b"one", b"two"])),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=SOME, after=SOME, is_settled=st.booleans())
def test_it_never_answers_what_another_look_would_not(
    tmp_path: Path, before: Edits, after: Edits, is_settled: bool
) -> None:
    place = tmp_path / f"example{next(NUMBERS)}"
    (place / ".snakemake").mkdir(parents=True)
    os.chdir(place)
    for edit, name, content in [(write, "a", b"one"), (write, "b", b"two"), *before]:
        with suppress(OSError):  # what the file system refuses
            edit(name, content)
    if is_settled:
        settle()

    reads = remember(look_everywhere)
    assert reads.doubt == ""

    known = answer()
    is_allowed = known is None and not is_settled
    assert known == repr(look_everywhere()) or is_allowed, reads.reasons()
    for edit, name, content in after:
        with suppress(OSError):
            edit(name, content)
        assert answer() in (None, repr(look_everywhere()))


def test_a_file_that_was_missed_counts() -> None:
    settle()
    remember(Path("missing").exists)
    assert answer() == "False"

    Path("missing").touch()

    assert answer() is None


def test_a_file_that_nothing_looked_at_does_not_count() -> None:
    write("looked_at", b"1")
    write("folder/other", b"1")
    settle()
    remember(Path("looked_at").read_bytes)

    write("folder/other", b"2")

    assert answer() == "b'1'"


def test_the_states_of_what_a_snakefile_lists_count() -> None:
    """It runs with the globals of a module of Snakemake, which itself lists names alone."""
    write("data/a", b"1")
    settle()
    code = compile(
        "import os\nfound = [e.stat().st_size for e in os.scandir('data')]", "Snakefile", "exec"
    )
    remember(lambda: exec(code, {"__name__": "snakemake.workflow", "__file__": "workflow.py"}))
    assert answer() == "None"

    write("data/a", b"22")

    assert answer() is None


def test_a_module_that_could_be_imported_now_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.util.find_spec("not_there_yet") is None  # before anything is recorded
    settle()
    remember(lambda: importlib.util.find_spec("not_there_yet"))
    assert answer() == "None"

    (tmp_path / "not_there_yet.py").touch()

    assert answer() is None


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_module_that_was_loaded_from_its_bytecode_counts(is_kept: bool) -> None:
    def load() -> int:
        spec = importlib.util.spec_from_file_location("helpers_of_a_rule", "helpers.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        if is_kept:
            sys.modules["helpers_of_a_rule"] = module
        spec.loader.exec_module(module)
        sys.modules.pop("helpers_of_a_rule", None)
        found: int = module.VALUE
        return found

    write("helpers.py", b"VALUE = 1")
    load()  # writes the bytecode
    settle()
    remember(load)
    assert answer() == "1"

    write("helpers.py", b"VALUE = 2")

    assert answer() is None


def test_files_in_memory_count_and_devices_do_not() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file = Path(folder, "a")
        file.write_bytes(b"1")
        settle()
        time_of_file = file.stat().st_ctime_ns
        while time.time_ns() < time_of_file + 60_000_000:
            time.sleep(0.005)
        remember(lambda: (file.read_bytes(), Path("/dev/null").read_bytes()))
        assert answer() == "(b'1', b'')"

        file.write_bytes(b"2")

        assert answer() is None


def test_a_machine_without_a_home_and_a_writable_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    def refuse() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    settle()
    remember(Path("missing").exists)

    assert answer() == "False"


def test_a_file_of_the_future_leaves_no_stamp() -> None:
    write("a", b"1")
    os.utime("a", ns=(2**62, 2**62))
    settle()
    remember(Path("a").read_bytes)

    assert answer() is None


def test_other_words_another_variable_and_a_copy_are_not_known(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle()
    remember(Path("missing").exists, ["--cores", "2"])
    assert answer(["--cores", "2"]) == "False"

    assert answer(["--cores", "3"]) is None
    with monkeypatch.context() as changed:
        changed.setenv("LEARNING_RATE", "0.1")
        assert answer(["--cores", "2"]) is None
    with monkeypatch.context() as changed:
        changed.setenv("OLDPWD", "/")
        assert answer(["--cores", "2"]) == "False"
    place.rename(place.with_name("moved"))
    os.chdir(place.with_name("moved"))
    assert answer(["--cores", "2"]) is None


def test_it_is_gone_once_the_command_begins_again() -> None:
    settle()
    remember(Path("missing").exists)

    Stamp("test", ()).begin()

    assert answer() is None


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]\na", b'{"key": 1}\n\xff'])
def test_a_damaged_stamp_answers_nothing(content: bytes) -> None:
    Path(".snakemake/caduceus").mkdir()
    Path(".snakemake/caduceus/test").write_bytes(content)

    assert answer() is None


def test_where_snakemake_never_ran_nothing_is_written(place: Path) -> None:
    Path(".snakemake").rmdir()

    assert not Stamp("test", ()).begin()
    assert list(place.iterdir()) == []


def ask_a_program() -> None:
    processes.capture(["git", "rev-parse", "HEAD"])


def ask_a_database() -> None:
    sqlite3.connect(":memory:").close()


def write_into_the_project() -> None:
    Path("counter").write_text("1")


def make_a_folder_in_the_project() -> None:
    Path("made").mkdir()


def go_elsewhere() -> None:
    os.chdir("/")


def look_at_another_process() -> None:
    Path(f"/proc/{os.getppid()}/stat").read_text()


def take_a_file_from_an_open_folder() -> None:
    folder = os.open(".", os.O_RDONLY)
    os.stat(".", dir_fd=folder)
    os.close(folder)


def read_a_pipe() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"1")
    os.close(writer)
    Path(f"/dev/fd/{reader}").read_bytes()
    os.close(reader)


@pytest.mark.parametrize(
    "look",
    [
        *(
            read_a_pipe,
            ask_a_program,
            ask_a_database,
            write_into_the_project,
            make_a_folder_in_the_project,
        ),
        *(go_elsewhere, look_at_another_process, take_a_file_from_an_open_folder),
    ],
)
def test_what_files_do_not_decide_is_a_doubt(look: Callable[[], None]) -> None:
    assert remember(look).doubt
    assert answer() is None


def test_what_is_watched_works_as_ever(tmp_path: Path) -> None:
    write("a", b"1")
    reads = RecordedReads()
    reads.start()
    try:
        with pytest.raises(FileNotFoundError):
            os.lstat("missing")
        with pytest.raises(TypeError):
            os.stat()
        with pytest.raises(NotADirectoryError), os.scandir("a"):
            pass
        assert os.stat in os.supports_follow_symlinks
        Path("link").symlink_to("a")
        shutil.copy2("link", tmp_path / "copy", follow_symlinks=False)
    finally:
        reads.stop()
    assert os.stat.__module__ == "posix"
