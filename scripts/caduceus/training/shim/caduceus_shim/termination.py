"""Finish the log when SIGTERM ends a program that has no handler of its own.

wandb writes its log in blocks of 32 KiB: up to version 0.30, a program that is ended loses all rows
since the last block. A program keeps its own handler, whether it is set before or after
`wandb.init`. `signal.getsignal` hides the handler here, as libraries don't set theirs if they find
one; so a program that restores the handler from before its own gets this one back.
"""

import contextlib
import functools
import os
import signal
import threading
import weakref

_FINISH_S = 5.0  # the time for wandb to finish the runs
_runs = weakref.WeakSet()
_process = None  # the process that set the handler; forked children inherit the handler


def install():
    """Handle SIGTERM in this process, unless the program does; only the main thread can."""
    global _process
    is_main_thread = threading.current_thread() is threading.main_thread()
    if _process is not None or not is_main_thread:
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _finish_and_end)
        _process = os.getpid()
        _hide()


def guard(run):
    """Finish `run` when this process gets SIGTERM, unless the program handles the signal."""
    _runs.add(run)
    install()


def _finish_and_end(number, frame):
    global _process
    if os.getpid() == _process:
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


def _hide():
    """Make `signal.getsignal` and `signal.signal` take the handler here for SIG_DFL."""
    original_get, original_set = signal.getsignal, signal.signal

    @functools.wraps(original_get)
    def getsignal(number):
        handler = original_get(number)
        return signal.SIG_DFL if handler is _finish_and_end else handler

    @functools.wraps(original_set)
    def set_signal(number, handler):
        is_default = number == signal.SIGTERM and handler == signal.SIG_DFL
        if is_default and _process == os.getpid():
            handler = _finish_and_end
        previous = original_set(number, handler)
        return signal.SIG_DFL if previous is _finish_and_end else previous

    signal.getsignal, signal.signal = getsignal, set_signal
