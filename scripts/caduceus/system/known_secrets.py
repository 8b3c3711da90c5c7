"""Find the secrets of this user, so that they can be kept out of files that leave the machine."""

import os
import re
from collections.abc import Mapping

from caduceus.system.wandb_account import dotenv_variables, stored_logins

_NAMES = re.compile(r"(?:^|_)(?:API)?(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PAT)S?(?:_|$)")
_MIN_LENGTH = 8  # a shorter text can occur in any file by chance


def is_secret(name: str) -> bool:
    """Whether a variable or setting of this name, such as HF_TOKEN, holds a secret."""
    return _NAMES.search(name.upper()) is not None


def known_secrets(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the secrets in the environment, `.env` and netrc, as a mapping from value to name.

    A variable is a secret if its name says so, such as WANDB_API_KEY or HF_TOKEN.

    Args:
        variables: the environment; by default that of this process with the variables of `.env`.

    Raises:
        AccountError: `.env` or netrc can't be read.
    """
    variables = os.environ | dotenv_variables() if variables is None else variables
    found = {value.strip(): name for name, value in variables.items() if is_secret(name)}
    for path, hosts in stored_logins(variables):
        found |= {
            login[2]: f"the password of {host} in {path}" for host, login in hosts.hosts.items()
        }
    return {value: name for value, name in found.items() if len(value) >= _MIN_LENGTH}
