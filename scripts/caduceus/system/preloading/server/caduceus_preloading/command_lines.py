"""Give a forked process the command line and environment that tools such as `ps` find."""

import contextlib
import ctypes
import os

_PR_SET_MM, _PR_SET_MM_MAP = 35, 14  # <linux/prctl.h>
# The numbers of the fields in /proc/self/stat, counted from 0 after the name; see proc(5).
_FIELDS = {
    **{"start_code": 23, "end_code": 24, "start_stack": 25, "start_data": 42, "end_data": 43},
    "start_brk": 44,
}
_kept = []  # the memory that the kernel reads them from


class _Map(ctypes.Structure):
    """`struct prctl_mm_map` of <linux/prctl.h>."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("start_code", "end_code", "start_data", "end_data")),
        *((name, ctypes.c_uint64) for name in ("start_brk", "brk", "start_stack", "arg_start")),
        *((name, ctypes.c_uint64) for name in ("arg_end", "env_start", "env_end", "auxv")),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    ]


def set_command_line(words, environment):
    """Show `words` as the command line of this process, and its environment; if Linux can do it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat") as stream:
            fields = stream.read().rpartition(")")[2].split()[1:]
        layout = _Map(**{name: int(fields[index - 1]) for name, index in _FIELDS.items()})
        libc = ctypes.CDLL(None)
        libc.sbrk.restype = ctypes.c_void_p
        layout.brk, layout.exe_fd = libc.sbrk(ctypes.c_long(0)), 0xFFFFFFFF
        arguments = _memory(words)
        variables = _memory("{}={}".format(*each) for each in environment.items())
        layout.arg_start, layout.env_start = map(ctypes.addressof, (arguments, variables))
        layout.arg_end = layout.arg_start + len(arguments)
        layout.env_end = layout.env_start + len(variables)
        size = ctypes.c_ulong(ctypes.sizeof(layout))
        if libc.prctl(_PR_SET_MM, _PR_SET_MM_MAP, ctypes.byref(layout), size, 0) == 0:
            _kept.extend((arguments, variables))


def _memory(texts):
    text = b"".join(os.fsencode(text) + b"\0" for text in texts)
    return ctypes.create_string_buffer(text, len(text))
