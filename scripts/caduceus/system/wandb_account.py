"""The W&B account that is used: which server, which key, whose entity.

Sought as wandb itself seeks them: the environment, `.env` in the project's folder, what `wandb
login` has stored. A key is never shown, written or passed as an argument.
"""

import configparser
import netrc
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from caduceus.errors import AccountError

_CLOUD, _PAGES = "https://api.forge.coreweave.com", "https://forge.coreweave.com/wandb"
_CLOUD_MACHINES = ("api.forge.coreweave.com", "api.wandb.ai")  # two names of one server
_KEY_LENGTH = 40  # wandb refuses shorter ones
_SECRET = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")  # a JWT
# What may be set for the SDK while it delivers: where its caches are, and how it sends.
_KEPT = (
    "WANDB_CACHE_DIR",
    "WANDB_CONFIG_DIR",
    "WANDB_DATA_DIR",
    "WANDB_ERROR_REPORTING",
    "WANDB_HTTP_TIMEOUT",
)
_PRIVATE = "WANDB__"
_LOGIN = "type `wandb login`, or put WANDB_API_KEY into the environment or .env"


@dataclass(frozen=True)
class Account:
    """A server's address and the key to it; `entity` if the environment names one."""

    base_url: str
    key: str = field(repr=False)
    key_from: str
    entity: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the server, which get the key."""
        machine = urlsplit(self.base_url).netloc
        return _CLOUD_MACHINES if machine in _CLOUD_MACHINES else (machine,)

    @property
    def url(self) -> str:
        """The address of the server's pages."""
        return _PAGES if urlsplit(self.base_url).netloc in _CLOUD_MACHINES else self.base_url

    def use(self, folder: Path) -> None:
        """Have the SDK, before it is imported, use this account and write notes into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            if name not in _KEPT and not name.startswith(_PRIVATE):
                del os.environ[name]  # WANDB_RESUME, say, would number rows anew
        os.environ |= {
            "WANDB_BASE_URL": self.base_url,
            "WANDB_API_KEY": self.key,
            "WANDB_DIR": str(folder.absolute()),
            "WANDB_SILENT": "true",
        }


def additions() -> dict[str, str]:
    """What `.env` in the folder we work in adds to the environment."""
    try:
        written = dotenv_values(".env").items()
    except UnicodeDecodeError:
        raise AccountError("is no text in UTF-8; write it anew", ".env") from None
    return {key: value for key, value in written if value and key not in os.environ}


def find_account(variables: Mapping[str, str] | None = None) -> Account:
    """The account that is set up here.

    Args:
        variables: the environment; by default our own, with what `.env` adds.

    Raises:
        AccountError: there is no key, or it can't be one.
    """
    variables = os.environ | additions() if variables is None else variables
    base_url = (variables.get("WANDB_BASE_URL") or _stored_url(variables) or _CLOUD).rstrip("/")
    try:
        machine = urlsplit(base_url).netloc
    except ValueError:
        machine = ""
    # What it says isn't shown: it may be the key, in the wrong place.
    if not machine or not base_url.startswith(("http://", "https://")):
        raise AccountError("is no address; it begins with https://", "WANDB_BASE_URL")
    if "@" in machine or base_url.endswith("/graphql"):
        raise AccountError(
            "names the server alone, without user, password or /graphql", "WANDB_BASE_URL"
        )
    key, source = variables.get("WANDB_API_KEY", "").strip(), "WANDB_API_KEY"
    if not key:
        key, source = _netrc_key(machine, variables)
    if not key:
        raise AccountError(f"no API key for {base_url}: {_LOGIN}")
    _check_key(key, source)
    return Account(base_url, key, source, variables.get("WANDB_ENTITY") or None)


def _check_key(key: str, source: str) -> None:
    """Refuse what can't be a key of W&B, as its SDK does."""
    if _TOKEN.fullmatch(key):
        return
    secret = key.partition("-")[2] or key  # servers of one's own may put a name before it
    if not _SECRET.fullmatch(secret):
        raise AccountError(
            "the API key has characters other than letters, digits, _ and -; copy it anew from the "
            "server's page /authorize",
            source,
        )
    if len(secret) < _KEY_LENGTH:
        raise AccountError(
            f"the API key has {len(secret)} characters, W&B's have {_KEY_LENGTH} or more; copy it "
            "whole from the server's page /authorize",
            source,
        )


def _stored_url(variables: Mapping[str, str]) -> str | None:
    """The server that `wandb login --host` has stored."""
    home = Path(variables.get("HOME") or Path.home())
    folder = Path(variables.get("WANDB_CONFIG_DIR") or home / ".config/wandb")
    settings = configparser.ConfigParser(interpolation=None)
    for path in (folder / "settings", Path("wandb/settings")):
        try:
            settings.read(path, encoding="utf-8")
        except configparser.Error:
            continue  # wandb passes over what it can't read
        except UnicodeDecodeError:
            raise AccountError(f"can't be read; correct it, or {_LOGIN}", str(path)) from None
    return settings.get("default", "base_url", fallback=None)


def stored_logins(variables: Mapping[str, str]) -> Iterator[tuple[Path, netrc.netrc]]:
    """The netrc files that there are, in which `wandb login` stores keys.

    Raises:
        AccountError: one can't be read.
    """
    home = Path(variables.get("HOME") or Path.home())
    named = re.sub("^~(?=/)", str(home), variables.get("NETRC", ""))
    for path in [Path(named)] if named else [home / ".netrc", home / "_netrc"]:
        try:
            yield path, netrc.netrc(path)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
            # Its message may hold the line, and with it the key.
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            raise AccountError(f"can't be read; correct it, or {_LOGIN}", where) from None


def _netrc_key(machine: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """The key that `wandb login` has stored for a machine, and the file it stands in."""
    names = [machine, *(_CLOUD_MACHINES if machine in _CLOUD_MACHINES else ())]
    for path, hosts in stored_logins(variables):
        for name in names:
            found = hosts.authenticators(name)
            if found and found[2]:
                return found[2], str(path)
    return "", ""
