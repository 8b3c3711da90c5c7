"""The one door to the W&B server's API: questions in GraphQL, and downloads.

The SDK's own `wandb.Api` parses every row, samples histories and asks for each run by itself; what
is delivered to a server goes through the SDK (`wandb_sdk`).
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from caduceus.errors import AccountError, ServerError
from caduceus.io.files import md5_base64
from caduceus.system.wandb_account import Account

_PASSING = (409, 429, 500, 502, 503, 504)  # W&B's SDK tries these again too
_TIMEOUT_S = (10, 120)  # to connect, to answer
_CHUNK = 1 << 20


class Server:
    """A W&B server, as an account sees it.

    Args:
        account: server and key.
        patience_s: how long a request is tried again when the server can't be reached or is busy:
            after 0, 2, 4, 8, … s in all at most so long, or when it says itself (Retry-After).
        timeout_s: how long it may take to connect, and to answer.
    """

    def __init__(
        self,
        account: Account,
        patience_s: float = 60,
        timeout_s: tuple[float, float] = _TIMEOUT_S,
    ):
        self.account = account
        self._timeout_s = timeout_s
        self._http = requests.Session()
        retries = int(math.log2(patience_s + 2))  # n of them wait for 2^n - 2 s
        retry = Retry(
            retries,
            retry_after_max=math.ceil(patience_s),
            connect=min(retries, 2),  # where nobody listens, waiting seldom helps
            status_forcelist=_PASSING,
            allowed_methods=None,
            backoff_factor=1,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(max_retries=retry))

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """The answer to a query or mutation.

        Raises:
            AccountError: the key isn't known, or may not see or do this.
            ServerError: the server can't be reached, or doesn't understand.
        """
        response = self._request(
            "POST",
            f"{self.account.base_url}/graphql",
            json={"query": text, "variables": variables},
            auth=("api", self.account.key),
        )
        try:
            answer = response.json()
            assert isinstance(answer, dict)
        except (ValueError, AssertionError):
            raise ServerError(
                f"status {response.status_code} and no JSON; is it a W&B server? see "
                "WANDB_BASE_URL",
                self.account.base_url,
            ) from None
        if answer.get("errors") or not isinstance(answer.get("data"), dict):
            raise ServerError(_said(response) or "an empty answer", self.account.base_url)
        data: dict[str, Any] = answer["data"]
        return data

    def download(self, url: str, path: Path, md5: str | None = None) -> None:
        """Download a file, whole or not at all, and check its digest if one is given.

        Raises:
            ServerError: it can't be had, or isn't what was uploaded.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as stream:
                for chunk in self._chunks(url):
                    stream.write(chunk)
            if md5 is not None and md5_base64(part) != md5:
                raise ServerError(
                    "what was downloaded isn't what was uploaded; try again", _bare(url)
                )
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def read_json(self, url: str) -> dict[str, Any]:
        """What a small JSON file holds."""
        try:
            value = json.loads(b"".join(self._chunks(url)))
            assert isinstance(value, dict)
        except (ValueError, AssertionError):
            raise ServerError("isn't what a W&B server holds", _bare(url)) from None
        return value

    def _chunks(self, url: str) -> Iterator[bytes]:
        # Files on the server itself want the key; an object store behind it has signed addresses.
        own = urlsplit(url).netloc in self.account.hosts
        with self._request(
            "GET", url, stream=True, auth=("api", self.account.key) if own else _no_auth
        ) as response:
            try:
                yield from response.iter_content(_CHUNK)
            except requests.RequestException as error:
                raise ServerError(f"broke off: {_reason(error)}; try again", _bare(url)) from None

    def _request(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            response = self._http.request(method, url, timeout=self._timeout_s, **options)
        except requests.RequestException as error:
            raise ServerError(
                f"can't be reached: {_reason(error)}; see to the network or WANDB_BASE_URL, or set "
                "wandb.mode to offline",
                _bare(url),
            ) from None
        if response.status_code == 401:
            raise AccountError(
                f"{self.account.base_url} doesn't know the API key from {self.account.key_from}; "
                "copy it anew from the server's page /authorize"
            )
        if response.status_code == 403:
            raise AccountError(
                f"{self.account.base_url}: {_said(response) or 'permission denied'}; ask for the "
                "right to write there, or name another wandb.entity"
            )
        if response.status_code >= 400:
            said = f": {message}" if (message := _said(response)) else ""
            raise ServerError(f"status {response.status_code}{said}", _bare(url))
        return response


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps `requests` from sending what .netrc holds."""
    return request


def _said(response: requests.Response) -> str:
    """What the server says is wrong."""
    try:
        return "; ".join(str(error["message"]) for error in response.json()["errors"])
    except (ValueError, LookupError, TypeError):
        return ""


def _reason(error: requests.RequestException) -> str:
    """The innermost cause, without addresses of objects."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    return str(reason)


def _bare(url: str) -> str:
    """An address without its query, which may hold a signature."""
    return url.partition("?")[0]
