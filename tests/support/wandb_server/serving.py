"""HTTP on loopback."""

import base64
import gzip
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .nodes import Holder, md5
from .queries import execute, operation_name
from .store import RefusalError

if TYPE_CHECKING:
    from . import WandbServer

Answer = dict[str, Any] | bytes


class Listener(ThreadingHTTPServer):
    """The socket, and the connections that are open."""

    request_queue_size = 128

    def __init__(self, owner: "WandbServer", port: int, tls: ssl.SSLContext | None) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        self.threads: list[threading.Thread] = []
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Close the socket and all connections; what has come by then is taken."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        arguments = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=arguments, daemon=True)
        self.threads = [running for running in self.threads if running.is_alive()] + [thread]
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of ours."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.owner.problems.append(f"a request failed: {error!r}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: Listener

    def log_message(self, *_: object) -> None:
        pass

    def serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        if len(content) < length:
            return self.hang_up()
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        path = unquote(urlsplit(self.path).path)
        body = json.loads(content or b"{}") if self.command == "POST" else {}
        name = operation_name(body) if path == "/graphql" else ""
        fault = self.server.owner.note(f"{self.command} {path} {name}".rstrip())
        if fault:
            time.sleep(fault.delay)
        if fault and fault.drop is True:
            return self.hang_up()
        if fault and fault.status:
            return self.answer(fault.status, _errors(fault.message), fault.headers)
        with self.server.owner.store.lock:
            status, answer = self.take(path, content, body)
        return self.hang_up() if fault and fault.drop else self.answer(status, answer)

    do_GET = do_POST = do_PUT = serve  # noqa: N815  # http.server's names

    def take(self, path: str, content: bytes, body: dict[str, Any]) -> tuple[int, Answer]:
        owner = self.server.owner
        kind, *parts = path.strip("/").split("/")
        key = base64.b64encode(f"api:{owner.key}".encode()).decode()
        try:
            if kind == "storage":
                return 200, self.take_file(parts[0], "/".join(parts[1:]), content)
            if kind == "sdk":  # telemetry, which takes this for no
                return 404, {}
            if self.headers.get("Authorization") != f"Basic {key}":
                raise RefusalError(401, "user is not logged in")
            if kind == "graphql":
                return execute(owner.store, body)
            if kind == "files" and parts[3:] == ["file_stream"]:
                run = owner.store.writable_run(*parts[:3])
                owner.store.take_stream(run, body)
                return 200, {"exitcode": None, "limits": {}}
        except RefusalError as refusal:
            return refusal.status, _errors(str(refusal))
        owner.problems.append(f"{self.command} {path} is no address of W&B's")
        return 404, _errors("not found")

    def take_file(self, owner_id: str, name: str, content: bytes) -> Answer:
        store = self.server.owner.store
        holder = store.node(owner_id, Holder)
        if self.command == "GET":
            if name not in holder.files:
                raise RefusalError(404, f"{name} not found")
            return holder.files[name]
        declared = {holder.declared.get(name), self.headers.get("Content-MD5")} - {None}
        if declared - {md5(content)}:
            store.problems.append(f"{holder.id}/{name} hasn't the md5 that was declared")
        holder.files[name] = content
        holder.updated_at = store.now()
        return {}

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer(self, status: int, value: Answer, headers: Mapping[str, str] | None = None) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)


def _errors(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}]}
