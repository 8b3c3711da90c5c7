"""How long a request is sent again: all waits together end with one's patience."""

import math
import time
from typing import Any, Self

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from caduceus.server.request_errors import RETRIED


class PatientRetry(Retry):
    """Retries after 0, 2, 4, 8, ... s, or when the server's Retry-After says.

    The waits that a server asks for end when they are as long as the patience in all: each may be
    that long alone.
    """

    left_s = 0.0

    @classmethod
    def within(cls, patience_s: float) -> Self:
        """Return retries for about `patience_s` seconds in all."""
        retries = int(math.log2(patience_s + 2))  # n retries wait 2^n - 2 s in all
        found = cls(
            retries,
            retry_after_max=math.ceil(patience_s),
            connect=min(retries, 2),  # waiting rarely helps if nothing listens on the port
            status_forcelist=RETRIED,
            allowed_methods=None,
            backoff_factor=1,
            raise_on_status=False,
        )
        found.left_s = patience_s
        return found

    def new(self, **changed: Any) -> Self:
        """Return the retries that are left after one of them."""
        found = super().new(**changed)
        found.left_s = self.left_s
        return found

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether a request with this status is sent again."""
        is_out = has_retry_after and self.left_s <= 0
        return not is_out and super().is_retry(method, status_code, has_retry_after)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return how many seconds the server says; None if it says nothing that can be read."""
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def sleep_for_retry(self, response: BaseHTTPResponse) -> bool:
        """Wait as the server says; return whether it says anything."""
        seconds = min(self.get_retry_after(response) or 0.0, self.left_s)
        self.left_s -= seconds
        if seconds > 0:
            time.sleep(seconds)
        return seconds > 0
