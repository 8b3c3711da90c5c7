"""Hide secrets in what is shown of runs: the user's own, and settings that are named like one."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from caduceus.io.files import Json
from caduceus.runs.files.plan import Plan
from caduceus.system.known_secrets import is_secret

LEAST_SECRET = 8  # characters; a shorter value such as `key: left` isn't a secret
_HIDDEN = "[a secret, not shown]"
# From the start of a name, and without going back in it: a long word takes linear time.
_SETTING = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)=([^,\s\[]+)")


def hide(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text without secrets, and without the values of settings named like secrets.

    Args:
        text: the text.
        secrets: the name of each secret, by its value.
    """
    found = [secret for secret in secrets if secret in text]
    for secret in sorted(found, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, f"[{secrets[secret]}, not shown]")
    return hide_settings(text) if "=" in text else text


def hide_settings(text: str) -> str:
    """Return a text without the values of settings NAME=VALUE that are named like secrets.

    Variants and command lines of runs that aren't planned here have such.
    """
    return _SETTING.sub(lambda found: f"{found[1]}={shown(found[1], found[2])}", text)


def shown(name: str, value: Json) -> Json:
    """Return a setting's value, or a note that it is hidden if it is named like a secret."""
    return _HIDDEN if is_hidden(name, value) else value


def is_hidden(name: str, value: Json) -> bool:
    """Whether no answer shows a setting's value, as it is named like a secret."""
    is_long = isinstance(value, str) and len(value) >= LEAST_SECRET
    return is_long and is_secret(name.rpartition(".")[2])


def secrets_of(plans: Iterable[Plan]) -> dict[str, str]:
    """Return the values of secret parameters of the runs of plans, each with its name."""
    return secret_values(run.definition.parameters for plan in plans for run in plan.runs)


def secret_values(parameters: Iterable[Mapping[str, Json]]) -> dict[str, str]:
    """Return the values of secret parameters, each with its name.

    A variant is named by its parameters, and so are its runs: their names hold these values too.
    """
    found: dict[str, str] = {}
    for each in parameters:
        _collect("", each, found)
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
