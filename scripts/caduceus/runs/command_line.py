"""W&B's command macros, which turn a run's parameters into the words of a command line.

They have the meaning that `wandb agent` gives them, so that a sweep's `command` works unchanged.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from caduceus.io.files import Json, write_whole

_MACRO = re.compile(r"\$\{([^}]*)\}")
_ENVIRONMENT = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")

NAMES = (
    "env",
    "interpreter",
    "program",
    "args",
    "args_no_equals",
    "args_no_hyphens",
    "args_no_boolean_flags",
    "args_append_hydra",
    "args_override_hydra",
    "args_json",
    "args_json_file",
)
# The macros that a command may have, for messages.
ALLOWED = (
    ", ".join(f"${{{name}}}" for name in (*NAMES, "envvar:NAME"))
    + ", each but the last a word of its own"
)


def wrong_word(command: Sequence[object]) -> str | None:
    """Return the first word of `command` with a macro that W&B doesn't know or expand, or None.

    Only `${envvar:NAME}` is replaced inside a word.
    """
    for word in map(str, command):
        for name in _MACRO.findall(word):
            is_whole = word == f"${{{name}}}"
            if not (name in NAMES and is_whole) and not _ENVIRONMENT.fullmatch(f"${{{name}}}"):
                return word
    return None


def expand(
    command: Sequence[object], program: str, parameters: Mapping[str, Json], json_file: Path
) -> list[str]:
    """Return the words of the command line that starts `program` with `parameters`.

    Args:
        command: the words of the experiment's command.
        program: the training program.
        parameters: the run's parameters by name, with the seed.
        json_file: takes the parameters if the command has `${args_json_file}`.
    """
    flags = [f"{name}={value}" for name, value in parameters.items()]
    words_of: dict[str, list[str]] = {
        "env": ["/usr/bin/env"],
        "interpreter": [sys.executable],
        "program": [program],
        "args": [f"--{flag}" for flag in flags],
        "args_no_equals": [
            word for name, value in parameters.items() for word in (f"--{name}", str(value))
        ],
        "args_no_hyphens": flags,
        "args_no_boolean_flags": [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, value in parameters.items()
            if value is not False
        ],
        "args_append_hydra": [f"+{flag}" for flag in flags],
        "args_override_hydra": [f"++{flag}" for flag in flags],
        "args_json": [json.dumps(parameters)],
        "args_json_file": [str(json_file)],
    }
    words: list[str] = []
    for word in map(str, command):
        macro = _MACRO.fullmatch(word)
        if macro and macro[1] in words_of:
            words += words_of[macro[1]]
            if macro[1] == "args_json_file":
                write_whole(json_file, json.dumps(parameters))
        else:
            # W&B leaves the name of a variable that isn't set.
            words.append(_ENVIRONMENT.sub(lambda m: os.environ.get(m[1], m[1]), word))
    return words
