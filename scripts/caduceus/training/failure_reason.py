"""The failure reason of a program: how it ended and its last lines, in one line."""

import os
import re
from pathlib import Path

from caduceus.system import processes

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL_BYTES = 16384  # at the end of its output, which are searched for its last lines
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
    """Return why a program didn't finish, with its last lines, in one line.

    Args:
        program: its name for the reader.
        outcome: how it ended.
        time_limit_s: its time limit; 0 for none.
        console: the file with what it printed.
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
            how += ", often because memory ran out"
    else:
        how = f"exited with {outcome.exit_code}"
    # If it was stopped from outside, its last lines are no reason.
    said = "" if outcome.interrupted_by is not None else " | ".join(last_lines(console))
    return f"{program} {how}{f': {said}' if said else ''}; see {console}"


def cut_short(program: str, console: Path) -> str:
    """Return why a program that exited with 0 has failed: its log has no end."""
    return (
        f"{program} exited with 0, but its W&B log has no end, so rows may be missing: was the "
        "disk full? Processes left in the background are ended with the program, and a program "
        f"that calls os._exit must call run.finish() first; see {console}"
    )


def last_lines(console: Path) -> list[str]:
    """Return the last lines a program printed, at most 3 of 200 characters.

    Lines of wandb and Caduceus are left out; of a Python traceback the error is kept, of a progress
    bar its last state.
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
        # The first line of a long error names it.
        spoken = [*errors[:1], *errors[1:][1 - _LINES :]] or spoken
    return [_shortened(line.strip()) for line in spoken[-_LINES:]]


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[: _LINE_LENGTH - 1]}…"


def shared(name: str) -> str:
    """Return the warning about a linked folder that was written to while a program ran."""
    return (
        f"{name}/ in the project's folder was written to meanwhile, and is the same folder for all "
        "runs; if the program did it, let it write below CADUCEUS_CHECKPOINT_DIR or "
        "CADUCEUS_OUTPUT_DIR, or move the folder away"
    )
