"""The error of a request that failed: what happened, what was tried, and what to do next."""

import math
import ssl
from http import HTTPStatus

from caduceus.errors import AccountError, CaduceusError, ServerError
from caduceus.io.phrases import count_of
from caduceus.system.wandb_account import Account

RETRIED = (409, 429, 500, 502, 503, 504)  # statuses that W&B's SDK retries too
_LATER = "nothing is lost; start again later"
_MENDS = {
    404: "check WANDB_BASE_URL; what was deleted there can't be read any more",
    407: "give the proxy's user and password, as in HTTPS_PROXY=http://user:password@host:port",
    413: "the server or a proxy before it limits the size of requests; ask who runs it",
    429: f"the server limits how often it may be asked; {_LATER}",
}
_BUSY = f"the server is busy or down; {_LATER}"
_NOT_THERE = "is it a W&B server? see WANDB_BASE_URL"


def refusal(
    status: int, messages: str, tries: int, url: str, account: Account, is_own: bool
) -> CaduceusError:
    """Return the error of an answer with a status of 400 or more.

    Args:
        status: of the answer.
        messages: of the errors in the answer, in one line; empty if it has none.
        tries: how often the server was asked.
        url: the address that was asked, for messages.
        account: the account with which it was asked.
        is_own: whether the address is the server's own, which the key is sent to.
    """
    if is_own and status == 401:
        return unknown_key(account)
    if is_own and status == 403:
        return AccountError(
            f"{account.base_url}: {messages or 'permission denied'}; "
            "ask for write permission, or set another wandb.entity"
        )
    text = f"status {status}: {messages or _name(status)}"
    if status in RETRIED:
        text += f" (asked {count_of(tries, 'time')})"
    if not is_own and status in (401, 403):
        mend = "the file store refuses the link, which may be too old; start again"
    elif status in (404, 405, 501) and url.endswith("/graphql"):
        mend = _NOT_THERE
    else:
        mend = _MENDS.get(status) or (_BUSY if status in RETRIED or status > 500 else "")
    return ServerError(f"{text}; {mend}" if mend else text, url)


def unknown_key(account: Account) -> AccountError:
    """Return the error of a server that doesn't know the account's key."""
    return AccountError(
        f"{account.base_url} doesn't know the API key from {account.key_from}; "
        "copy it again from the server's page /authorize"
    )


def unreachable(error: Exception, url: str, waited_s: float, timeout_s: float) -> ServerError:
    """Return the error of a request that got no answer.

    Args:
        error: of the last try.
        url: the address that was asked, for messages.
        waited_s: how long all tries took, in seconds.
        timeout_s: how long each try waited for an answer, in seconds.
    """
    cause = _innermost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ServerError(
            f"can't be reached: its certificate isn't trusted ({cause.verify_message}); set "
            "REQUESTS_CA_BUNDLE to the file of the CA that signed it",
            url,
        )
    why = f"no answer within {timeout_s:g} s" if _is_timeout(cause) else reason(error)
    return ServerError(
        f"can't be reached: {why} (tried for {max(1, math.ceil(waited_s))} s); nothing is lost; "
        "check the network, proxies and WANDB_BASE_URL, or set wandb.mode to offline",
        url,
    )


def no_json(status: int, content: bytes, server: str) -> ServerError:
    """Return the error of an answer that isn't JSON."""
    start = content[:100].lstrip()
    if start.startswith(b"<"):
        what = "a web page, such as that of a login or a proxy"
    elif start.startswith(b"{"):
        what = "JSON that is damaged or cut off"
    else:
        what = "no JSON"
    return ServerError(f"answered with status {status} and {what}; {_NOT_THERE}", server)


def reason(error: Exception) -> str:
    """Return the innermost cause; the outer ones print addresses of Python objects."""
    cause = _innermost(error)
    return str(getattr(cause, "strerror", None) or type(cause).__name__)


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _is_timeout(cause: BaseException) -> bool:
    return isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__


def _name(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no name"
