"""A W&B server on loopback that keeps what a sync delivers. A stand-in: no real one can be had.

It answers what the SDK 0.31 asks for when it syncs a run, as far as the answers matter: an
upsert of the run, the streams of rows, and the upload of files, which it drops.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What arrived: lines of each stream by number, and the last upsert of the run."""

    streams: dict[str, dict[int, str]] = field(default_factory=dict)
    upserts: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None

    @property
    def history(self) -> list[dict[str, Any]]:
        lines = self.streams.get("wandb-history.jsonl", {})
        return [json.loads(lines[number]) for number in sorted(lines)]

    @property
    def summary(self) -> Any:
        lines = self.streams["wandb-summary.json"]
        return json.loads(lines[max(lines)])


@contextmanager
def wandb_server() -> Iterator[tuple[str, Received]]:
    """The server's address, and what it receives."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def do_PUT(self) -> None:  # http.server's name, as below
            self._body()
            self._answer({})

        def do_POST(self) -> None:
            body = json.loads(self._body() or b"{}")
            if self.path.endswith("/file_stream"):
                _take(received, body)
                self._answer({"exitcode": None, "limits": {}})
            elif self.path == "/graphql":
                self._answer({"data": _resolve(received, body, self.headers["Host"])})
            else:
                self.send_error(404)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is none of ours."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _take(received: Received, body: dict[str, Any]) -> None:
    for name, part in (body.get("files") or {}).items():
        lines = received.streams.setdefault(name, {})
        for place, line in enumerate(part["content"]):
            lines[part["offset"] + place] = line
    if body.get("complete"):
        received.exit_code = body["exitcode"]


def _resolve(received: Received, body: dict[str, Any], host: str) -> dict[str, Any]:
    query, variables = body["query"], body.get("variables") or {}
    if "upsertBucket" in query:
        received.upserts.append(variables)
        project = {"name": variables.get("project") or "p", "entity": {"name": "e"}}
        bucket = {
            "id": "1",
            "name": variables.get("name"),
            "displayName": variables.get("displayName"),
            "project": project,
            "historyLineCount": 0,
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}
    if "createRunFiles" in query:
        files = [
            {"name": name, "uploadUrl": f"http://{host}/put/{name}"} for name in variables["files"]
        ]
        return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}
    if "viewer" in query:
        return {"viewer": {"id": "1", "entity": "e", "username": "u", "flags": "{}"}}
    if "serverInfo" in query:
        return {"serverInfo": {"features": []}}
    return {"model": {"bucket": None}, "entity": None}
