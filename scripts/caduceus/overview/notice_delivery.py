"""Send a message to a webhook and a command, and know whether it has arrived.

Whoever waits for an answer gives up soon, since a build doesn't wait. A message that was sent as a
whole counts as delivered then, and one that a refusal or a dead address has kept back doesn't.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from caduceus.project.settings import NotifySettings
from caduceus.system import processes

PATIENCE_S = 3.0  # after which a webhook or command is given up
WAIT_S = 1.0  # that a build waits for it


@dataclass(frozen=True)
class Delivery:
    """The fate of a message.

    Attributes:
        is_delivered: whether a webhook or command has it: it was taken, or sent as a whole and not
            answered yet.
        warning: what went wrong; empty if both took it.
    """

    is_delivered: bool
    warning: str


def send(
    settings: NotifySettings, text: str, patience_s: float = PATIENCE_S, wait_s: float = WAIT_S
) -> Delivery:
    """Send a text to the webhook and the command.

    Args:
        settings: whom to tell.
        text: the message.
        patience_s: seconds after which a webhook or command is given up.
        wait_s: seconds after which this returns, though there is no answer yet.
    """
    warnings: list[str] = []
    ways: list[_Way] = []
    if settings.webhook is not None:
        address = os.environ.get(settings.webhook, "").strip()
        if address:
            text = text.replace(address, f"[{settings.webhook}, not shown]")
            ways.append(_Way("the webhook", lambda way: _post(address, text, patience_s, way)))
        else:
            warnings.append(f"notify.webhook: the variable {settings.webhook} isn't set")
    if words := settings.command:
        ways.append(_Way(words[0], lambda way: _call(words, text, patience_s, way)))
    until = time.monotonic() + wait_s
    for way in ways:
        way.thread.join(max(until - time.monotonic(), 0))
    answers = [way.answer for way in ways]
    if None in answers:
        warnings.append(f"no answer within {wait_s:.0f} s")
    warnings += filter(None, answers)
    warning = f"notify: {'; '.join(warnings)}; the build goes on without it" if warnings else ""
    return Delivery(any(way.has_message for way in ways), warning)


class _Way:
    """A thread that sends a message; the process doesn't wait for it at its end.

    Args:
        name: of the receiver, for a message.
        deliver: sends it and returns what went wrong. It sets `is_sent` before it waits.

    Attributes:
        is_sent: whether the message has been sent as a whole.
        answer: what went wrong, empty if nothing has; None as long as there is no answer.
    """

    def __init__(self, name: str, deliver: "Callable[[_Way], str]") -> None:
        self.is_sent = False
        self.answer: str | None = None
        self._name = name
        self._deliver = deliver
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def has_message(self) -> bool:
        """Whether the receiver has taken the message, or may still take it."""
        return self.is_sent if self.answer is None else not self.answer

    def _run(self) -> None:
        try:
            self.answer = self._deliver(self)
        except Exception as error:  # its text may hold the address
            self.answer = f"{self._name} can't be told ({type(error).__name__})"


def _post(address: str, text: str, patience_s: float, way: _Way) -> str:
    """Post a message; the address is a secret, and stands in no warning."""
    # Slack takes <!channel> and links from these signs.
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not address.startswith(("https://", "http://")):
        return "the webhook's variable holds no address that begins with https://"
    content = json.dumps({"text": safe}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}

    def body() -> Iterator[bytes]:
        yield content
        way.is_sent = True  # the next piece is asked for once this one was sent

    try:
        request = Request(address, body(), headers)
        with build_opener(_NoRedirects).open(request, timeout=patience_s):
            return ""
    except HTTPError as error:
        error.close()
        return f"the webhook says {error.code}"
    except (OSError, ValueError, HTTPException) as error:
        return f"the webhook can't be reached ({type(error).__name__})"


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: a message goes to the address that the user named, and no other."""

    def redirect_request(self, *_: object) -> None:
        return None


def _call(words: Sequence[str], text: str, patience_s: float, way: _Way) -> str:
    """Start a command with the message on its standard input."""
    way.is_sent = True
    try:
        answer = processes.capture(words, text, patience_s)
    except processes.StartError:
        return f"there is no program {words[0]}"
    if answer is None:
        return f"{words[0]} took longer than {patience_s:.0f} s, and was ended"
    return "" if answer.exit_code == 0 else f"{words[0]} ended with status {answer.exit_code}"
