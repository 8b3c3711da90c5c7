"""Why a program didn't finish, in one line, from how it ended and what it said last."""

import os
import re
from pathlib import Path

from caduceus.system import processes

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL_BYTES = 16384  # of what it printed, in which the last lines are looked for
_LINES = 3
_LINE_LENGTH = 200
_NOT_ITS_OWN = ("wandb:", "caduceus:")
_TRACEBACK = "Traceback (most recent call last):"


def reason(
    program: str,
    outcome: processes.Outcome,
    time_limit_s: float,
    console: Path,
    lost_to: str | None = None,
) -> str:
    """Why a program didn't finish, with its last lines, in one line.

    Args:
        program: its name for the reader.
        outcome: how it ended.
        time_limit_s: the limit it had; 0 for none.
        console: what it printed.
        lost_to: the host that took the run over, if one did.
    """
    if lost_to is not None:
        how = f"was given up: this host didn't answer for a while, and {lost_to} took the run over"
    elif outcome.interrupted_by is not None:
        how = f"stopped by {processes.signal_name(outcome.interrupted_by)}"
    elif outcome.timed_out:
        how = f"ended at its time limit of {time_limit_s / 60:g} minutes (resources.runtime)"
    elif outcome.signal is not None:
        how = f"killed by {processes.signal_name(outcome.signal)}"
        if processes.signal_name(outcome.signal) == "SIGKILL":
            how += ", often for want of memory"
    else:
        how = f"exited with {outcome.exit_code}"
    # What it said last is no cause where it was told to stop.
    said = "" if outcome.interrupted_by is not None else " | ".join(last_lines(console))
    return f"{program} {how}{f': {said}' if said else ''}; see {console}"


def cut_short(program: str, console: Path) -> str:
    """Why a program has failed that ended well, and whose log has no end."""
    return (
        f"{program} ended well, but what W&B logged of it has no end, so that rows may be missing: "
        "was the disk full? what works on in the background is ended with the program, and who "
        f"calls os._exit has to call run.finish() before; see {console}"
    )


def last_lines(console: Path) -> list[str]:
    """The last lines a program printed, at most three of 200 characters; W&B's and ours left out.

    Of a Python traceback there is the error alone; of a progress bar its last state.
    """
    with console.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, end - _TAIL_BYTES))
        text = _COLOUR.sub("", stream.read().decode(errors="replace"))
    lines = [line.rstrip().rpartition("\r")[2] for line in text.split("\n")]
    spoken = [line for line in lines if line.strip() and not line.startswith(_NOT_ITS_OWN)]
    traces = [n for n, line in enumerate(spoken) if line.endswith(_TRACEBACK)]
    if traces:
        prefix = spoken[traces[-1]].removesuffix(_TRACEBACK)  # such as torch's "[rank0]: "
        errors = [line for line in spoken[traces[-1] + 1 :] if not line.startswith(f"{prefix} ")]
        # An error may take many lines, of which the first says what it is.
        spoken = [*errors[:1], *errors[1:][1 - _LINES :]] or spoken
    return [_shortened(line.strip()) for line in spoken[-_LINES:]]


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[: _LINE_LENGTH - 1]}…"


def shared(name: str) -> str:
    """What is to be said of a linked folder that was written to while a program ran."""
    return (
        f"{name}/ in the project's folder was written to meanwhile, and is the same folder for all "
        "runs; if the program did it, let it write below CADUCEUS_CHECKPOINT_DIR or "
        "CADUCEUS_OUTPUT_DIR, or move the folder away"
    )
