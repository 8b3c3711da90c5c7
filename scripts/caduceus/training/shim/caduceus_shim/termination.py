"""Finishes the log when SIGTERM ends a program that has no handler of its own.

wandb writes its log in blocks of 32 KiB: up to 0.30 a program that is ended loses all rows since
the last block. A program with a handler keeps it, whether it is set before or after `wandb.init`,
and `signal.getsignal` doesn't show ours, since libraries set none where they find one.
"""

import contextlib
import functools
import os
import signal
import threading
import weakref

_PATIENCE_S = 5.0
_runs = weakref.WeakSet()
_process = None  # in which the handler was set; a forked child has inherited it


def guard(run):
    """Have `run` finished when this process gets SIGTERM, unless the program handles it."""
    global _process
    _runs.add(run)
    is_main_thread = threading.current_thread() is threading.main_thread()
    if _process is not None or not is_main_thread:
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _finish_and_end)
        _process = os.getpid()
        _hide()


def _finish_and_end(number, frame):
    if os.getpid() == _process:
        finishing = threading.Thread(target=_finish, args=(128 + number,), daemon=True)
        finishing.start()
        finishing.join(_PATIENCE_S)
        if finishing.is_alive():
            # This thread was interrupted inside wandb and holds a lock that finishing waits for:
            # unwind it, and let wandb finish as the interpreter ends.
            raise SystemExit(128 + number)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _finish(exit_code):
    for run in list(_runs):
        with contextlib.suppress(Exception):  # it has finished already, or its service is gone
            run.finish(exit_code=exit_code)


def _hide():
    get, put = signal.getsignal, signal.signal

    @functools.wraps(get)
    def getsignal(number):
        found = get(number)
        return signal.SIG_DFL if found is _finish_and_end else found

    @functools.wraps(put)
    def set_signal(number, handler):
        found = put(number, handler)
        return signal.SIG_DFL if found is _finish_and_end else found

    signal.getsignal, signal.signal = getsignal, set_signal
