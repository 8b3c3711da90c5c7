"""Parse the key `parameters` of a sweep's configuration, nested or not, as a search space."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from caduceus.io.validation import Where, brief
from caduceus.io.yaml_files import Key
from caduceus.sweeps.distribution_specs import (
    CLEAR_KEYS,
    EXAMPLE,
    KEYS,
    check_grid,
    error_at,
    read_distribution,
)
from caduceus.sweeps.spaces import Parameter, Path, Space

# Keys beside `parameters`, which may be indented below it by mistake.
_OUTER_KEYS = ("method", "metric", "early_terminate", "run_cap", "program", "command")

# With Hydra's prefixes + ++ ~, groups a/b, packages a@b and module:name.
_NAME = re.compile(r"[+~]{0,2}[A-Za-z_][A-Za-z0-9_.:/@+-]*")


def read_space(parameters: Any, method: str, where: Where) -> Space:
    """Parse a sweep's `parameters`.

    Args:
        parameters: the value of this key in the user's file.
        method: of the sweep; a grid allows only parameters whose values can be listed.
        where: finds the file and line of a key, for the message.

    Raises:
        SpecError: the first thing that is wrong.
    """
    found = tuple(_read(parameters, ["parameters"], (), method, where))
    names: dict[str, Path] = {}
    for parameter in found:
        twin = names.setdefault(parameter.name, parameter.path)
        if twin != parameter.path:
            raise error_at(
                _keys(parameter.path),
                f"two parameters have the name {parameter.name!r}; rename one",
                where,
            )
    return Space(found)


def _keys(path: Path) -> list[Key]:
    """Return the path of keys of a parameter."""
    return [key for name in path for key in ("parameters", name)]


def _read(
    parameters: Any, keys: list[Key], path: Path, method: str, where: Where
) -> Iterator[Parameter]:
    """Yield the parameters at one level and below."""
    if not isinstance(parameters, dict) or not parameters:
        raise error_at(
            keys,
            f"found {brief(parameters)}, allowed: parameters by name, each a mapping such as "
            f"{EXAMPLE}",
            where,
        )
    _check_level(parameters, keys, where)
    for name, spec in parameters.items():
        if "parameters" not in spec:
            distribution = read_distribution(spec, [*keys, name], where)
            if method == "grid":
                check_grid(distribution, spec, [*keys, name], where)
            yield Parameter((*path, name), distribution)
            continue
        others = [key for key in spec if key != "parameters"]
        if others:
            raise error_at(
                [*keys, name, others[0]],
                f"is beside the nested `parameters` of {name!r}: indent it below them if it is "
                "one of them, else remove it",
                where,
            )
        yield from _read(
            spec["parameters"], [*keys, name, "parameters"], (*path, name), method, where
        )


def _check_level(parameters: Mapping[Any, Any], keys: list[Key], where: Where) -> None:
    """Refuse keys of a parameter, keys of the sweep, and plain values in place of parameters."""
    # Report a wrongly indented key first: the missing key is only its symptom.
    for find_error in (_wrong_indentation, _wrong_parameter):
        before: Any = None  # the parameter before, to which a key may belong
        for name, spec in parameters.items():
            error = find_error(name, spec, before)
            if error:
                raise error_at([*keys, name], error, where)
            if spec is None or isinstance(spec, dict):
                before = name


def _wrong_indentation(name: Any, spec: Any, before: Any) -> str | None:
    """Return the message if `name` is a key of a parameter, not a parameter."""
    if name not in CLEAR_KEYS or spec is None or isinstance(spec, dict):
        return None
    below = "a parameter, such as learning_rate" if before is None else repr(before)
    return f"found {brief(spec)}, but it is a key of a parameter: indent it below {below}"


def _wrong_parameter(name: Any, spec: Any, before: Any) -> str | None:
    """Return the message if a parameter has a wrong name, place or value."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return (
            f"{brief(name)} is no name for a parameter; allowed: letters, digits and _ . - / : @ "
            "+, first a letter or _, or one of these after Hydra's +, ++ or ~"
        )
    if not isinstance(spec, dict):
        return _plain_value(name, spec, before)
    if not set(spec) & set(CLEAR_KEYS):
        if name in _OUTER_KEYS and spec:
            return "belongs beside `parameters`, not below it: remove its indentation"
        if name == "parameters":
            return "`parameters` below `parameters`: remove one"
    return None


def _plain_value(name: str, value: Any, before: Any) -> str:
    """Return the message about a parameter that isn't a mapping, with what to write instead."""
    if value is None:
        return f"found null, allowed: a mapping such as {EXAMPLE}, indented below it"
    if isinstance(value, list):
        return f"found {brief(value)}, allowed: a mapping; write {{values: {brief(value)}}}"
    message = f"found {brief(value)}, allowed: a mapping; write {{value: {brief(value)}}}"
    if name in _OUTER_KEYS:
        message += ", or remove its indentation if it is the sweep's"
    elif name in KEYS and before is not None:
        message += f", or indent it below {before!r} if it is a key of that"
    return message
