"""Record which files of the project a program reads, and which packages it imports.

Python's audit hooks report each file that Python code opens, each module that is executed or
loaded, and each command that is started; files that a command line names count as read. The files
in the project are recorded, except those in results/, hidden folders and environments: code that no
static search finds, configuration, data. Files that a C library or another language opens aren't
reported.

Each process writes PID-NUMBER.jsonl into the folder CADUCEUS_USED, a line at each first use, so
that the record of a killed process is complete. A line is one of these:

- a file that is read: its absolute `path`, with the `mtime_ns` and `size` that it has then;
- a file that is opened to write: its path, as `written`;
- the interpreter: `packages` (the names of imported top-level modules), its version (`python`),
  `prefix` and `search_path`; `libraries`, the imported modules that are neither in the project nor
  installed, each with its `path` and the `mtime_ns` and `size` that it has then; in an image,
  whose folders nobody sees from outside, also the `versions` of imported distributions, by name;
- at the end of the first process, if CADUCEUS_RECORD_MODULES is set: `modules`, the names of all
  imported modules of installed packages, in their order;
- `and_more`: the process used more files than are recorded, or started a Python without this hook.
"""

import _thread
import atexit
import contextlib
import json
import os
import sys

from caduceus_shim import first_process

_MAX_FILES = 5000  # other than Python's that are recorded of one process
_WRITES = frozenset("wax+")
_SITES = frozenset(["site-packages", "dist-packages"])
_IGNORED = _SITES | {"__pycache__"}
_METADATA = (".egg-info", ".dist-info")  # of packages that are installed from the project
_INSTALLED = (  # folders without libraries of the user: Python's own, scripts, and this one
    os.path.dirname(os.path.abspath(os.__file__)) + os.sep,
    os.path.dirname(os.path.abspath(sys.executable)) + os.sep,
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
)
_FILE_ARGUMENT = {"cpython.run_file": 0, "ctypes.dlopen": 0, "import": 1, "sqlite3.connect": 0}


class _Record:
    """The record of this process; a forked child writes a file of its own."""

    def __init__(self, folder, root, run):
        self._folder = folder
        self._root = os.path.realpath(root)
        code = os.path.join(os.path.dirname(os.path.abspath(run)), "work", "code")
        # Where the program finds the project's links, as it may spell the paths.
        self._places = [os.path.realpath(code), code, self._root, os.path.abspath(root)]
        results = os.path.realpath(os.path.join(code, *[os.pardir] * 4))
        prefixes = [os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix)]
        # A prefix such as /usr, which the project itself is in, leaves nothing out.
        inside = [prefix for prefix in prefixes if prefix.startswith(self._root + os.sep)]
        self._left_out = tuple(path + os.sep for path in [results, *inside])
        self._seen = set()  # paths as the program spells them, and the folders relative ones are in
        self._recorded = set()  # real paths
        self._others = 0  # recorded files that aren't Python's
        # The threads inside `add`, where files are opened that aren't the program's.
        self._threads = set()
        self._process = None
        self._stream = None

    def add(self, path, is_written=False):
        """Record a file, if it is in the project and new."""
        thread = _thread.get_ident()
        if thread in self._threads:
            return
        self._threads.add(thread)
        try:
            path = os.fsdecode(path)
            key = path if os.path.isabs(path) else (os.getcwd(), path)
            is_code = path.endswith(".py")
            if key not in self._seen and (is_code or len(self._seen) < 20 * _MAX_FILES):
                self._seen.add(key)
                self._add_file(self._in_project(path), is_written)
        except Exception:  # an error here must not end the program
            pass
        finally:
            self._threads.discard(thread)

    def add_command(self, words, folder, environment):
        """Record the files in the project that a command line names."""
        try:
            words = [os.fsdecode(word) for word in ([words] if _is_text(words) else words)]
            parts = [part for word in words for part in [word, *word.split()]]
            for part in dict.fromkeys([*parts, *(part.partition("=")[2] for part in parts)]):
                path = os.path.join(os.fsdecode(folder or ""), part)
                if part and os.path.isfile(path):
                    self.add(path)
            if _is_unwatched(words, environment):
                self.write({"and_more": True})
        except Exception:  # as above
            pass

    def _add_file(self, path, is_written):
        if path is None or path in self._recorded:
            return
        status = None if is_written else os.stat(path)
        self._recorded.add(path)
        is_code = path.endswith(".py")
        self._others += not is_code
        if not is_code and self._others >= _MAX_FILES:
            if self._others == _MAX_FILES:
                self.write({"and_more": True})
        elif is_written:
            self.write({"written": path})
        else:
            entry = {"path": path, "mtime_ns": status.st_mtime_ns, "size": status.st_size}
            self.write(entry)

    def libraries(self):
        """Return the file of each imported module that is neither in the project nor installed.

        Such as of an editable install, whose version stays the same through edits.
        """
        modules = {name: _file_of(module) for name, module in list(sys.modules.items())}
        modules.pop("__mp_main__", None)  # the main module again
        return {
            name: {"path": path, "mtime_ns": status.st_mtime_ns, "size": status.st_size}
            for name, path in modules.items()
            if isinstance(path, str) and self._is_library(path)
            for status in _statuses(path)
        }

    def _is_library(self, path):
        if path.startswith(_INSTALLED) or _SITES.intersection(path.split(os.sep)):
            return False
        real = os.path.realpath(path)
        is_ours = real.startswith((self._root + os.sep, *self._left_out))
        return os.path.isabs(path) and not is_ours and self._in_project(path) is None

    def _in_project(self, path):
        """Return the path of a file of the project; None for others.

        Code that a link in the project leads to is the project's, wherever it is.
        """
        real = os.path.realpath(path)
        if not real.startswith(self._root + os.sep):
            spelled = os.path.abspath(path)
            place = next((p for p in self._places if spelled.startswith(p + os.sep)), None)
            if place is None or not spelled.endswith(".py"):
                return None
            real = os.path.join(self._root, os.path.relpath(spelled, place))
        parts = real[len(self._root) + 1 :].split(os.sep)
        is_left_out = (
            real.startswith(self._left_out)
            or parts[0] == "results"
            or any(p in _IGNORED or p.startswith(".") or p.endswith(_METADATA) for p in parts)
        )
        return None if is_left_out else real

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
                return os.open(os.path.join(self._folder, name), flags, 0o666)
            except FileExistsError:
                number += 1


def _file_of(module):
    """Return the file of a module; None without one. A lazy module isn't loaded for that."""
    try:
        return object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:  # it is another object in place of a module
        return None


def _statuses(path):
    """Return the status of a file; nothing of one that is in an archive, or gone."""
    try:
        return [os.stat(path)]
    except OSError:
        return []


def _is_text(value):
    return isinstance(value, (str, bytes)) or hasattr(value, "__fspath__")


def _is_unwatched(words, environment):
    """Whether a command is a Python that imports no `sitecustomize` of PYTHONPATH."""
    if not words or not os.path.basename(words[0]).startswith("python"):
        return False
    if environment is not None and not {"CADUCEUS_USED", b"CADUCEUS_USED"} & set(environment):
        return True
    for word in words[1:]:
        if not word.startswith("-") or word in ("-c", "-m", "-"):
            return False
        if not word.startswith("--") and set("IES").intersection(word.partition("=")[0]):
            return not word.startswith(("-X", "-W"))
    return False


_record = None


def watch():
    """Start the record of this process, if the environment names a folder for it."""
    global _record
    folder = os.environ.get("CADUCEUS_USED")
    if folder and hasattr(sys, "addaudithook"):  # Python 3.7 has none
        _record = _Record(folder, os.environ["CADUCEUS_PROJECT_DIR"], os.environ["CADUCEUS_RUN"])
        sys.addaudithook(_hook)
        atexit.register(_record_at_end)


def record_packages():
    """Record the packages that have been imported so far."""
    if _record is None:
        return
    entry = {
        "packages": sorted({name.partition(".")[0] for name in list(sys.modules)}),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "prefix": sys.prefix,
        "search_path": [path for path in sys.path if path],
        "libraries": _record.libraries(),
    }
    if os.environ.get("CADUCEUS_RECORD_VERSIONS"):
        entry["versions"] = _versions(entry["packages"], entry["search_path"])
    with contextlib.suppress(OSError):  # the disk is full, or the run's folder is gone
        _record.write(entry)


def _versions(modules, search_path):
    """Return the versions of the distributions that have one of some top-level modules, by name."""
    found, wanted = {}, set(modules)
    for folder in search_path:
        with contextlib.suppress(OSError):  # it is an archive, or isn't there
            for entry in sorted(os.listdir(folder)):
                name, _, rest = entry.partition("-")
                if entry.endswith(_METADATA) and rest:
                    version = rest.rpartition(".")[0].partition("-")[0]
                    if wanted & _top_level(os.path.join(folder, entry), name):
                        found.setdefault(name.replace("_", "-").lower(), version)
    return found


def _top_level(info, name):
    """Return the top-level modules of a distribution, by its folder of metadata."""
    for file in ("top_level.txt", "RECORD"):
        with contextlib.suppress(OSError), open(os.path.join(info, file)) as stream:
            lines = (line.split(",")[0].strip() for line in stream)
            parts = {line.split("/")[0] for line in lines if not line.startswith((".", "/"))}
            return {part[:-3] if part.endswith(".py") else part for part in parts}
    return {name}


def _record_at_end():
    record_packages()
    if os.environ.get("CADUCEUS_RECORD_MODULES") and first_process.is_first():
        names = [name for name, module in list(sys.modules.items()) if _is_installed(name, module)]
        with contextlib.suppress(OSError):  # as above
            _record.write({"modules": names})


def _is_installed(name, module):
    """Whether a module is that of a file of an installed package, and can be imported by name."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None)
    is_file = isinstance(origin, str) and getattr(spec, "name", None) == name
    return is_file and bool(_SITES.intersection(origin.split(os.sep)))


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
    elif event in _FILE_ARGUMENT:
        path = arguments[_FILE_ARGUMENT[event]]
        if path and _is_text(path):
            _record.add(path)
    elif event == "subprocess.Popen":
        _, words, folder, environment = arguments
        _record.add_command(words, folder, environment)
    elif event in ("os.exec", "os.posix_spawn"):
        _, words, environment = arguments
        _record.add_command(words, None, environment)
    elif event == "os.system":
        _record.add_command(arguments[0], None, None)
