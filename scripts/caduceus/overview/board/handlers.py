"""The addresses of the board. None of them changes anything."""

import json
import secrets
from collections.abc import Callable
from typing import Any, TypeAlias

from tornado.iostream import StreamClosedError
from tornado.web import Finish, RequestHandler

from caduceus.errors import CaduceusError
from caduceus.overview.board.access import RefusedError
from caduceus.overview.board.board import Board, NotThereError
from caduceus.overview.board.page_files import PAGE_TYPE, read_page, read_page_file
from caduceus.overview.board.requests import (
    QuestionError,
    read_body,
    read_query,
    read_states,
    read_variants,
    read_wanted,
)
from caduceus.overview.board.service import Service

_KEEP_OPEN_S = 15.0  # between two lines of a stream without news, so that tunnels stay open
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Answer: TypeAlias = Callable[[Board], str]


class BoardHandler(RequestHandler):
    """A request that is checked before anything is read."""

    service: Service

    def initialize(self, service: Service) -> None:
        self.service = service

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        access = self.service.access
        try:
            access.check_place(self.request.headers)
            if not self.takes_token:
                cookie = self.get_cookie(access.cookie) or ""
                access.check_key(self.request.headers.get("Authorization", ""), cookie)
        except RefusedError as error:
            self.refuse(403, str(error))

    takes_token = False  # whether the request may have the token in its address

    def refuse(self, status: int, line: str) -> None:
        """End the request with an error of one line."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        raise Finish(json.dumps({"error": line}))

    async def answer(self, make: Answer) -> None:
        """Answer with the JSON that the board gives, made in the reader's thread."""
        try:
            text = await self.service.ask(make)
        except (NotThereError, QuestionError) as error:
            self.refuse(400 if isinstance(error, QuestionError) else 404, str(error))
        except (CaduceusError, OSError) as error:
            self.refuse(503, " ".join(str(error).split()))
        else:
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.finish(text)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps({"error": self._reason}))


class PageHandler(BoardHandler):
    """/: the page; with the token in its address it sets the cookie first."""

    takes_token = True

    def get(self) -> None:
        access = self.service.access
        if token := self.get_query_argument("token", ""):
            if not access.is_token(token):
                self.refuse(403, "the token in the address isn't that of this board")
            self.set_cookie(access.cookie, access.session, httponly=True, samesite="Strict")
            self.redirect("/", status=303)
            return
        try:
            cookie = self.get_cookie(access.cookie) or ""
            access.check_key(self.request.headers.get("Authorization", ""), cookie)
        except RefusedError as error:
            self.refuse(403, str(error))
        nonce = secrets.token_urlsafe(16)
        policy = _POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
        self.set_header("Content-Security-Policy", policy)
        self.set_header("Content-Type", PAGE_TYPE)
        self.finish(read_page(nonce))

    def write_file(self, name: str) -> None:
        """Answer with a file of the page."""
        file = read_page_file(name)
        if file is None:
            self.refuse(404, "there is no such file")
        else:
            self.set_header("Content-Type", file.type)
            self.finish(file.content)


class AssetHandler(PageHandler):
    """/assets/NAME: a file of the page."""

    takes_token = False

    def get(self, name: str = "") -> None:
        self.set_header("Cache-Control", "no-cache")  # but with a digest: 304 if it is the same
        self.write_file(name)


class OverviewHandler(BoardHandler):
    """/api/overview."""

    async def get(self) -> None:
        self.service.wake()
        await self.answer(Board.overview)


class MetricsHandler(BoardHandler):
    """/api/metrics."""

    async def get(self) -> None:
        runs = self.get_query_arguments("run")
        await self.answer(lambda board: board.metrics(runs))


class CurvesHandler(BoardHandler):
    """/api/curves."""

    async def post(self) -> None:
        def make(board: Board) -> str:
            body = read_body(self.request.body)
            return board.curves(read_query(body), read_wanted(body))

        await self.answer(make)


class AveragesHandler(BoardHandler):
    """/api/averages."""

    async def post(self) -> None:
        def make(board: Board) -> str:
            body = read_body(self.request.body)
            return board.averages(read_query(body), read_variants(body), read_states(body))

        await self.answer(make)


class ChangesHandler(BoardHandler):
    """/api/changes: the changes as Server-Sent Events, for as long as the page is open."""

    _is_open = True

    async def get(self) -> None:
        last = self.request.headers.get("Last-Event-ID") or self.get_query_argument("since", "")
        since = int(last) if last.isascii() and last.isdecimal() and len(last) < 16 else -1
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("X-Accel-Buffering", "no")
        feed = self.service.feed
        with self.service.watched():
            await self._send(": open\n\n")  # the page knows at once that it is connected
            while self._is_open and not self.service.is_closing:
                events = feed.after(since) if since >= 0 else None
                if events is None:
                    await self._send(f"event: reset\nid: {feed.sequence}\ndata: {{}}\n\n")
                    return
                for event in events:
                    lines = f"event: change\nid: {event.sequence}\ndata: {event.text}\n\n"
                    if not await self._send(lines):
                        return
                    since = event.sequence
                await feed.wait(since, _KEEP_OPEN_S)
                if feed.sequence <= since and not await self._send(": open\n\n"):
                    return

    def on_connection_close(self) -> None:
        self._is_open = False
        super().on_connection_close()

    async def _send(self, text: str) -> bool:
        """Send a part of the stream; return whether somebody still reads it."""
        try:
            self.write(text)
            await self.flush()
        except StreamClosedError:
            return False
        return True


class NothingHandler(BoardHandler):
    """Any other address."""

    def get(self, *_: str) -> None:
        self.refuse(404, "there is nothing at this address")
