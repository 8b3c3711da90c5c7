"""Find the values of parameters that are named like secrets, which no answer shows."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from caduceus.io.files import Json
from caduceus.overview.mcp.answers import is_hidden, shown
from caduceus.project.planned import plan_files
from caduceus.runs.files.plan import Plan

# From the start of a name, and without going back in it: a long word takes linear time.
_SETTING = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)=([^,\s\[]+)")


def hide_settings(text: str) -> str:
    """Return a text without the values of settings NAME=VALUE that are named like secrets.

    Variants and command lines of runs that aren't planned here have such.
    """
    return _SETTING.sub(lambda found: f"{found[1]}={shown(found[1], found[2])}", text)


def parameter_secrets(results: Path) -> dict[str, str]:
    """Return the values of secret parameters of all planned runs, each with the parameter's name.

    A variant is named by its parameters, and so are its runs: their names hold these values too.

    Raises:
        ResultError: a plan is damaged.
    """
    return secrets_of(map(Plan.read, plan_files(results)))


def secrets_of(plans: Iterable[Plan]) -> dict[str, str]:
    """Return the values of secret parameters of the runs of plans, each with its name."""
    found: dict[str, str] = {}
    for plan in plans:
        for run in plan.runs:
            _collect("", run.definition.parameters, found)
    return found


def _collect(name: str, value: Json, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _collect(key, item, found)
    elif isinstance(value, str):
        if is_hidden(name, value):
            found |= {value: name, json.dumps(value, ensure_ascii=False)[1:-1]: name}
    elif isinstance(value, Sequence):
        for item in value:
            _collect(name, item, found)
