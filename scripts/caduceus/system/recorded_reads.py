"""Record what this process looks at in the file system: what it opens, lists or asks the state of.

Python's audit events tell of each file that is opened and each folder that is listed. They don't
tell of `os.stat`, by which programs look for files, so functions of `os` are exchanged while reads
are recorded. Not seen are reads by a library's own C code (`_READ_UNSEEN`), the time of day, and
what the kernel says of itself in /proc and /sys.
"""

import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from types import FrameType
from typing import Any

from caduceus.system.file_states import SNAKEMAKE, FileStates, State, has_pipe

_QUERIES = ("stat", "lstat", "access", "readlink")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Events of changes, with the places of the changed paths among their arguments.
_ONE = ("os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.rmtree")
_CHANGES = dict.fromkeys(_ONE, (0,)) | {"os.rename": (0, 1), "os.symlink": (1,), "os.link": (1,)}
# What else can decide: other processes and hosts, databases, another working folder.
_UNKNOWN = {
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
    *("socket.connect", "socket.getaddrinfo", "socket.sendto", "sqlite3.connect"),
    *("os.chdir", "os.fwalk", "os.kill"),
    *("fcntl.flock", "fcntl.lockf"),
}
_PROCESS = re.compile(rb"/proc/(\d*)(?:/|$)")  # or all of them
_HARMLESS_PROGRAMS = {"uname"}  # of `platform.processor`, which libraries call
# Modules that open files by C, C++ or Rust code of their own, or start processes unheard. pandas
# imports the base of pyarrow, which isn't among them.
_READ_UNSEEN = {
    *("pyarrow.csv", "pyarrow.dataset", "pyarrow.feather", "pyarrow.fs", "pyarrow.json"),
    *("pyarrow.orc", "pyarrow.parquet", "polars", "duckdb", "h5py", "netCDF4", "tables", "lance"),
    *("torch", "tensorflow", "jax", "cv2", "safetensors", "lmdb", "fastparquet", "rasterio"),
    *("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"),
}
# They list folders without asking for the states of what is in them.
_LIST_NAMES = ("os", "glob", "pathlib", "shutil", "snakemake", "caduceus")


class RecordedReads:
    """The reads of this process from `start` to `stop`, in which one instance at a time records.

    Attributes:
        states: of each path that was looked at, taken before it was read for the first time.
        doubt: why these states may not decide what the process does; empty if they do.
    """

    def __init__(self) -> None:
        self.states: dict[bytes, State] = {}
        self.doubt = ""
        self._files = FileStates()
        self._root = Path.cwd()
        self._caches: set[bytes] = set()
        self._here = threading.local()
        self._replaced: dict[str, Any] = {}
        self._imported: set[str] = set()

    def start(self) -> None:
        """Begin to record."""
        self._imported = set(sys.modules)
        for name in _QUERIES:
            self._replace(name, self._watched(getattr(os, name)))
        self._replace("scandir", self._watched_scandir(os.scandir))
        _listeners.append(self)
        _listen()

    def stop(self) -> None:
        """Stop recording, and add the code that was imported, and where Python looks for more."""
        if self not in _listeners:
            return
        _listeners.remove(self)
        for name, function in self._replaced.items():
            setattr(os, name, function)
        for folder in self._caches:
            self.states.pop(folder, None)
        for place in {*sys.path, *sys.path_importer_cache}:
            self._note(place or ".", is_listed=True)
        for name, module in list(sys.modules.items()):
            if name in _READ_UNSEEN - self._imported:
                self._doubt(f"{name} may read files unseen")
            if isinstance(file := getattr(module, "__file__", None), str):
                self._note(file)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event of Python."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES:
                self._write(path)
            else:
                self._note(path)
        elif event == "exec":  # of a module, whose source isn't opened where bytecode is kept
            file = getattr(arguments[0], "co_filename", "<")
            if not file.startswith("<"):
                self._note(file)
        elif event == "import" and arguments[1]:  # of a library in C
            self._note(arguments[1])
        elif event in ("os.listdir", "os.scandir"):
            self._note("." if arguments[0] is None else arguments[0], is_listed=True)
        elif event == "os.mkdir":
            path, _, folder = arguments
            if folder == -1 and not os.path.isdir(path):  # noqa: PTH112 # may be bytes
                self._write(path)
        elif event in _CHANGES:
            folder = None if event == "os.truncate" else arguments[-1]
            if folder in (
                None,
                -1,
            ):  # else the path starts at a folder that `shutil.rmtree` has open
                for place in _CHANGES[event]:
                    self._write(arguments[place])
        elif event == "subprocess.Popen":
            program, _, _, variables = arguments
            path = (os.environ if variables is None else variables).get("PATH")
            # Where there is no such program, the files that `which` looks for decide.
            is_there = shutil.which(program := os.fsdecode(program), path=path)
            if is_there and program not in _HARMLESS_PROGRAMS:
                self._doubt(f"{program} is started")
        elif event in _UNKNOWN:
            self._doubt(event)

    def _note(self, path: Any, is_listed: bool = False) -> None:
        """Record the state of a path, unless it was recorded before."""
        if isinstance(path, int):  # open already
            return
        name = os.fsencode(path) + (b"/" if is_listed else b"")
        if (process := _PROCESS.match(name)) and process[1] != b"%d" % os.getpid():
            self._doubt("other processes are looked at")
        if name not in self.states and not getattr(self._here, "is_looking", False):
            self._here.is_looking = True  # looking at a folder is heard too
            try:
                self.states[name] = self._files.of(name)
                if has_pipe(self.states[name]):
                    self._doubt("a pipe is read")
            finally:
                self._here.is_looking = False

    def _write(self, path: Any) -> None:
        """Take note of a file that is written: in the project it's more than finding nothing to do.

        Elsewhere it is a cache, whose folder has another time afterwards.
        """
        if isinstance(path, int):
            return
        place = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 # as named, links kept
        if not place.is_relative_to(self._root):
            self._caches.add(os.fsencode(place.parent))
        elif not {SNAKEMAKE, "__pycache__"} & set(place.relative_to(self._root).parts):
            self._doubt(f"{place} is written")

    def _doubt(self, why: str) -> None:
        self.doubt = self.doubt or why

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        self._replaced[name] = getattr(os, name)
        setattr(os, name, function)
        for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if self._replaced[name] in known:
                known.add(function)

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            if self in _listeners:
                if named.get("dir_fd") is not None:
                    self._doubt("a file is looked for in an open folder")
                with suppress(TypeError, ValueError, IndexError, KeyError):  # the call has it too
                    self._note(arguments[0] if arguments else named["path"])
            return function(*arguments, **named)

        return watched

    def _watched_scandir(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(path: Any = None) -> Any:
            if self in _listeners and not isinstance(path, int):
                is_names_only = _lists_names(sys._getframe(1))
                with suppress(OSError, TypeError, ValueError):  # the call has it too
                    for entry in function(path):
                        if entry.is_symlink() or not is_names_only:
                            self._note(entry.path)
            return function(path)

        return watched


def _lists_names(caller: FrameType) -> bool:
    """Whether a caller is of `_LIST_NAMES`; a Snakefile has the globals of one, and isn't."""
    package = caller.f_globals.get("__name__", "").partition(".")[0]
    file = caller.f_code.co_filename
    is_its_own = file.startswith("<frozen ") or file == caller.f_globals.get("__file__")
    return package in _LIST_NAMES and is_its_own


_listeners: list[RecordedReads] = []


@contextmanager
def reads_elsewhere() -> Iterator[None]:
    """Hear nothing inside, as of another process whose reads are given to `adopt` afterwards."""
    paused = [*_listeners]
    _listeners.clear()
    try:
        yield
    finally:
        _listeners.extend(paused)


def adopt(states: Mapping[bytes, State] | None) -> None:
    """Count what another process looked at as read by this one; None if that isn't known."""
    if states is None:
        doubt("another process looked at more")
    for listener in _listeners:
        listener.states.update(states or {})


def doubt(why: str) -> None:
    """Say that more than files decides what this process does, such as the clock."""
    for listener in _listeners:
        listener.doubt = listener.doubt or why


@cache  # an audit hook stays until the process ends
def _listen() -> None:
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for listener in _listeners:
        try:
            listener.hear(event, arguments)
        except Exception as error:  # it would end what is only watched
            listener.doubt = listener.doubt or repr(error)
