"""The interface to other processes: start a program, watch it, end it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from caduceus.errors import ProgramError
from caduceus.system import kernel
from caduceus.system.descendants import Descendants
from caduceus.system.started_programs import ChildProgram, StartedProgram
from caduceus.system.stop_signals import STOP_SIGNALS, SignalRecorder

_POLL_S = 0.5


class StartError(ProgramError):
    """A program can't be started."""


@dataclass(frozen=True)
class Patience:
    """How long a program and its descendants have to end by themselves, in seconds.

    Schedulers kill everything 30 s after their own SIGTERM, hence the shorter times after a signal.

    Attributes:
        grace_s: between SIGTERM and SIGKILL: time for the program to save a checkpoint.
        linger_s: for descendants that outlive the program; then they get SIGTERM.
        linger_grace_s: from there to SIGKILL.
        hurried_linger_s: `linger_s` after a signal.
        hurried_linger_grace_s: `linger_grace_s` after a signal.
    """

    grace_s: float = 25.0
    linger_s: float = 5.0
    linger_grace_s: float = 5.0
    hurried_linger_s: float = 2.0
    hurried_linger_grace_s: float = 1.5


_PATIENCE = Patience()


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and the resources that it used.

    Attributes:
        exit_code: its exit status; None if a signal ended it.
        signal: the signal that ended it, or None.
        interrupted_by: the signal that asked this process to stop, or None.
        timed_out: whether it was ended at its time limit.
        was_cancelled: whether the caller had it ended.
        wall_s: how long it ran, in seconds.
        cpu_s: CPU time of the program and its descendants, in seconds.
        peak_memory_bytes: the largest resident memory of any one of these processes.
    """

    exit_code: int | None
    signal: int | None
    interrupted_by: int | None
    timed_out: bool
    was_cancelled: bool
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int


def run(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    console: IO[bytes],
    time_limit_s: float = 0,
    inherited: Sequence[int] = (),
    should_continue: Callable[[], bool] = lambda: True,
    patience: Patience = _PATIENCE,
    forked: StartedProgram | None = None,
) -> Outcome:
    """Run a program to its end, with its output in `console`.

    The program and its children are ended, by SIGTERM and 25 s later by SIGKILL, when this process
    gets a signal to stop, at the time limit, or when the caller wants it. Descendants that outlive
    the program, in any session, get a few seconds and are ended as well. If this process is killed,
    the program gets SIGTERM.

    Args:
        words: the program and its arguments.
        cwd: the folder in which it starts.
        environment: its complete environment.
        console: receives its output and errors.
        time_limit_s: seconds after which the program is ended; 0 for no limit.
        inherited: file descriptors that the program inherits.
        should_continue: is called twice a second while the program runs; False ends it.
        patience: how long the program and its descendants have to end by themselves.
        forked: the program, if it was started from a preloaded process with these arguments.

    Raises:
        StartError: the program can't be started.
    """
    stop = SignalRecorder()
    handlers = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    for handler in handlers.values():
        if isinstance(handler, SignalRecorder):  # take over what `signals_deferred` has recorded
            stop.received += handler.received
            handler.received.clear()
    state = _State()
    try:
        program = forked or ChildProgram(
            lambda: _start_program(words, cwd, environment, console, inherited)
        )
        before = len(stop.received)  # a signal that comes while it starts counts
        with program.watched() as descendants:
            pid = program.pid
            try:
                _supervise(pid, state, descendants, stop, time_limit_s, should_continue, patience)
                state.was_signaled = len(stop.received) > before
            except BaseException:  # an error here, or in `should_continue`
                _signal_group(pid, signal.SIGKILL)
                raise
            finally:
                ended = program.wait()
                code = os.waitstatus_to_exitcode(ended.status)
                wall_s = time.monotonic() - state.started
                if state.terminated_at is None and not stop.received:
                    descendants.end(patience.linger_s, patience.linger_grace_s)
                else:
                    descendants.end(patience.hurried_linger_s, patience.hurried_linger_grace_s)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    # A scheduler's signal reaches the program directly, too. It may have saved and exited with
    # status 0 before this process noticed; that is an interruption as well.
    if stop.received and (code != 0 or state.was_signaled):
        state.interrupted_by = stop.received[0]
    elif stop.received and state.interrupted_by is None:  # it came after the program had finished
        os.kill(os.getpid(), stop.received[0])
    return Outcome(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        interrupted_by=state.interrupted_by,
        timed_out=state.timed_out,
        was_cancelled=state.was_cancelled,
        wall_s=wall_s,
        cpu_s=ended.cpu_s + descendants.cpu_s,
        peak_memory_bytes=max(ended.peak_memory_bytes, descendants.peak_memory_bytes),
    )


@dataclass
class _State:
    """The state of a program that is run; times are of the monotonic clock."""

    started: float = field(default_factory=time.monotonic)
    terminated_at: float | None = None  # when it was sent SIGTERM
    interrupted_by: int | None = None
    was_signaled: bool = False  # whether a signal to stop came while the program ran
    timed_out: bool = False
    was_cancelled: bool = False


def _start_program(
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    console: IO[bytes],
    inherited: Sequence[int],
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that a signal reaches its children too, as a group
            pass_fds=inherited,
            preexec_fn=kernel.end_with_parent,  # safe: this process has one thread
        )
    except OSError as error:
        raise StartError(
            f"{words[0]} can't be started: {error.strerror}; correct `command` or `program`"
        ) from None


def _supervise(
    pid: int,
    state: _State,
    descendants: Descendants,
    stop: SignalRecorder,
    time_limit_s: float,
    should_continue: Callable[[], bool],
    patience: Patience,
) -> None:
    """Wait until a program has ended; end it when there is a reason to."""
    with kernel.until_end(pid) as has_ended:
        while not has_ended(_POLL_S):
            now = time.monotonic()
            descendants.reap(pid)
            if state.terminated_at is None:
                state.interrupted_by = stop.received[0] if stop.received else None
                state.timed_out = bool(time_limit_s and now - state.started > time_limit_s)
                state.was_cancelled = not should_continue()
                if state.interrupted_by or state.timed_out or state.was_cancelled:
                    state.terminated_at = now
                    _signal_group(pid, signal.SIGTERM)
            elif now - state.terminated_at > patience.grace_s:
                _signal_group(pid, signal.SIGKILL)
    descendants.reap(pid)  # before it is waited for, as its id is still its own


def start(
    words: Sequence[str],
    console: IO[bytes],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    inherited: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a helper process of Caduceus; it gets SIGTERM if this process is killed."""
    return subprocess.Popen(
        words,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=inherited,
        preexec_fn=kernel.end_with_parent,
    )


def start_server(words: Sequence[str], inherited: Sequence[int]) -> "subprocess.Popen[bytes]":
    """Start a process that serves this one, in its group; its input ends when this one does."""
    return subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=inherited)


def end(
    process: "subprocess.Popen[bytes]",
    wait_s: float,
    should_continue: Callable[[], bool] = lambda: True,
) -> None:
    """Wait for a process to end by itself, and end it otherwise, by SIGTERM and then by SIGKILL.

    Args:
        process: the process.
        wait_s: how long to wait for it, in seconds.
        should_continue: is called twice a second meanwhile; False ends the wait.
    """
    until = time.monotonic() + wait_s
    while should_continue() and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_POLL_S, wait_s))
            return
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_PATIENCE.grace_s)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def start_here(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    ignored: Sequence[signal.Signals] = (),
) -> "subprocess.Popen[bytes]":
    """Start a process on this one's terminal, in its group.

    Args:
        words: the program and its arguments.
        environment: its complete environment; None for that of this process.
        ignored: the signals that it ignores, unless it sets a handler of its own.
    """

    def ignore() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    return subprocess.Popen(list(words), env=environment, preexec_fn=ignore if ignored else None)


def wait_for(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """Return the exit status of a process; None if it hasn't ended within this time."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


@dataclass(frozen=True)
class CommandOutput:
    """The exit status and the output of a command."""

    exit_code: int
    output: str
    error: str


def capture(
    words: Sequence[str],
    stdin: str = "",
    time_limit_s: float = 60,
    environment: Mapping[str, str] | None = None,
) -> CommandOutput | None:
    """Run a short command, and return its output; None if it takes too long.

    Args:
        words: the command line.
        stdin: what it reads.
        time_limit_s: seconds after which it is killed.
        environment: its complete environment; None for that of this process.

    Raises:
        StartError: there is no such command.
    """
    try:
        finished = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=time_limit_s,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise StartError(f"{words[0]} can't be started: {error.strerror}") from None
    return CommandOutput(finished.returncode, finished.stdout, finished.stderr)


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
