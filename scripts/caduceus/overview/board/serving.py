"""Serve the board over HTTP."""

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from caduceus.errors import ResourceError
from caduceus.overview.board import detail_handlers, handlers
from caduceus.overview.board.access import LOOPBACK, Access
from caduceus.overview.board.board import Board
from caduceus.overview.board.service import Service

_MOST_BODY = 1_000_000  # bytes of a request
_MOST_CONNECTIONS = 200


def application(service: Service) -> Application:
    """Return the board's addresses."""
    given = {"service": service}
    return Application(
        [
            (r"/", handlers.PageHandler, given),
            (r"/assets/([A-Za-z0-9_./-]+)", handlers.AssetHandler, given),
            (r"/api/overview", handlers.OverviewHandler, given),
            (r"/api/changes", handlers.ChangesHandler, given),
            (r"/api/metrics", handlers.MetricsHandler, given),
            (r"/api/curves", handlers.CurvesHandler, given),
            (r"/api/averages", handlers.AveragesHandler, given),
            (r"/api/run", detail_handlers.RunHandler, given),
            (r"/api/console", detail_handlers.ConsoleHandler, given),
            (r"/api/media", detail_handlers.MediaListHandler, given),
            (r"/api/table", detail_handlers.TableHandler, given),
            (r"/api/sweeps", detail_handlers.SweepsHandler, given),
            (r"/api/sweep", detail_handlers.SweepHandler, given),
            (r"/api/ledgers", detail_handlers.LedgersHandler, given),
            (r"/api/ledger", detail_handlers.LedgerHandler, given),
            (r"/api/try", detail_handlers.TryHandler, given),
            (r"/api/paper", detail_handlers.PaperHandler, given),
            (r"/media/([^/]+)/(media/.+)", detail_handlers.MediumHandler, given),
            (r"/figures/([^/]+)", detail_handlers.FigureHandler, given),
        ],
        default_handler_class=handlers.NothingHandler,
        default_handler_args=given,
        log_function=lambda _: None,  # addresses have the token
        compress_response=False,
    )


class BoardServer(HTTPServer):
    """An HTTP server that other users of the host can't keep from answering.

    Anybody on the host may open connections. Where there are too many, the one that has waited
    longest for a request is closed, so that there are always files left to answer with.
    """

    _open: Sequence[IOStream] = ()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Take a new connection."""
        super().handle_stream(stream, address)
        self._open = [*(each for each in self._open if not each.closed()), stream]
        asyncio.get_running_loop().call_soon(self._close_waiting)  # once it waits for a request

    def _close_waiting(self) -> None:
        held = [each for each in self._open if not each.closed()]
        excess = max(len(held) - _most_connections(), 0)
        for stream in [each for each in held if each.reading()][:excess]:
            stream.close()


def _most_connections() -> int:
    """Return how many connections may be open: at most half as many as files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if soft < 0 else min(_MOST_CONNECTIONS, soft // 2)


def http_server(service: Service) -> BoardServer:
    """Return the server of a board."""
    return BoardServer(application(service), max_body_size=_MOST_BODY)


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind to an address; port 0 for any that is free.

    Raises:
        ResourceError: it can't be bound.
    """
    try:
        return bind_sockets(port, host)
    except OSError as error:
        raise ResourceError(
            f"the board can't be served at {host}:{port} ({error.strerror or error}); choose "
            "another --port, or 0 for any that is free"
        ) from None


def serve(results: Path, host: str, port: int) -> None:
    """Serve the board of a folder results/ until the process is interrupted; print its address."""
    logging.getLogger("tornado").setLevel(logging.ERROR)
    sockets = bind(host, port)
    try:
        asyncio.run(_serve(results, host, sockets))
    except KeyboardInterrupt:
        return


async def _serve(results: Path, host: str, sockets: list[socket.socket]) -> None:
    names = LOOPBACK if host in LOOPBACK else (*LOOPBACK, host.lower())
    access = Access(names)
    service = Service(Board(results), access)
    server = http_server(service)
    server.add_sockets(sockets)
    service.start()
    port = sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{port}/?token={access.token}", flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, ended.set)
    await ended.wait()
    server.stop()
    await service.stop()
    await server.close_all_connections()
