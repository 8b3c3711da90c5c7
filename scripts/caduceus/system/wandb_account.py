"""Find the W&B account to use: server, API key and entity.

They are looked up as wandb does it, in the environment and where `wandb login` stores them, and
also in `.env` in the project's folder. A key is never shown, written or passed as an argument.
"""

import configparser
import netrc
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from caduceus.errors import AccountError
from caduceus.system.custom_ca import ca_variables, find_ca

_CLOUD, _PAGES = "https://api.forge.coreweave.com", "https://forge.coreweave.com/wandb"
_CLOUD_MACHINES = ("api.forge.coreweave.com", "api.wandb.ai")  # two names of one server
_KEY_LENGTH = 40  # wandb refuses shorter keys
# A server may lie below a path. A space, query or fragment would be part of each request's address.
_BASE_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.%]+\]|[\w.%-]+)(?::\d+)?(?:/[\w.~%/+-]*)?")
_SECRET = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")  # a JSON web token
# The user's settings that stay in effect during an upload: folders of caches, and the transport.
_KEPT_VARIABLES = (
    "WANDB_CACHE_DIR",
    "WANDB_CONFIG_DIR",
    "WANDB_DATA_DIR",
    "WANDB_ERROR_REPORTING",
    "WANDB_HTTP_TIMEOUT",
)
_KEPT_PREFIX = "WANDB__"  # private settings of wandb
_LOGIN = "type `wandb login`, or put WANDB_API_KEY into the environment or .env"


@dataclass(frozen=True)
class Account:
    """An account on a W&B server.

    Attributes:
        base_url: the server's address.
        key: the API key.
        key_from: where the key was found, for messages.
        entity: the entity that the environment names, or None.
        ca: the certificates that the server's is checked with; None for those of well-known CAs.
    """

    base_url: str
    key: str = field(repr=False)
    key_from: str
    entity: str | None = None
    ca: Path | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names of the server, to which the key may be sent."""
        machine = urlsplit(self.base_url).netloc
        return _CLOUD_MACHINES if machine in _CLOUD_MACHINES else (machine,)

    @property
    def url(self) -> str:
        """The address of the server's web pages."""
        return _PAGES if urlsplit(self.base_url).netloc in _CLOUD_MACHINES else self.base_url

    def use(self, folder: Path) -> None:
        """Set the environment so that the SDK uses this account, and writes its logs to `folder`.

        Must be called before wandb is imported.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            if name not in _KEPT_VARIABLES and not name.startswith(_KEPT_PREFIX):
                del os.environ[name]  # WANDB_RESUME, for example, would renumber rows
        os.environ |= {
            "WANDB_BASE_URL": self.base_url,
            "WANDB_API_KEY": self.key,
            "WANDB_DIR": str(folder.absolute()),
            "WANDB_SILENT": "true",
            **(ca_variables(self.ca) if self.ca else {}),
        }


def dotenv_variables() -> dict[str, str]:
    """Return the variables in `.env` in the current folder that aren't in the environment.

    Raises:
        AccountError: the file isn't UTF-8.
    """
    if not Path(".env").exists():
        return {}
    from dotenv import dotenv_values

    try:
        variables = dotenv_values(".env").items()
    except UnicodeDecodeError:
        raise AccountError("isn't text in UTF-8; write it again", ".env") from None
    return {key: value for key, value in variables if value and key not in os.environ}


def find_account(variables: Mapping[str, str] | None = None) -> Account:
    """Return the account that the environment, `.env` and `wandb login` define.

    Args:
        variables: the environment; by default that of this process with the variables of `.env`.

    Raises:
        AccountError: there is no key, or the key, the server's address or the file of a custom CA
            is invalid.
    """
    variables = os.environ | dotenv_variables() if variables is None else variables
    base_url = (variables.get("WANDB_BASE_URL") or _stored_url(variables) or _CLOUD).rstrip("/")
    try:
        machine, port = urlsplit(base_url).netloc, urlsplit(base_url).port
    except ValueError:  # brackets without an address, or a port that is none
        machine, port = "", None
    is_whole = _BASE_URL.fullmatch(base_url) and port != 0
    # The messages don't show the value: it may be the key, in the wrong variable.
    if not machine or not (is_whole or "@" in machine or base_url.endswith("/graphql")):
        raise AccountError(
            "isn't an address; write one that begins with https://, without spaces, ? and #",
            "WANDB_BASE_URL",
        )
    if "@" in machine or base_url.endswith("/graphql"):
        raise AccountError(
            "must be the server's address without user, password or /graphql", "WANDB_BASE_URL"
        )
    key, source = variables.get("WANDB_API_KEY", "").strip(), "WANDB_API_KEY"
    if not key:
        key, source = _netrc_key(machine, variables)
    if not key:
        raise AccountError(f"no API key for {base_url}: {_LOGIN}")
    _check_key(key, source)
    ca = find_ca(variables)
    return Account(base_url, key, source, variables.get("WANDB_ENTITY") or None, ca)


def _check_key(key: str, source: str) -> None:
    """Raise AccountError if the key doesn't have the form that wandb's SDK demands."""
    if _TOKEN.fullmatch(key):
        return
    secret = key.partition("-")[2] or key  # on-premises servers may put a prefix before it
    if not _SECRET.fullmatch(secret):
        raise AccountError(
            "the API key has characters other than letters, digits, _ and -; copy it again from "
            "the server's page /authorize",
            source,
        )
    if len(secret) < _KEY_LENGTH:
        raise AccountError(
            f"the API key has {len(secret)} characters, but W&B's have at least {_KEY_LENGTH}; "
            "copy all of it from the server's page /authorize",
            source,
        )


def _stored_url(variables: Mapping[str, str]) -> str | None:
    """Return the server's address that `wandb login --host` has stored; None if there is none."""
    home = Path(variables.get("HOME") or Path.home())
    folder = Path(variables.get("WANDB_CONFIG_DIR") or home / ".config/wandb")
    settings = configparser.ConfigParser(interpolation=None)
    for path in (folder / "settings", Path("wandb/settings")):
        try:
            settings.read(path, encoding="utf-8")
        except configparser.Error:
            continue  # as wandb does
        except UnicodeDecodeError:
            raise AccountError(f"can't be read; correct it, or {_LOGIN}", str(path)) from None
    return settings.get("default", "base_url", fallback=None)


def stored_logins(variables: Mapping[str, str]) -> Iterator[tuple[Path, netrc.netrc]]:
    """Yield path and contents of each netrc file, where `wandb login` stores keys.

    Raises:
        AccountError: a file can't be read.
    """
    home = Path(variables.get("HOME") or Path.home())
    named = re.sub("^~(?=/)", str(home), variables.get("NETRC", ""))
    for path in [Path(named)] if named else [home / ".netrc", home / "_netrc"]:
        try:
            yield path, netrc.netrc(path)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
            # The error's own message may quote the line, and with it the key.
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            raise AccountError(f"can't be read; correct it, or {_LOGIN}", where) from None


def _netrc_key(machine: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the key that `wandb login` has stored for a host, and its file; empty if none."""
    names = [machine, *(_CLOUD_MACHINES if machine in _CLOUD_MACHINES else ())]
    for path, hosts in stored_logins(variables):
        for name in names:
            found = hosts.authenticators(name)
            if found and found[2]:
                return found[2], str(path)
    return "", ""
