"""The one door to other processes: start a program, watch it, end it."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from caduceus.errors import ProgramError
from caduceus.system.descendants import Orphans, adopted

_GRACE_S = 25.0  # between asking a program to end and ending it: time to save a checkpoint
_POLL_S = 0.5
# For what outlives its program to end by itself, and then when asked. Schedulers kill all 30 s
# after they have asked, hence the second pair when we were asked to stop.
_LINGERS_S, _LEFT_GRACE_S = 5.0, 5.0
_HURRIED_LINGERS_S, _HURRIED_LEFT_GRACE_S = 2.0, 1.5
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# Schedulers announce the end of a job's time by SIGUSR1 or SIGUSR2.
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class StartError(ProgramError):
    """A program can't be started."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it used.

    `exit_code` is None if `signal` ended it. `interrupted_by` is the signal that asked us to stop,
    if one did; `was_called_off` says that our caller did. `cpu_s` sums over all its processes,
    `peak_memory_bytes` is that of the largest.
    """

    exit_code: int | None
    signal: int | None
    interrupted_by: int | None
    timed_out: bool
    was_called_off: bool
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int


class _Deferral:
    """A handler that notes a signal for later."""

    def __init__(self) -> None:
        self.noted: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.noted.append(number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal that asks us to stop break off what is done inside.

    A program that is run inside is stopped by it as ever. One that comes at another moment takes
    effect at the end.
    """
    deferral = _Deferral()
    handlers = {number: signal.signal(number, deferral) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if deferral.noted:
            os.kill(os.getpid(), deferral.noted[0])


def run(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    console: IO[bytes],
    time_limit_s: float = 0,
    kept_open: Sequence[int] = (),
    goes_on: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run a program to its end, with its output going to `console`.

    A signal that asks us to stop, the time limit, or the caller ends the program and its children:
    first SIGTERM, and after 25 s SIGKILL. What the program leaves behind when it ends, in whatever
    session, gets a few seconds and is then ended too. If we are killed ourselves, the program gets
    SIGTERM.

    Args:
        words: the program and its arguments.
        cwd: the folder it starts in.
        environment: all of its environment.
        console: takes what it prints.
        time_limit_s: seconds after which the program is ended; 0 for no limit.
        kept_open: file descriptors that the program inherits.
        goes_on: called twice a second while the program runs; it is ended on False.

    Raises:
        StartError: the program can't be started.
    """
    stop = _Deferral()
    handlers = {number: signal.signal(number, stop) for number in _STOPS}
    for handler in handlers.values():
        if isinstance(handler, _Deferral):  # what came shortly before
            stop.noted += handler.noted
            handler.noted.clear()
    course = _Course()
    try:
        with adopted() as orphans:
            process = _start_program(words, cwd, environment, console, kept_open)
            before = len(stop.noted)
            try:
                _attend(process.pid, course, orphans, stop, time_limit_s, goes_on)
                course.was_met = len(stop.noted) > before
            except BaseException:  # our own failure, or the caller's
                _signal_group(process.pid, signal.SIGKILL)
                raise
            finally:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = code = os.waitstatus_to_exitcode(status)
                wall_s = time.monotonic() - course.started
                if course.asked_at is None and not stop.noted:
                    orphans.end(_LINGERS_S, _LEFT_GRACE_S)
                else:
                    orphans.end(_HURRIED_LINGERS_S, _HURRIED_LEFT_GRACE_S)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    # It may have got the signal too, and have saved and ended in order before we looked.
    if stop.noted and (code != 0 or course.was_met):
        course.interrupted_by = stop.noted[0]
    elif stop.noted and course.interrupted_by is None:  # it had finished
        os.kill(os.getpid(), stop.noted[0])
    return Outcome(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        interrupted_by=course.interrupted_by,
        timed_out=course.timed_out,
        was_called_off=course.was_called_off,
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime + orphans.cpu_s,
        peak_memory_bytes=max(usage.ru_maxrss * 1024, orphans.peak_memory_bytes),
    )


@dataclass
class _Course:
    """What happens to a program; times are those of the monotonic clock."""

    started: float = field(default_factory=time.monotonic)
    asked_at: float | None = None  # to end
    interrupted_by: int | None = None
    was_met: bool = False  # by a signal that asked us to stop, before it had ended
    timed_out: bool = False
    was_called_off: bool = False


def _start_program(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    console: IO[bytes],
    kept_open: Sequence[int],
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its children can be reached as a group
            pass_fds=kept_open,
            preexec_fn=_end_with_parent,  # safe: this process has one thread
        )
    except OSError as error:
        raise StartError(
            f"{words[0]} can't be started: {error.strerror}; correct `command` or `program`"
        ) from None


def _attend(
    pid: int,
    course: _Course,
    orphans: Orphans,
    stop: _Deferral,
    time_limit_s: float,
    goes_on: Callable[[], bool],
) -> None:
    """Wait until a program has ended, and see to it that it does once it should."""
    ended = os.pidfd_open(pid)
    try:
        while not select.select([ended], [], [], _POLL_S)[0]:
            now = time.monotonic()
            orphans.reap(pid)
            if course.asked_at is None:
                course.interrupted_by = stop.noted[0] if stop.noted else None
                course.timed_out = bool(time_limit_s and now - course.started > time_limit_s)
                course.was_called_off = not goes_on()
                if course.interrupted_by or course.timed_out or course.was_called_off:
                    course.asked_at = now
                    _signal_group(pid, signal.SIGTERM)
            elif now - course.asked_at > _GRACE_S:
                _signal_group(pid, signal.SIGKILL)
    finally:
        os.close(ended)


def start(words: Sequence[str], console: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a program of ours that works beside another; it gets SIGTERM if we are killed."""
    return subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def end(
    process: "subprocess.Popen[bytes]", wait_s: float, goes_on: Callable[[], bool] = lambda: True
) -> None:
    """Wait until a process has ended by itself, or end it.

    Args:
        process: the process.
        wait_s: after these seconds it is asked to end.
        goes_on: called twice a second meanwhile; it is asked to end on False.
    """
    until = time.monotonic() + wait_s
    while goes_on() and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_POLL_S, wait_s))
            return
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def become(words: Sequence[str]) -> None:
    """Put a program in the place of this process: it gets our signals, and its end is ours."""
    os.execvp(words[0], list(words))


@dataclass(frozen=True)
class Answer:
    """What a short command printed before it ended."""

    exit_code: int
    output: str
    error: str


def ask(words: Sequence[str], stdin: str = "", time_limit_s: float = 60) -> Answer | None:
    """Run a short command to its end; None if that takes too long.

    Raises:
        StartError: there is no such command.
    """
    try:
        finished = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=time_limit_s
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise StartError(f"{words[0]} can't be started: {error.strerror}") from None
    return Answer(finished.returncode, finished.stdout, finished.stderr)


def signal_name(number: int) -> str:
    """SIGKILL for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
