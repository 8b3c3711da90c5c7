"""The configuration that a run used: that of its experiment, with what the program reported.

A program may change a parameter while it runs, such as a batch size that is too large, and report
that in `wandb.config`. The export has the reported value.
"""

import json
import math
import re
import struct
from collections.abc import Collection, Mapping

from caduceus.io.files import Json
from caduceus.runs.files.export import ChangedParameter

_EXACT = 2**53  # a float holds whole numbers up to here exactly
_WORDS = {"True": True, "False": False, "None": None}  # Python's spelling in text


def used_config(
    planned: Mapping[str, Json], reported: Mapping[str, Json], parameters: Collection[str]
) -> tuple[dict[str, Json], dict[str, ChangedParameter]]:
    """Return the configuration that a run used, and each parameter that differs from its plan.

    Mappings are merged. A value that is equal to the planned one is written as planned. A planned
    parameter `a.b` is looked up in the reported mapping `a` too, as Hydra reports it there.

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
        for found in _reported(reported, name) if name in parameters else ():
            config[name] = _used(_escaped(name), config[name], found, changed)
    return config, changed


def _reported(reported: Mapping[str, Json], name: str) -> list[Json]:
    found = [reported[name]] if name in reported else []
    inside: Json = reported
    *above, last = name.split(".")
    for key in above:
        inside = inside.get(key) if isinstance(inside, Mapping) else None
    if above and isinstance(inside, Mapping) and last in inside:
        found.append(inside[last])
    return found


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
    and 1, and "64,64" and [64, 64]. A float that was rounded to 32 bits is equal, and a large
    integer that became a float. wandb writes NaN and infinities in a configuration as null, so
    these are equal too.
    """
    if isinstance(planned, Mapping) and isinstance(reported, Mapping):
        return planned.keys() == reported.keys() and all(
            is_equal(value, reported[key]) for key, value in planned.items()
        )
    if isinstance(planned, list | tuple) and isinstance(reported, list | tuple):
        return len(planned) == len(reported) and all(map(is_equal, planned, reported))
    if planned == reported:
        return True
    if isinstance(planned, str) and isinstance(reported, list | tuple):
        return is_equal(re.split(r"[,\s]+", planned.strip("[]() ")), reported)
    if isinstance(planned, str) or isinstance(reported, str):
        values = _value(planned), _value(reported)
        return not any(isinstance(value, str) for value in values) and is_equal(*values)
    if isinstance(planned, float) and not math.isfinite(planned):
        return reported is None or (isinstance(reported, float) and math.isnan(reported))
    if isinstance(planned, int) and abs(planned) > _EXACT and isinstance(reported, float):
        return float(str(planned)) == reported  # a server has no larger integers
    return isinstance(planned, float) and _as_float32(planned) == reported


def _value(value: Json) -> Json:
    """Return the value that a text stands for; the text if it stands for none."""
    if not isinstance(value, str):
        return value
    if value in _WORDS:
        return _WORDS[value]
    for read in (json.loads, float):
        try:
            found: Json = read(value)
            return found
        except (ValueError, RecursionError):
            continue
    return value


def _as_float32(value: float) -> float:
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
        return rounded
    except OverflowError:
        return math.inf
