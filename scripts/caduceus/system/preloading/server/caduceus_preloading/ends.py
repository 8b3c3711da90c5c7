"""The end of a program, without deleting the modules that it shares with other programs.

At its end an interpreter deletes all objects, and C++ what it has registered. In a fork that copies
most of the shared pages: with torch a fifth of a second of CPU. After all functions that run at the
end, the process ends at once if nobody can tell: if there is no object that does something when it
is deleted, and no library is loaded whose end may do more than to free memory.
"""

import atexit
import contextlib
import ctypes
import gc
import io
import os
import sys

# Libraries whose ends ask the system for nothing but memory and threads, as strace(1) shows: those
# of packages, by their folders in site-packages, those of torch, and others.
_PACKAGES = {
    *("PIL", "charset_normalizer", "google", "kiwisolver", "markupsafe", "matplotlib", "numpy"),
    *("numpy.libs", "pandas", "pillow.libs", "psutil", "pydantic_core", "scikit_learn.libs"),
    *("scipy", "scipy.libs", "sklearn", "wcwidth", "xxhash", "yaml"),
}
_OF_TORCH = {
    *("_C", "libc10", "libgomp", "libshm", "libtorch", "libtorch_cpu", "libtorch_global_deps"),
    "libtorch_python",
}
_OTHERS = {
    *("ld-linux-aarch64", "ld-linux-x86-64", "libbz2", "libc", "libcrypt", "libcrypto", "libdl"),
    *("libexpat", "libffi", "libgcc_s", "liblzma", "libm", "libpthread", "libpython3", "librt"),
    *("libssl", "libstdc++", "libutil", "libuuid", "libz"),
}
_SITES = ("site-packages", "dist-packages")
# Modules of Python whose objects only close what the system closes anyway.
_CLOSING = {"socket", "_socket", "subprocess", "asyncio", "_asyncio"}
_libc = ctypes.CDLL(None)


def register(program):
    """Have a program that has finished end at once, after what is registered from now on."""
    if not atexit._ncallbacks():  # what was registered before would come after it
        atexit.register(_end, program, gc.get_freeze_count())


def _end(program, frozen):
    if not program.has_finished or gc.get_freeze_count() > frozen:  # its own, which no scan finds
        return
    if sys.stdout is not sys.__stdout__ or sys.stderr is not sys.__stderr__:
        return
    with contextlib.suppress(Exception):  # then the interpreter ends as ever
        if all(map(_is_known, _libraries())) and are_quiet():
            sys.stdout.flush()
            sys.stderr.flush()
            _libc.fflush(None)
            os._exit(0)


def are_quiet():
    """Whether the deletion of all objects that a collection looks at would go unnoticed."""
    objects = gc.get_objects()
    kinds = {kind for kind in set(map(type, objects)) if hasattr(kind, "__del__")}
    try:
        return all(_is_quiet(found) for found in objects if type(found) in kinds)
    except Exception:  # one can't be asked
        return False


def _is_quiet(found):
    kind = type(found)
    if issubclass(kind, io.IOBase):
        return found.closed or _is_standard(found)
    if kind.__name__ == "generator":
        # One that is within a `try` goes on there when it is deleted.
        return not getattr(found, "gi_suspended", found.gi_frame is not None)
    if kind.__name__ == "coroutine":  # wandb has a loop in a thread until the end
        names = found.cr_frame.f_globals if found.cr_frame is not None else {}
        return names.get("__name__", "asyncio").partition(".")[0] in ("asyncio", "wandb")
    if kind.__module__.partition(".")[0] not in _CLOSING:
        return False
    if hasattr(found, "get_returncode"):  # a transport of asyncio kills its process
        return found.get_returncode() is not None
    # A future says at its end that nobody has asked for its error.
    is_heard = getattr(found, "_log_traceback", False)
    return not is_heard and (not hasattr(found, "get_coro") or _is_quiet(found.get_coro()))


def _is_standard(stream):
    try:
        return stream.fileno() in (0, 1, 2)
    except (OSError, ValueError):
        return False


def _libraries():
    """Return the paths of the files whose code this process has loaded."""
    with open("/proc/self/maps") as stream:
        mappings = [line.rstrip("\n").split(None, 5) for line in stream]
    return {each[5] for each in mappings if len(each) == 6 and "x" in each[1] and each[5][0] == "/"}


def _is_known(path):
    """Whether it is known of a library that nobody notices its end."""
    *folders, name = path.split(os.sep)
    stem = name.partition(".")[0].partition("-")[0] if name[:3] == "lib" else name.partition(".")[0]
    for site in _SITES:
        if site in folders:
            package = [*folders, name][folders.index(site) + 1]
            return package in _PACKAGES or (package == "torch" and stem in _OF_TORCH)
    is_python = folders[-1] == "lib-dynload" or path == os.path.realpath(sys.executable)
    return is_python or stem in _OTHERS
