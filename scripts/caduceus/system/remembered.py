"""Print what a command finds, without finding it again while all that it looked at is as it was."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from caduceus.system.recorded_reads import RecordedReads
from caduceus.system.stamp import Stamp


def print_remembered(command: str, words: Sequence[str], find: Callable[[], Iterable[str]]) -> None:
    """Print the lines of a command that only reads, from its stamp if that answers.

    Args:
        command: its name.
        words: its arguments, as far as they decide what it prints.
        find: returns the lines.
    """
    stamp = Stamp(command, words)
    if (known := stamp.answer()) is not None:
        print(known, end="")
        return
    began_ns, reads, text = stamp.begin(), RecordedReads(), ""
    if began_ns:
        reads.start()
    try:
        for line in find():
            print(line)
            text += f"{line}\n"
    finally:
        reads.stop()
    if began_ns:
        with suppress(OSError):  # such as a full disk
            stamp.write(text, reads, began_ns)
