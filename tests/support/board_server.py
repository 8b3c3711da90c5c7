"""A board over HTTP on loopback, in a thread of the test."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from caduceus.overview.board.access import Access
from caduceus.overview.board.board import Board
from caduceus.overview.board.service import Service
from caduceus.overview.board.serving import http_server
from caduceus.overview.board.watch import ROUNDS
from growing_runs import Results
from tornado.netutil import bind_sockets


@dataclass
class Server:
    """A board that runs in a thread of its own."""

    results: Results
    board: Board
    port: int
    access: Access

    def request(
        self, path: str, body: object = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {"Cookie": f"{self.access.cookie}={self.access.session}"} | headers
        given = {name.replace("_", "-"): value for name, value in given.items()}
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, content, given)
        response = connection.getresponse()
        found = response.read()
        connection.close()
        return response, found

    def ask(self, path: str, body: object = None) -> Any:
        response, content = self.request(path, body)
        assert response.status == 200, content
        return json.loads(content)

    def run(self, run: str) -> Any:
        return next(each for each in self.ask("/api/overview")["runs"] if each["run"] == run)

    def read_all(self) -> None:
        """Return once the board has looked thoroughly at all that lies there now.

        It has looked since it was started, so it may have read a file that was replaced since.
        """
        watch = self.board.watch
        last = watch.looks + ROUNDS + 1  # the first of them may have begun earlier
        while self.ask("/api/overview")["is_reading"] or watch.looks <= last:
            pass


class Changes:
    """The stream of changes."""

    def __init__(self, server: Server, since: object):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        cookie = {"Cookie": f"{server.access.cookie}={server.access.session}"}
        self.connection.request("GET", f"/api/changes?since={since}", headers=cookie)
        self.stream = self.connection.getresponse()
        assert self.stream.getheader("Content-Type", "").startswith("text/event-stream")

    def next(self) -> tuple[str, Any]:
        name, data = "", "{}"
        while (line := self.stream.readline().decode().rstrip("\n")) or not name:
            if line.startswith(":"):
                continue
            key, _, value = line.partition(": ")
            name, data = (value, data) if key == "event" else (name, data)
            data = value if key == "data" else data
        return name, json.loads(data)


@contextmanager
def board_server(results: Results) -> Iterator[Server]:
    access, board = Access(), Board(results.path)
    sockets = bind_sockets(0, "127.0.0.1")
    stop = threading.Event()
    started = threading.Event()

    async def serve() -> None:
        service = Service(board, access)
        server = http_server(service)
        server.add_sockets(sockets)
        service.start()
        started.set()
        await asyncio.to_thread(stop.wait)
        server.stop()
        await service.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield Server(results, board, sockets[0].getsockname()[1], access)
    finally:
        stop.set()
        thread.join()
