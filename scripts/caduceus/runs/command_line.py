"""Macros that turn a run's parameters into the words of a command line.

W&B's own have the meaning that `wandb agent` gives them, so that a sweep's `command` works
unchanged.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import ProgramError
from caduceus.io.files import Json, is_file, write_whole

_MACRO = re.compile(r"\$\{([^}]*)\}")

# W&B's macros; each is a word of its own.
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
# Ours, which also stand inside a word, by the variable of the run's environment with their value.
VARIABLES = {
    "seed": "CADUCEUS_SEED",
    "run_id": "WANDB_RUN_ID",
    "output_dir": "CADUCEUS_OUTPUT_DIR",
    "checkpoint_dir": "CADUCEUS_CHECKPOINT_DIR",
}
_NAMED = re.compile(r"envvar:[A-Za-z_][A-Za-z0-9_]*|param:.+")
# The macros that a command may have, for messages.
ALLOWED = (
    ", ".join(f"${{{name}}}" for name in NAMES)
    + ", each a word of its own, and anywhere in a word "
    + ", ".join(f"${{{name}}}" for name in (*VARIABLES, "param:NAME", "envvar:NAME"))
)


class MacroError(ProgramError):
    """The word of a command at `index` has a macro without a value."""

    def __init__(self, message: str, index: int):
        super().__init__(message)
        self.index = index


def wrong_word(command: Sequence[object]) -> str | None:
    """Return the first word of `command` with a macro that doesn't exist or isn't expanded there.

    A macro without its `}` counts. None if there is none.
    """
    for word in map(str, command):
        if "${" in _MACRO.sub("", word):
            return word
        for name in _MACRO.findall(word):
            is_whole = word == f"${{{name}}}"
            is_inner = name in VARIABLES or _NAMED.fullmatch(name)
            if not (name in NAMES and is_whole) and not is_inner:
                return word
    return None


def missing_parameter(
    command: Sequence[object], parameters: Mapping[str, Json]
) -> tuple[int, str] | None:
    """Return the first `${param:NAME}` of a parameter that there isn't: word and name; or None."""
    for index, name in _named_parameters(command):
        try:
            _find(parameters, name)
        except KeyError:
            return index, name
    return None


def named_variables(command: Sequence[object]) -> list[str]:
    """Return the names of all variables that a command has as `${envvar:NAME}`."""
    macros = (name for word in map(str, command) for name in _MACRO.findall(word))
    return [name.removeprefix("envvar:") for name in macros if name.startswith("envvar:")]


def _named_parameters(command: Sequence[object]) -> Iterator[tuple[int, str]]:
    for index, word in enumerate(map(str, command)):
        for name in _MACRO.findall(word):
            if name.startswith("param:"):
                yield index, name.removeprefix("param:")


def _find(parameters: Mapping[str, Json], name: str) -> Json:
    """Return a parameter by its name, with dots for those in nested mappings.

    Raises:
        KeyError: there is none.
    """
    if name in parameters:
        return parameters[name]
    for key, value in parameters.items():
        if isinstance(value, dict) and name.startswith(f"{key}."):
            return _find(value, name[len(key) + 1 :])
    raise KeyError(name)


def with_hidden_programs(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with the full paths of programs in hidden folders.

    The folder that a program runs in has no link to these, such as `.venv/bin/python`.
    """
    return [str(Path(word).absolute()) if _is_hidden_program(word) else word for word in words]


def search_path(path: str) -> str:
    """Return PATH with the folder of this Python's programs at its end.

    The first word of a command may then be `papermill` or `torchrun` where no environment is
    activated. What PATH has already comes first: it may be another environment, with the program's
    packages.
    """
    return os.pathsep.join(filter(None, [path, str(Path(sys.executable).parent)]))


def _is_hidden_program(word: str) -> bool:
    first = Path(word).parts[:1]
    is_hidden = first != ("..",) and any(part.startswith(".") for part in first)
    return is_hidden and is_file(Path(word)) and os.access(word, os.X_OK)


def expand(
    command: Sequence[object],
    program: str,
    parameters: Mapping[str, Json],
    json_file: Path,
    environment: Mapping[str, str],
    seed: Mapping[str, int] | None = None,
    interpreter: str | None = None,
) -> list[str]:
    """Return the words of the command line that starts `program` with `parameters`.

    Args:
        command: the words of the experiment's command.
        program: the training program.
        parameters: the run's parameters by name.
        json_file: takes the parameters if the command has `${args_json_file}`.
        environment: the variables of the run's environment.
        seed: the seed by the name of its argument; None if the program gets none as an argument.
        interpreter: the Python of the run's environment; None for that of this process.

    Raises:
        MacroError: a variable isn't set.
    """
    words_of = _arguments(dict(parameters) | dict(seed or {}))
    words_of |= {"env": ["/usr/bin/env"], "program": [program]}
    words_of["interpreter"] = [interpreter or sys.executable]
    words: list[str] = []
    for index, word in enumerate(map(str, command)):
        macro = _MACRO.fullmatch(word)
        if macro and macro[1] == "args_json_file":
            write_whole(json_file, words_of["args_json"][0])
            words.append(str(json_file))
        elif macro and macro[1] in words_of:
            words += words_of[macro[1]]
        else:
            words.append(_expand_inside(word, index, parameters, environment))
    return words


def _arguments(values: Mapping[str, Json]) -> dict[str, list[str]]:
    """Return the words of each macro that stands for all parameters."""
    flags = [f"{name}={value}" for name, value in values.items()]
    return {
        "args": [f"--{flag}" for flag in flags],
        "args_no_equals": [
            word for name, value in values.items() for word in (f"--{name}", str(value))
        ],
        "args_no_hyphens": flags,
        "args_no_boolean_flags": [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, value in values.items()
            if value is not False
        ],
        "args_append_hydra": [f"+{flag}" for flag in flags],
        "args_override_hydra": [f"++{flag}" for flag in flags],
        "args_json": [json.dumps(values)],
    }


def _expand_inside(
    word: str, index: int, parameters: Mapping[str, Json], environment: Mapping[str, str]
) -> str:
    """Replace the macros inside a word."""

    def value(macro: re.Match[str]) -> str:
        kind, _, name = macro[1].partition(":")
        if kind == "param":
            return str(_find(parameters, name))
        variable = VARIABLES.get(kind, name)
        if variable not in environment:
            # W&B would leave the variable's name, which the program takes for a value.
            raise MacroError(
                f"{macro[0]}: {variable} isn't set; set it, or change `command`", index
            )
        return environment[variable]

    return _MACRO.sub(value, word)
