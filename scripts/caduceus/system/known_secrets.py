"""The secrets that are known here, so that they can be kept out of what leaves the machine."""

import os
import re
from collections.abc import Mapping

from caduceus.system.wandb_account import additions, stored_logins

_NAMES = re.compile(r"(?:^|_)(?:API)?(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PAT)S?(?:_|$)")
_SHORTEST = 8  # a shorter text may stand in any file by chance


def is_secret(name: str) -> bool:
    """Whether a variable or a setting of this name, such as HF_TOKEN, holds a secret."""
    return _NAMES.search(name.upper()) is not None


def known_secrets(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every secret in the environment, `.env` and netrc: its value, and what it is called.

    A variable counts as one by its name, such as WANDB_API_KEY or HF_TOKEN.

    Args:
        variables: the environment; by default our own, with what `.env` adds.

    Raises:
        AccountError: `.env` or netrc can't be read.
    """
    variables = os.environ | additions() if variables is None else variables
    found = {value.strip(): name for name, value in variables.items() if is_secret(name)}
    for path, hosts in stored_logins(variables):
        found |= {
            login[2]: f"the password of {host} in {path}" for host, login in hosts.hosts.items()
        }
    return {value: name for value, name in found.items() if len(value) >= _SHORTEST}
