"""Notes which of the project's files a program reads, and which packages it imports.

Python's audit hooks report each file that Python code opens and each module that is executed. Noted
is what lies in the project, outside results/, hidden folders and environments: code that no static
search finds, configuration, data. What a C library opens by itself isn't seen.

Each process writes PID-NUMBER.jsonl into the folder CADUCEUS_USED, a line as something is used, so
that a process that is killed leaves its notes. For each file there is its `path` (absolute), with
`mtime_ns` and `size` as they were then; for a file that the program opens to write, `written`; for
the interpreter, `packages`, the names of the top-level modules that are imported, with its
`python`, `prefix` and `search_path`.
"""

import _thread
import atexit
import contextlib
import json
import os
import sys

_MOST_FILES = 5000  # of one process; a line `and_more` says that there are more
_WRITES = frozenset("wax+")
_IGNORED = frozenset(["results", "site-packages", "dist-packages", "__pycache__"])


class _Notes:
    """The notes of this process; a forked child has a file of its own."""

    def __init__(self, folder, root):
        self._folder = folder
        self._root = os.path.realpath(root)
        self._seen = set()  # paths as the program spells them
        self._noted = set()  # real paths
        self._threads = set()  # that are in `look_at`: what it opens itself isn't the program's
        self._process = None
        self._stream = None

    def look_at(self, path, is_written=False):
        """Note a file, if it is one of the project's and new."""
        thread = _thread.get_ident()
        if path in self._seen or thread in self._threads or len(self._seen) > 20 * _MOST_FILES:
            return
        self._threads.add(thread)
        try:
            self._seen.add(path)
            self._note_file(os.path.realpath(os.fsdecode(path)), is_written)
        except Exception:  # the program must not notice
            pass
        finally:
            self._threads.discard(thread)

    def _note_file(self, path, is_written):
        if path in self._noted or not self._is_of_project(path):
            return
        status = None if is_written else os.stat(path)
        self._noted.add(path)
        if len(self._noted) == _MOST_FILES:
            self.write({"and_more": True})
        elif is_written:
            self.write({"written": path})
        elif len(self._noted) < _MOST_FILES:
            note = {"path": path, "mtime_ns": status.st_mtime_ns, "size": status.st_size}
            self.write(note)

    def _is_of_project(self, path):
        if not path.startswith(self._root + os.sep) or path.startswith(sys.prefix + os.sep):
            return False
        parts = path[len(self._root) + 1 :].split(os.sep)
        return not any(part in _IGNORED or part.startswith(".") for part in parts)

    def write(self, note):
        """Append a line."""
        if self._process != os.getpid():
            self._stream = self._new_file()
            self._process = os.getpid()
        os.write(self._stream, (json.dumps(note) + "\n").encode())

    def _new_file(self):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        number = 0
        while True:  # a process id may be used again
            name = "{}-{}.jsonl".format(os.getpid(), number)
            try:
                return os.open(os.path.join(self._folder, name), flags, 0o644)
            except FileExistsError:
                number += 1


_notes = None


def watch():
    """Watch this process, if the environment says where the notes go."""
    global _notes
    folder = os.environ.get("CADUCEUS_USED")
    if folder and hasattr(sys, "addaudithook"):  # Python 3.7 has none
        _notes = _Notes(folder, os.environ["CADUCEUS_PROJECT_DIR"])
        sys.addaudithook(_hook)
        atexit.register(note_packages)


def note_packages():
    """Note the packages that have been imported so far."""
    if _notes is None:
        return
    note = {
        "packages": sorted({name.partition(".")[0] for name in list(sys.modules)}),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "prefix": sys.prefix,
        "search_path": [path for path in sys.path if path],
    }
    with contextlib.suppress(OSError):  # the disk is full, or the run's folder is gone
        _notes.write(note)


def _hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if not isinstance(path, (str, bytes)):
            return
        if isinstance(mode, str):
            is_written = bool(_WRITES.intersection(mode))
        else:
            is_written = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        _notes.look_at(path, is_written)
    elif event == "exec":
        path = getattr(arguments[0], "co_filename", None)
        if path:
            _notes.look_at(path)
    elif event == "cpython.run_file":
        _notes.look_at(arguments[0])
