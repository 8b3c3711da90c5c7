"""The process between server and program.

The program is its child, and as a child subreaper (prctl(2)) it gets all processes that the program
leaves behind. It keeps the program's end until the supervisor asks for it, so that the id stays the
program's; and it sends SIGTERM to the program if the supervisor ends, as a parent's end would.
"""

import ctypes
import os
import select
import signal

from caduceus_preloading import messages, programs

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_REAP_MS = 500
_libc = ctypes.CDLL(None)


def guard(connection, request, descriptors, preloaded):
    """Fork the program and watch it until its supervisor has ended; returns in the program only.

    The first message to the supervisor `asks` for "go": one that has ended, or has started the
    program afresh, sends nothing, and nothing starts. The next has `pid` and `guard`, or `refused`,
    the reason. Then it may ask for "end", the program's end, once it has ended, and for "rest",
    what others have used.
    """
    os.setsid()
    try:
        messages.send(connection, {"asks": "go"})
        messages.receive(connection)
    except (EOFError, OSError):
        os._exit(0)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    told, tells = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        connection.close()
        return _become(request, [*descriptors, tells], preloaded)
    os.close(tells)
    for descriptor in descriptors:
        os.close(descriptor)
    with os.fdopen(told) as stream:
        refused = stream.read()
    try:
        if refused != "ready":
            os.waitpid(pid, 0)
            messages.send(connection, {"refused": refused or "the forked process has ended"})
        else:
            messages.send(connection, {"pid": pid, "guard": os.getpid()})
            _watch(connection, pid)
    except OSError:  # the supervisor has ended
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    os._exit(0)


def _become(request, descriptors, preloaded):
    """Become the program, and tell the guard whether that is possible."""
    *own, tells = descriptors
    number = max([*own, *request["descriptors"], tells]) + 1
    request["descriptors"] = [*request["descriptors"], number]
    reason = "ready"
    try:
        program = programs.prepare(request, descriptors, preloaded)
    except BaseException as error:
        reason = str(error) or type(error).__name__
        number = number if _is_open(number) else tells
    os.write(number, reason.encode("utf-8", "replace"))
    os.close(number)
    if reason != "ready":
        os._exit(1)
    programs.start(request, program, preloaded)
    return program


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _watch(connection, pid):
    """Answer the supervisor until it ends; the program is reaped when it asks for its end."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    used, is_reaped = {"cpu_s": 0.0, "peak_kb": 0}, False
    while True:
        ready = poll.poll(_REAP_MS)
        _reap_others(pid if not is_reaped else None, used)
        if not ready:
            continue
        try:
            wanted, _ = messages.receive(connection)
        except (EOFError, OSError):
            break
        if wanted == "end":
            _, status, usage = os.wait4(pid, 0)
            is_reaped = True
            answer = {"status": status, "cpu_s": usage.ru_utime + usage.ru_stime}
            messages.send(connection, dict(answer, peak_kb=usage.ru_maxrss))
        else:
            messages.send(connection, used)
    if not is_reaped:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _reap_others(pid, used):
    """Reap what the program has left behind and has ended."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == pid:
            return  # `waitid` would return the program again and again
        _, _, usage = os.wait4(ended.si_pid, 0)
        used["cpu_s"] += usage.ru_utime + usage.ru_stime
        used["peak_kb"] = max(used["peak_kb"], usage.ru_maxrss)
