"""Record which files of the project a program reads, and which packages it imports.

Python's audit hooks report each file that Python code opens and each module that is executed. The
files in the project are recorded, except those in results/, hidden folders and environments: code
that no static search finds, configuration, data. Files that a C library opens aren't reported.

Each process writes PID-NUMBER.jsonl into the folder CADUCEUS_USED, a line at each first use, so
that the record of a killed process is complete. A line is one of these:

- a file that is read: its absolute `path`, with the `mtime_ns` and `size` that it has then;
- a file that is opened to write: its path, as `written`;
- the interpreter: `packages` (the names of imported top-level modules), its version (`python`),
  `prefix` and `search_path`;
- `and_more`: the process used more files than are recorded.
"""

import _thread
import atexit
import contextlib
import json
import os
import sys

_MAX_FILES = 5000  # that are recorded of one process
_WRITES = frozenset("wax+")
_IGNORED = frozenset(["results", "site-packages", "dist-packages", "__pycache__"])
_METADATA = (".egg-info", ".dist-info")  # of packages that are installed from the project


class _Record:
    """The record of this process; a forked child writes a file of its own."""

    def __init__(self, folder, root):
        self._folder = folder
        self._root = os.path.realpath(root)
        self._seen = set()  # paths as the program spells them
        self._recorded = set()  # real paths
        # The threads inside `add`, where files are opened that aren't the program's.
        self._threads = set()
        self._process = None
        self._stream = None

    def add(self, path, is_written=False):
        """Record a file, if it is in the project and new."""
        thread = _thread.get_ident()
        if path in self._seen or thread in self._threads or len(self._seen) > 20 * _MAX_FILES:
            return
        self._threads.add(thread)
        try:
            self._seen.add(path)
            self._add_file(os.path.realpath(os.fsdecode(path)), is_written)
        except Exception:  # an error here must not end the program
            pass
        finally:
            self._threads.discard(thread)

    def _add_file(self, path, is_written):
        if path in self._recorded or not self._is_in_project(path):
            return
        status = None if is_written else os.stat(path)
        self._recorded.add(path)
        if len(self._recorded) == _MAX_FILES:
            self.write({"and_more": True})
        elif is_written:
            self.write({"written": path})
        elif len(self._recorded) < _MAX_FILES:
            entry = {"path": path, "mtime_ns": status.st_mtime_ns, "size": status.st_size}
            self.write(entry)

    def _is_in_project(self, path):
        if not path.startswith(self._root + os.sep) or path.startswith(sys.prefix + os.sep):
            return False
        parts = path[len(self._root) + 1 :].split(os.sep)
        return not any(
            part in _IGNORED or part.startswith(".") or part.endswith(_METADATA) for part in parts
        )

    def write(self, entry):
        """Append a line."""
        if self._process != os.getpid():
            self._stream = self._new_file()
            self._process = os.getpid()
        os.write(self._stream, (json.dumps(entry) + "\n").encode())

    def _new_file(self):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        number = 0
        while True:  # the system may give a process id again
            name = "{}-{}.jsonl".format(os.getpid(), number)
            try:
                return os.open(os.path.join(self._folder, name), flags, 0o644)
            except FileExistsError:
                number += 1


_record = None


def watch():
    """Start the record of this process, if the environment names a folder for it."""
    global _record
    folder = os.environ.get("CADUCEUS_USED")
    if folder and hasattr(sys, "addaudithook"):  # Python 3.7 has none
        _record = _Record(folder, os.environ["CADUCEUS_PROJECT_DIR"])
        sys.addaudithook(_hook)
        atexit.register(record_packages)


def record_packages():
    """Record the packages that have been imported so far."""
    if _record is None:
        return
    entry = {
        "packages": sorted({name.partition(".")[0] for name in list(sys.modules)}),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "prefix": sys.prefix,
        "search_path": [path for path in sys.path if path],
    }
    with contextlib.suppress(OSError):  # the disk is full, or the run's folder is gone
        _record.write(entry)


def _hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if not isinstance(path, (str, bytes)):
            return
        if isinstance(mode, str):
            is_written = bool(_WRITES.intersection(mode))
        else:
            is_written = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        _record.add(path, is_written)
    elif event == "exec":
        path = getattr(arguments[0], "co_filename", None)
        if path:
            _record.add(path)
    elif event == "cpython.run_file":
        _record.add(arguments[0])
