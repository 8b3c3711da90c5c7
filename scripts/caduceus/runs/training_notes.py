"""Notes on how an attempt was tracked, in one line each."""

from collections.abc import Iterator, Sequence

from caduceus.io.amounts import size
from caduceus.io.phrases import count_of, listed
from caduceus.runs.files.attempt import Attempt, LeftFiles, StartedRun

_SHOWN = 3
ENVIRONMENT = "the PYTHONPATH and WANDB_ variables that the program was started with"
_COMMAND = 60  # characters of a command line


def training_notes(attempt: Attempt) -> Iterator[str]:
    """Yield the notes on an attempt; that a failed one wasn't tracked is in its error already."""
    if attempt.untracked and attempt.state != "failed":
        yield f"finished, but nothing was tracked: {attempt.untracked}"
    if attempt.logged_elsewhere:
        yield attempt.logged_elsewhere
    if attempt.started_runs:
        yield started_note(attempt.started_runs)
    if attempt.left_files:
        yield left_note(attempt.left_files)


def elsewhere_note(logs: Sequence[str]) -> str:
    """Say that a program logged to W&B outside of its run, and what to do."""
    return (
        f"logged to W&B outside of its run, to {listed(logs, _SHOWN)}: start each process that "
        f"logs with {ENVIRONMENT}; `caduceus export` reads the rows of such a log"
    )


def started_note(started: Sequence[StartedRun]) -> str:
    """Say which process started the run itself, and which started further runs."""
    own = next((each for each in started if each.is_own), None)
    others = [each for each in started if each is not own]
    further = f"further: {listed([_of_process(each, own) for each in others], _SHOWN)}"
    if own is None:
        return f"{count_of(len(started), 'run')} started, none of which has rows; {further}"
    how = f" ({own.command[:_COMMAND]})" if own.command not in ("", "-c") else ""
    if own.is_first_process:
        of = f"that of the program itself, process {own.pid}{how}"
    elif own.number == 1:
        of = f"that of rank 0, process {own.pid}{how}"
    else:
        of = f"that of process {own.pid}{how}, as the program itself logged nothing"
    parts = [f"{count_of(len(started), 'run')} started; this one is {_name(own)}, {of}"]
    return "; ".join([*parts, further] if others else parts)


def _of_process(started: StartedRun, own: StartedRun | None) -> str:
    if own is not None and own.pid == started.pid:
        return f"{_name(started)} of the same process"
    return f"{_name(started)} of process {started.pid}"


def _name(started: StartedRun) -> str:
    return repr(started.name) if started.name else f"number {started.number}"


def left_note(left: LeftFiles) -> str:
    """Say which large files and checkpoints only the working folder has, and how to keep them."""
    names = listed(left.files, _SHOWN)
    more = f" and {left.count - len(left.files)} more" if left.count > len(left.files) else ""
    return (
        f"{count_of(left.count, 'file')} ({size(left.bytes)}) only in work/code, "
        f"neither archived nor uploaded: {names}{more}; to keep such files, pass ${{output_dir}} "
        "in `command`, or ${checkpoint_dir} with `keep_checkpoints: true`"
    )
