"""JSON over a Unix socket, each message after its length; file descriptors go with the first."""

import json
import socket
import struct
from collections.abc import Sequence

_LENGTH = struct.Struct("!I")
_MOST_DESCRIPTORS = 250  # SCM_MAX_FD of Linux is 253


def send(connection: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Send a message, and copies of file descriptors with it."""
    data = json.dumps(message).encode("utf-8", "surrogateescape")
    data = _LENGTH.pack(len(data)) + data
    if descriptors:
        data = data[socket.send_fds(connection, [data], list(descriptors)) :]
    if data:  # sending nothing fails too if the other side has answered and closed the connection
        connection.sendall(data)


def receive(connection: socket.socket) -> "tuple[object, list[int]]":
    """Return the next message and the file descriptors that came with it.

    Raises:
        EOFError: the other side has ended.
    """
    data, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, _MOST_DESCRIPTORS)
    if not data:
        raise EOFError
    data += _exactly(connection, _LENGTH.size - len(data))
    text = _exactly(connection, _LENGTH.unpack(data)[0])
    return json.loads(text.decode("utf-8", "surrogateescape")), descriptors


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        part = connection.recv(min(size, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
