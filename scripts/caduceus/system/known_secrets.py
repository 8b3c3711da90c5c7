"""Find the secrets of this user, so that they can be kept out of files that leave the machine."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from caduceus.io.files import is_file
from caduceus.system.wandb_account import dotenv_variables, stored_logins

# The parts of a name: api_key, apiKey and API-KEY are API and KEY.
_WORD_ENDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SECRET = re.compile(
    r"(?:.*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|TOKEN)|KEY|PAT|WEBHOOK"
    r"|(?:API|ACCESS|AUTH|PRIVATE|SECRET|SIGNING|ENCRYPTION)KEY)S?"
)
_SECRET_LAST = ("PASS", "PWD")  # after another word; PWD alone is the working directory
_STORES = ("DATABASE", "DB", "POSTGRES", "POSTGRESQL", "MYSQL", "MONGO", "MONGODB", "REDIS", "AMQP")
# After the word for a secret: where it is, or how many there are.
_ABOUT = re.compile(
    r"FILE|PATH|DIR|FOLDER|NAME|URL|URI|ENDPOINT|LENGTH|LEN|COUNT|LIMIT|BUDGET|SIZE|TYPE|PER"
)
_BEFORE_TOKEN = re.compile(  # how many tokens a language model takes, or which
    r"MAX|MIN|NUM|N|NR|NEW|TOTAL|MEAN|PROMPT|COMPLETION|INPUT|OUTPUT"
    r"|PAD|EOS|BOS|UNK|SEP|CLS|MASK|STOP|START|END|SPECIAL|IMAGE"
)
_MIN_LENGTH = 8  # a shorter text can occur in any file by chance


def is_secret(name: str) -> bool:
    """Whether a variable or setting of this name, such as HF_TOKEN or authToken, holds a secret.

    A name such as HF_TOKEN_FILE or MAX_TOKENS says where a secret is or counts tokens.
    """
    words = [word.upper() for word in _WORD_ENDS.split(name) if word]
    if len(words) > 1 and words[-1] in _SECRET_LAST:
        return True
    if len(words) > 1 and words[-2] in _STORES and words[-1] in ("URL", "URI", "DSN"):
        return True
    for place, word in enumerate(words):
        before, after = words[place - 1] if place else "", words[place + 1 : place + 2]
        is_counted = word in ("TOKEN", "TOKENS") and _BEFORE_TOKEN.fullmatch(before)
        is_about = after and _ABOUT.fullmatch(after[0].removesuffix("S"))
        if _SECRET.fullmatch(word) and not is_counted and (word == "WEBHOOK" or not is_about):
            return True
    return False


def known_secrets(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the secrets in the environment, `.env` and netrc, as a mapping from value to name.

    A variable is a secret if its name says so, such as WANDB_API_KEY or HF_TOKEN, unless its value
    is the path of a file; the password in an address is one whatever the variable is called.

    Args:
        variables: the environment; by default that of this process with the variables of `.env`.

    Raises:
        AccountError: `.env` or netrc can't be read.
    """
    variables = os.environ | dotenv_variables() if variables is None else variables
    found: dict[str, str] = {}
    for name, value in variables.items():
        if password := _password(value):
            found |= {password: f"the password in {name}", value.strip(): name}
        elif is_secret(name) and not is_file(Path(value.strip())):
            found[value.strip()] = name
    for path, hosts in stored_logins(variables):
        found |= {
            login[2]: f"the password of {host} in {path}" for host, login in hosts.hosts.items()
        }
    return {value: _plain(name) for value, name in found.items() if len(value) >= _MIN_LENGTH}


def _password(value: str) -> str:
    """Return the password in an address such as postgres://user:password@host; else nothing."""
    if "://" not in value:
        return ""
    try:
        return unquote(urlsplit(value.strip()).password or "")
    except ValueError:
        return ""


def _plain(name: str) -> str:
    """Return a name for messages; a variable's name needn't be UTF-8 either."""
    return name.encode(errors="replace").decode()
