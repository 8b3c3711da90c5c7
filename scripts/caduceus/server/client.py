"""The client of the W&B server's API: GraphQL queries and downloads. No other module sends any.

It replaces the SDK's `wandb.Api`, which parses every row, samples histories and sends a request for
each run. Uploads go through the SDK: see `wandb_sdk`.
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

_RETRIED = (409, 429, 500, 502, 503, 504)  # statuses that W&B's SDK retries too
_TIMEOUT_S = (10, 120)  # for the connection, for the answer
_CHUNK = 1 << 20


class Server:
    """A W&B server, accessed with an account.

    Args:
        account: the server's address and the key.
        patience_s: how long to retry a request in all, in seconds, if the server can't be reached
            or is busy: after 0, 2, 4, 8, ... s, or when its Retry-After says.
        timeout_s: seconds to wait for the connection, and for the answer.
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
        retries = int(math.log2(patience_s + 2))  # n retries wait 2^n - 2 s in all
        retry = Retry(
            retries,
            retry_after_max=math.ceil(patience_s),
            connect=min(retries, 2),  # waiting rarely helps if nothing listens on the port
            status_forcelist=_RETRIED,
            allowed_methods=None,
            backoff_factor=1,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(max_retries=retry))

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """Send a query or mutation, and return the `data` of the answer.

        Raises:
            AccountError: the key is unknown, or has no permission.
            ServerError: the server can't be reached, or reports an error.
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
                f"answered with status {response.status_code} and no JSON; is it a W&B server? "
                "see WANDB_BASE_URL",
                self.account.base_url,
            ) from None
        if answer.get("errors") or not isinstance(answer.get("data"), dict):
            message = _error_messages(response) or "sent an empty answer"
            raise ServerError(message, self.account.base_url)
        data: dict[str, Any] = answer["data"]
        return data

    def download(self, url: str, path: Path, md5: str | None = None) -> None:
        """Download a file, whole or not at all, and check its MD5 digest (base64) if one is given.

        Raises:
            ServerError: the file can't be downloaded, or has another digest.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as stream:
                for chunk in self._chunks(url):
                    stream.write(chunk)
            if md5 is not None and md5_base64(part) != md5:
                raise ServerError(
                    "the downloaded file has another MD5 than the uploaded one; try again",
                    _without_query(url),
                )
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def read_json(self, url: str) -> dict[str, Any]:
        """Download a JSON file, and return the object in it.

        Raises:
            ServerError: the file can't be downloaded, or holds no JSON object.
        """
        try:
            value = json.loads(b"".join(self._chunks(url)))
            assert isinstance(value, dict)
        except (ValueError, AssertionError):
            raise ServerError("holds no JSON object", _without_query(url)) from None
        return value

    def _chunks(self, url: str) -> Iterator[bytes]:
        # Files on the server itself need the key. Other hosts have signed URLs; none gets the key.
        is_own = urlsplit(url).netloc in self.account.hosts
        auth = ("api", self.account.key) if is_own else _no_auth
        with self._request("GET", url, stream=True, auth=auth) as response:
            try:
                yield from response.iter_content(_CHUNK)
            except requests.RequestException as error:
                raise ServerError(
                    f"the download broke off: {_reason(error)}; try again", _without_query(url)
                ) from None

    def _request(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            response = self._http.request(method, url, timeout=self._timeout_s, **options)
        except requests.RequestException as error:
            raise ServerError(
                f"can't be reached: {_reason(error)}; check the network and WANDB_BASE_URL, or set "
                "wandb.mode to offline",
                _without_query(url),
            ) from None
        if response.status_code == 401:
            raise AccountError(
                f"{self.account.base_url} doesn't know the API key from {self.account.key_from}; "
                "copy it again from the server's page /authorize"
            )
        if response.status_code == 403:
            raise AccountError(
                f"{self.account.base_url}: {_error_messages(response) or 'permission denied'}; "
                "ask for write permission, or set another wandb.entity"
            )
        if response.status_code >= 400:
            messages = _error_messages(response)
            suffix = f": {messages}" if messages else ""
            raise ServerError(f"status {response.status_code}{suffix}", _without_query(url))
        return response


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no key: without an `auth`, `requests` sends the one in .netrc."""
    return request


def _error_messages(response: requests.Response) -> str:
    """Return the messages of the errors in a GraphQL answer."""
    try:
        return "; ".join(str(error["message"]) for error in response.json()["errors"])
    except (ValueError, LookupError, TypeError):
        return ""


def _reason(error: requests.RequestException) -> str:
    """Return the innermost cause; the outer ones print addresses of Python objects."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    reason = getattr(cause, "strerror", None) or type(cause).__name__
    return str(reason)


def _without_query(url: str) -> str:
    """Return a URL without its query, which may hold a signature."""
    return url.partition("?")[0]
