"""The client of the W&B server's API: GraphQL queries and downloads. No other module sends any.

It replaces the SDK's `wandb.Api`, which parses every row, samples histories and sends a request for
each run. Uploads go through the SDK: see `wandb_sdk`.
"""

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from caduceus.errors import ServerError
from caduceus.io.files import md5_base64
from caduceus.server.answers import Answer
from caduceus.server.old_servers import UnknownField, unknown_fields, without_field
from caduceus.server.request_errors import (
    no_json,
    reason,
    refusal,
    unreachable,
)
from caduceus.server.retries import PatientRetry
from caduceus.system.wandb_account import Account

_TIMEOUT_S = (10, 120)  # for the connection, for the answer
_CHUNK = 1 << 20
_NAME = re.compile(r"\s*(?:query|mutation)\s+(\w+)")


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
        self._verify = str(account.ca) if account.ca else True
        self._http = requests.Session()
        self._unknown: set[str] = set()  # fields that an old server doesn't know
        retry = PatientRetry.within(patience_s)
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(max_retries=retry))

    def query(self, text: str, **variables: Any) -> Answer:
        """Send a query or mutation, and return the `data` of the answer.

        Fields that the server doesn't know and the query can do without are left out, and named
        once on stderr.

        Raises:
            AccountError: the key is unknown, or has no permission.
            ServerError: the server can't be reached, reports an error, or is too old.
        """
        name = _NAME.match(text)
        title = name[1] if name else "query"
        while True:
            for field in self._unknown:
                text = without_field(text, field)
            try:
                data = self._data(text, variables)
            except ServerError as error:
                if not self._leave_out(unknown_fields(str(error)), title):
                    raise
            else:
                known = frozenset(self._unknown)
                return Answer(data, self.account.base_url, f"the query {title}", "", known)

    def _data(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        response = self._request(
            "POST",
            f"{self.account.base_url}/graphql",
            json={"query": text, "variables": variables},
            auth=("api", self.account.key),
        )
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise no_json(response.status_code, response.content, self.account.base_url)
        if answer.get("errors") or not isinstance(answer.get("data"), dict):
            message = _error_messages(response) or "sent an empty answer"
            raise ServerError(message, self.account.base_url)
        data: dict[str, Any] = answer["data"]
        return data

    def _leave_out(self, fields: Sequence[UnknownField], query: str) -> bool:
        """Leave these fields out of queries from now on; return whether there are any new ones.

        Raises:
            ServerError: the query needs one of them.
        """
        for field in fields:
            if field.loss is None or field.name in self._unknown:
                raise ServerError(field.refusal(query), self.account.base_url)
        for field in fields:
            self._unknown.add(field.name)
            print(
                f"{self.account.base_url}: too old to know the field {field.name} of "
                f"{field.type}: {field.loss}",
                file=sys.stderr,
            )
        return bool(fields)

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

    def read_json(self, url: str) -> Answer:
        """Download a JSON file, and return the object in it.

        Raises:
            ServerError: the file can't be downloaded, or holds no JSON object.
        """
        try:
            value = json.loads(b"".join(self._chunks(url)))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ServerError("holds no JSON object", _without_query(url))
        return Answer(value, _without_query(url))

    def _chunks(self, url: str) -> Iterator[bytes]:
        # Files on the server itself need the key. Other hosts have signed URLs; none gets the key.
        auth = ("api", self.account.key) if self._is_own(url) else _no_auth
        with self._request("GET", url, stream=True, auth=auth) as response:
            try:
                yield from response.iter_content(_CHUNK)
            except requests.RequestException as error:
                raise ServerError(
                    f"the download broke off: {reason(error)}; try again", _without_query(url)
                ) from None

    def _request(self, method: str, url: str, **options: Any) -> requests.Response:
        began = time.monotonic()
        try:
            response = self._http.request(
                method, url, timeout=self._timeout_s, verify=self._verify, **options
            )
        except requests.RequestException as error:
            waited = time.monotonic() - began
            raise unreachable(error, _without_query(url), waited, max(self._timeout_s)) from None
        if response.status_code >= 400:
            retries = response.raw.retries
            raise refusal(
                response.status_code,
                _error_messages(response),
                len(retries.history) + 1 if retries else 1,
                _without_query(url),
                self.account,
                self._is_own(url),
            )
        return response

    def _is_own(self, url: str) -> bool:
        try:
            return urlsplit(url).netloc in self.account.hosts
        except ValueError:  # a server may send any text as the address of a file
            return False


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no key: without an `auth`, `requests` sends the one in .netrc."""
    return request


def _error_messages(response: requests.Response) -> str:
    """Return the messages of the errors in a GraphQL answer."""
    try:
        return "; ".join(str(error["message"]) for error in response.json()["errors"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _without_query(url: str) -> str:
    """Return a URL without its query, which may hold a signature."""
    return url.partition("?")[0]
