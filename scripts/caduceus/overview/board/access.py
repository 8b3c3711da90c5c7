"""Decide by a request's headers alone whether it may ask the board.

Other users of a login node, and any page that is open in the user's browser, can reach a server on
loopback. So a request needs the token or the cookie that the token was exchanged for, and may
neither name another host (DNS rebinding) nor come from a page of another origin.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SAME_SITE = ("same-origin", "none")  # none: an address that the user typed


class RefusedError(Exception):
    """The request is refused; the message is a line for the user."""


@dataclass(frozen=True)
class Access:
    """The keys of a board.

    Attributes:
        hosts: the names under which it may be asked; an SSH tunnel may change the port only.
        token: what its address has.
        session: the cookie's value, another one so that no address can be read from a browser.
        cookie: the cookie's name, of this board alone, since browsers don't separate ports.
    """

    hosts: tuple[str, ...] = LOOPBACK
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    session: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    cookie: str = field(default_factory=lambda: f"caduceus-{secrets.token_hex(4)}")

    def check_place(self, headers: Mapping[str, str]) -> None:
        """Check where a request was sent to, and which page sent it.

        Raises:
            RefusedError: it names another host, or a page of another origin sent it.
        """
        host = headers.get("Host", "")
        if _host_name(host) not in self.hosts:
            raise RefusedError("this board answers only under the address that it printed")
        origin = headers.get("Origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            raise RefusedError("a page of another site may not ask this board")
        if headers.get("Sec-Fetch-Site", "none") not in _SAME_SITE:
            raise RefusedError("a page of another site may not ask this board")

    def is_token(self, given: str) -> bool:
        """Whether an address or a header has the board's token."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def check_key(self, authorization: str, session: str) -> None:
        """Check that a request has the cookie or the token.

        Args:
            authorization: the header of that name; empty if there is none.
            session: the value of the board's cookie; empty if there is none.

        Raises:
            RefusedError: it has neither.
        """
        kind, _, given = authorization.partition(" ")
        if kind.lower() == "bearer" and self.is_token(given.strip()):
            return
        if not hmac.compare_digest(session.encode(), self.session.encode()):
            raise RefusedError(
                "open the address that `caduceus board` printed, with its token; each start of the "
                "board has its own"
            )


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port; empty if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
