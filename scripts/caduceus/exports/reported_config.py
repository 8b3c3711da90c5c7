"""The configuration that a run used: that of its experiment, with what the program reported.

A program may change a parameter while it runs, such as a batch size that is too large, and report
that in `wandb.config`. The export has the reported value.
"""

import ast
import json
import math
import posixpath
import re
import struct
from collections.abc import Collection, Iterator, Mapping

from caduceus.io.files import Json
from caduceus.runs.files.export import ChangedParameter

_EXACT = 2**53  # a float holds whole numbers up to here exactly
# The values that words stand for in command lines and settings files, in lower case.
_WORDS = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
    **dict.fromkeys(("none", "null", ""), None),
}


def used_config(
    planned: Mapping[str, Json], reported: Mapping[str, Json], parameters: Collection[str]
) -> tuple[dict[str, Json], dict[str, ChangedParameter]]:
    """Return the configuration that a run used, and each parameter that differs from its plan.

    Mappings are merged. A value that is equal to the planned one is written as planned. A planned
    parameter `batch-size` is looked up as `batch_size` too, as argparse reports it, and `a.b` in
    the reported mapping `a`, as Hydra reports it.

    Args:
        planned: the configuration by the experiment.
        reported: the configuration in the log.
        parameters: the names in `planned` that the program may change; the others describe the
            experiment.

    Returns:
        The configuration; the changed parameters by name, nested keys joined by dots.
    """
    changed: dict[str, ChangedParameter] = {}
    config = dict(reported)
    for name, value in planned.items():
        config[name] = value
        for found in _reported(reported, name, planned) if name in parameters else ():
            if not is_equal(value, found):
                config[name] = _used(_escaped(name), value, found, changed)
                break
    return config, changed


def _reported(reported: Mapping[str, Json], name: str, planned: Collection[str]) -> Iterator[Json]:
    """Yield the values that were reported of a parameter, that of its own name first."""
    yield from (
        value for key, value in _spelled(reported, name) if key == name or key not in planned
    )
    inside: Json = reported
    *above, last = name.split(".")
    for part in above:
        inside = next((value for _, value in _spelled(inside, part)), None)
    yield from (value for _, value in _spelled(inside, last) if above)


def _spelled(values: Json, name: str) -> list[tuple[str, Json]]:
    """Return the items of a mapping whose key is `name` but for hyphens and underscores."""
    if not isinstance(values, Mapping):
        return []
    plain = name.replace("-", "_")
    found = [item for item in values.items() if item[0].replace("-", "_") == plain]
    return sorted(found, key=lambda item: item[0] != name)


def _used(name: str, planned: Json, reported: Json, changed: dict[str, ChangedParameter]) -> Json:
    """Return the value that the run used of a parameter; add to `changed` what differs."""
    if isinstance(planned, Mapping) and isinstance(reported, Mapping):
        inside = {
            key: _used(f"{name}.{_escaped(key)}", value, reported[key], changed)
            for key, value in planned.items()
            if key in reported
        }
        return {**planned, **reported, **inside}
    if is_equal(planned, reported):
        return planned
    # An interpolation, such as Hydra's ${data.root}, is planned; the program reports its value.
    if not (isinstance(planned, str) and "${" in planned):
        changed[name] = ChangedParameter(planned, reported)
    return reported


def _escaped(key: str) -> str:
    return key.replace(".", "\\.")


def is_equal(planned: Json, reported: Json) -> bool:
    """Whether a reported value is the planned one, however the program has converted it.

    Parameters reach a program as text, so `1e-3`, "0.001" and 0.001 are equal, as are true, "True"
    and 1, "64,64" and [64, 64], and "none" and null. So are a path and its absolute form, and a
    text and the name of an Enum, which wandb writes. A float that was rounded to 32 bits is equal,
    and a large integer that became a float. wandb writes NaN and infinities in a configuration as
    null, so these are equal too.
    """
    if isinstance(planned, Mapping) and isinstance(reported, Mapping):
        return planned.keys() == reported.keys() and all(
            is_equal(value, reported[key]) for key, value in planned.items()
        )
    if isinstance(planned, list | tuple) and isinstance(reported, list | tuple):
        return len(planned) == len(reported) and all(map(is_equal, planned, reported))
    if planned == reported:
        return True
    if isinstance(planned, str) and isinstance(reported, str) and _is_renamed(planned, reported):
        return True
    if isinstance(planned, str) or isinstance(reported, str):
        values = _value(planned), _value(reported)
        if not any(isinstance(value, str) for value in values) and is_equal(*values):
            return True
        if isinstance(planned, list | tuple) or isinstance(reported, list | tuple):
            return is_equal(_items(planned), _items(reported))
        return False
    if isinstance(planned, float) and not math.isfinite(planned):
        return reported is None or (isinstance(reported, float) and math.isnan(reported))
    if isinstance(planned, int) and abs(planned) > _EXACT and isinstance(reported, float):
        return float(str(planned)) == reported  # a server has no larger integers
    return isinstance(planned, float) and _as_float32(planned) == reported


def _value(value: Json) -> Json:
    """Return the value that a text stands for; the text if it stands for none."""
    if not isinstance(value, str):
        return value
    if value.lower() in _WORDS:
        return _WORDS[value.lower()]
    for read in (json.loads, float, ast.literal_eval):
        try:
            found: Json = read(value)
            return found
        except (ValueError, RecursionError, SyntaxError, TypeError, MemoryError):
            continue
    return value


def _items(value: Json) -> Json:
    """Return the parts of a text such as `64,64` or `[a b]`; another value as it is."""
    return re.split(r"[,\s]+", value.strip("[]() ")) if isinstance(value, str) else value


def _is_renamed(planned: str, reported: str) -> bool:
    """Whether a text is the absolute form of a path, or the name that an Enum has for a value."""
    if re.sub(r"\W", "_", planned).upper() == reported:
        return True
    if "/" not in planned + reported:
        return False
    paths = posixpath.normpath(planned), posixpath.normpath(reported)
    tail = re.sub(r"^((~|\.\.)/)+", "", paths[0])
    return paths[0] == paths[1] or (paths[1].startswith("/") and paths[1].endswith(f"/{tail}"))


def _as_float32(value: float) -> float:
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
        return rounded
    except OverflowError:
        return math.inf
