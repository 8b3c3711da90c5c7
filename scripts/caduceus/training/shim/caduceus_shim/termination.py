"""Finish the log when a signal ends a program that has no handler of its own.

wandb writes its log in blocks of 32 KiB: up to version 0.30, a program that is ended loses all rows
since the last block. A program keeps its own handler, whether it is set before or after
`wandb.init`. `signal.getsignal` hides the handler here, as libraries don't set theirs if they find
one; so a program that restores the handler from before its own gets this one back.

A forked worker of multiprocessing ends without Python's exit handlers, in which wandb finishes a
run: its runs are finished here too.
"""

import contextlib
import functools
import os
import signal
import sys
import threading
import weakref

from caduceus_shim import first_process, used_files

_FINISH_S = 5.0  # the time for wandb to finish the runs
# Those by which schedulers, terminals and people end a program, which dies of them by default.
_NAMES = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
_LAST = -100  # among the functions that multiprocessing calls at the end of a worker
_runs = weakref.WeakSet()
_process = None  # the process that set the handlers
_is_hidden = False


def install():
    """Handle signals in this process, unless the program does; only the main thread can."""
    global _process, _is_hidden
    is_main_thread = threading.current_thread() is threading.main_thread()
    if _process is not None or not is_main_thread:
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _finish_and_end)
    _process = os.getpid()
    if not _is_hidden:
        _is_hidden = True
        _hide()
        os.register_at_fork(after_in_child=_forget)


def _forget():
    """Give a forked child the default actions back: its parent's runs aren't its own."""
    global _process
    _process = None
    _runs.clear()
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # it isn't the main thread
                signal.signal(number, signal.SIG_DFL)


def guard(run):
    """Finish `run` when a signal ends this process, unless the program handles the signal."""
    _runs.add(run)
    install()
    util = sys.modules.get("multiprocessing.util")
    if util is not None and first_process.is_worker():
        util.Finalize(run, _finish_at_end, args=(weakref.ref(run),), exitpriority=_LAST)


def _finish_at_end(reference):
    run = reference()
    if run is not None:
        error = sys.exc_info()[1]
        has_failed = error is not None and getattr(error, "code", 1) not in (0, None)
        with contextlib.suppress(Exception):  # it has finished already
            run.finish(exit_code=int(has_failed))


def _finish_and_end(number, frame):
    global _process
    if os.getpid() == _process:  # a C library may fork without `_forget`
        finishing = threading.Thread(target=_finish, args=(128 + number,), daemon=True)
        finishing.start()
        finishing.join(_FINISH_S)
        if finishing.is_alive():
            # The signal interrupted this thread inside wandb, where it holds a lock that `finish`
            # waits for. Unwind it; wandb then finishes the run when the interpreter ends.
            raise SystemExit(128 + number)
    _process = None
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _finish(exit_code):
    for run in list(_runs):
        with contextlib.suppress(Exception):  # it has finished already, or its service has ended
            run.finish(exit_code=exit_code)
    with contextlib.suppress(Exception):
        used_files.record_packages()  # those since `wandb.init`, as no exit handler follows


def _hide():
    """Make `signal.getsignal` and `signal.signal` take the handler here for SIG_DFL."""
    original_get, original_set = signal.getsignal, signal.signal

    @functools.wraps(original_get)
    def getsignal(number):
        handler = original_get(number)
        return signal.SIG_DFL if handler is _finish_and_end else handler

    @functools.wraps(original_set)
    def set_signal(number, handler):
        if handler == signal.SIG_DFL and number in _SIGNALS and _process == os.getpid():
            handler = _finish_and_end
        previous = original_set(number, handler)
        return signal.SIG_DFL if previous is _finish_and_end else previous

    signal.getsignal, signal.signal = getsignal, set_signal
