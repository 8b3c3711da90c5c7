"""The one door to other processes: start a program, watch it, end it."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from caduceus.errors import ProgramError

_GRACE_S = 30.0  # between asking a program to end and ending it: time to save a checkpoint
_POLL_S = 0.5
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StartError(ProgramError):
    """A program can't be started."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it used.

    `exit_code` is None if `signal` ended it. `interrupted_by` is the signal that asked us to stop,
    if one did. `peak_memory_bytes` is that of its largest process.
    """

    exit_code: int | None
    signal: int | None
    interrupted_by: int | None
    timed_out: bool
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int


def run(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    console: IO[bytes],
    time_limit_s: float = 0,
    kept_open: Sequence[int] = (),
) -> Outcome:
    """Run a program to its end, with its output going to `console`.

    A signal that asks us to stop, or the time limit, ends the program and its children: first
    SIGTERM, and after 30 s SIGKILL. If we are killed ourselves, the program gets SIGTERM.

    Args:
        words: the program and its arguments.
        cwd: the folder it starts in.
        environment: all of its environment.
        console: takes what it prints.
        time_limit_s: seconds after which the program is ended; 0 for no limit.
        kept_open: file descriptors that the program inherits.

    Raises:
        StartError: the program can't be started.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
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
    interrupted_by: int | None = None

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted_by
        interrupted_by = interrupted_by or number

    handlers = {number: signal.signal(number, interrupt) for number in _FORWARDED}
    ended = os.pidfd_open(process.pid)
    asked_at: float | None = None
    timed_out = False
    try:
        while not select.select([ended], [], [], _POLL_S)[0]:
            now = time.monotonic()
            timed_out = timed_out or bool(time_limit_s and now - started > time_limit_s)
            if asked_at is None and (interrupted_by or timed_out):
                asked_at = now
                _signal_group(process.pid, signal.SIGTERM)
            elif asked_at is not None and now - asked_at > _GRACE_S:
                _signal_group(process.pid, signal.SIGKILL)
    finally:
        os.close(ended)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if asked_at is not None:
        _signal_group(process.pid, signal.SIGKILL)  # children that outlived it
    return Outcome(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        interrupted_by=interrupted_by,
        timed_out=timed_out,
        wall_s=time.monotonic() - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_memory_bytes=usage.ru_maxrss * 1024,
    )


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


def end(process: "subprocess.Popen[bytes]", wait_s: float) -> None:
    """Wait until a process has ended by itself, or end it."""
    try:
        process.wait(wait_s)
        return
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


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
