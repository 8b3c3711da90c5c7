"""Notes each file that a process opens."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def watch(folder: str, words: list[str]) -> None:
    """Write the command line and each path that is opened, with its flags, as lines of JSON.

    Args:
        folder: where the file with these lines is written.
        words: the command line; empty for that in `sys.argv` when the first path is opened.
    """
    notes = os.open(f"{folder}/{os.getpid()}-{os.urandom(4).hex()}", os.O_WRONLY | os.O_CREAT)
    has_words = False

    def note(value: object) -> None:
        os.write(notes, json.dumps(value).encode() + b"\n")

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal has_words
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            if not has_words:
                has_words = True
                note(words or sys.argv)
            note([str(Path(os.fsdecode(arguments[0])).absolute()), arguments[2]])

    sys.addaudithook(hear)
