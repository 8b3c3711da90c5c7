"""The forked process: it becomes a program, as the interpreter starts one."""

import builtins
import contextlib
import ctypes
import fcntl
import importlib.machinery
import os
import resource
import runpy
import signal
import sys
import traceback

from caduceus_preloading import command_lines, ends

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_RESTORED = {signal.SIGPIPE, signal.SIGXFSZ}  # Python ignores these itself
# Files of the working folder by the packages that read them.
_READ_AT_IMPORT = {"matplotlib": "matplotlibrc", "numba": ".numba_config.yaml"}
_libc = ctypes.CDLL(None)


class RefusedError(Exception):
    """This process can't become the program as a fresh start would; the text says why."""


class Program:
    """A program that is ready to run.

    Args:
        request: see `caduceus.system.preloading.requests`.

    Attributes:
        has_finished: whether it has run to its end, with status 0.
    """

    def __init__(self, request):
        self._module, self._source = request["module"], None
        self.has_finished = False
        if self._module is None:
            path = request["words"][request["first"]]
            try:
                with open(path, "rb") as stream:
                    self._source = stream.read()
            except OSError as error:
                raise RefusedError("{} can't be read: {}".format(path, error.strerror)) from None
            self._path = os.path.join(os.getcwd(), path)

    def run(self):
        """Run the program as `__main__`."""
        if self._module is not None:
            runpy._run_module_as_main(self._module)
        else:
            namespace = sys.modules["__main__"].__dict__
            code = compile(self._source, self._path, "exec", dont_inherit=True)
            exec(code, namespace)

    def prepare_main(self):
        """Make the module `__main__` in which the program runs."""
        main = type(sys)("__main__")
        main.__builtins__ = builtins
        main.__annotations__ = {}
        main.__loader__ = importlib.machinery.BuiltinImporter
        if self._module is None:
            main.__file__, main.__cached__ = self._path, None
            main.__loader__ = importlib.machinery.SourceFileLoader("__main__", self._path)
        sys.modules["__main__"] = main
        if "__mp_main__" in sys.modules:
            sys.modules["__mp_main__"] = main

    def report(self, error):
        """Print an error that ends the program, without the frames below the program's.

        The interpreter prints nothing more when a KeyboardInterrupt is raised again.

        Raises:
            SystemExit: with the status of a program that such an error ends.
        """
        # What a script printed comes before the error; of a module the interpreter flushes nothing.
        for stream in (sys.stderr, sys.stdout) if self._module is None else ():
            with contextlib.suppress(Exception):
                stream.flush()
        trace = error.__traceback__.tb_next
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
        if sys.version_info >= (3, 12):
            sys.last_exc = error
        try:
            sys.excepthook(type(error), error, trace)
        except SystemExit:
            raise
        except BaseException as second:
            sys.stderr.write("Error in sys.excepthook:\n")
            traceback.print_exception(second)
            sys.stderr.write("\nOriginal exception was:\n")
            traceback.print_exception(error)
        if not isinstance(error, KeyboardInterrupt):
            raise SystemExit(1)
        original = sys.excepthook

        def print_nothing(*_):
            sys.excepthook = original

        sys.excepthook = print_nothing


def prepare(request, descriptors, preloaded):
    """Turn this process into the one in which a program starts; `descriptors` are its own.

    Raises:
        RefusedError: it can't be done as a fresh start would.
    """
    guard = os.getppid()
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != guard:
        os._exit(1)
    _place(descriptors, request["descriptors"])
    os.umask(request["umask"])
    _set_limits(request["limits"])
    _set_signals(request["ignored"])
    try:
        os.chdir(request["cwd"])
    except OSError as error:
        raise RefusedError("{}: {}".format(request["cwd"], error.strerror)) from None
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["module"] in preloaded.finder.names:
        raise RefusedError("{} is the program and is preloaded".format(request["module"]))
    program = Program(request)
    _check_working_folder(preloaded.finder.top_level)
    _set_search_path(request, preloaded.finder.top_level)
    preloaded.inherited.renew()
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(line_buffering=stream.isatty() or stream.line_buffering)
    return program


def start(request, program, preloaded):
    """Do what the interpreter does before it runs a program."""
    if preloaded.is_quiet:
        ends.register(program)
    command_lines.set_command_line(request["words"], request["environment"])
    sys.argv = request["words"][request["first"] :]
    sys.orig_argv = list(request["words"])
    if program._module is not None:
        sys.argv = ["-m", *request["words"][request["first"] :]]
    hook = request["hook"]
    if hook:
        sys.path.insert(0, hook["folder"])
        try:
            module = __import__(hook["module"])
        finally:
            sys.path.remove(hook["folder"])
        module.start()
    _insert_first(request)
    preloaded.inherited.finish_others(preloaded.finder.names)
    program.prepare_main()


def _place(received, numbers):
    """Give file descriptors the numbers that the program expects, and close all others."""
    base = max([*received, *numbers]) + 1
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, base) for descriptor in received]
    for descriptor, number in zip(moved, numbers, strict=True):
        os.dup2(descriptor, number)
    first = 3
    for number in sorted(set(numbers)):
        os.closerange(first, max(first, number))
        first = max(first, number + 1)
    os.closerange(first, max(map(int, os.listdir("/proc/self/fd"))) + 1)


def _set_limits(limits):
    for number, (soft, hard) in limits:
        if resource.getrlimit(number) != (soft, hard):
            try:
                resource.setrlimit(number, (soft, hard))
            except (OSError, ValueError) as error:
                raise RefusedError("limit {}: {}".format(number, error)) from None


def _set_signals(ignored):
    for number in signal.valid_signals() - _RESTORED - {signal.SIGKILL, signal.SIGSTOP}:
        current = signal.getsignal(number)
        if number in ignored and current is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_IGN)
        elif number not in ignored and current is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _check_working_folder(names):
    """Check that the working folder has no file that a module reads when it is imported.

    Raises:
        RefusedError: it has one.
    """
    for name in names & _READ_AT_IMPORT.keys():
        path = _READ_AT_IMPORT[name]
        if os.path.lexists(path):
            raise RefusedError("{} reads {} when it is imported".format(name, path))


def _set_search_path(request, names):
    """Set `sys.path` without the program's folder, and check that no package is hidden.

    Raises:
        RefusedError: a folder that Python searches before has a module of a preloaded one's name.
    """
    given = [os.path.abspath(path) for path in request["python_path"]]
    given = [path for path in dict.fromkeys(given) if path not in sys.path]
    imported = {name for name in sys.modules if "." not in name}
    imported |= {"sitecustomize", "usercustomize"}
    for folder in [_first_folder(request), *given]:
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            name, path = entry.partition(".")[0], os.path.join(folder, entry)
            if name in names | imported and _is_module(path, name in names):
                raise RefusedError("{} is imported in place of a package".format(path))
    sys.path[:] = [*given, *sys.path]


def _is_module(path, may_be_split):
    """Whether a path is that of a module; a package may be split among several folders."""
    suffixes = importlib.machinery.all_suffixes()
    if not os.path.isdir(path):
        return path.endswith(tuple(suffixes))
    return may_be_split or any(os.path.exists(path + "/__init__" + suffix) for suffix in suffixes)


def _first_folder(request):
    if request["module"] is not None:
        return os.getcwd()
    return os.path.dirname(os.path.realpath(request["words"][request["first"]]))


def _insert_first(request):
    sys.path.insert(0, _first_folder(request))
