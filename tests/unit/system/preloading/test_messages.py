"""Messages between a supervisor and a preload server."""

import os
import socket
import tempfile

import pytest
from caduceus.system.preloading.server.caduceus_preloading import messages


def test_an_answer_that_comes_before_the_request_is_said_to_be_sent_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine lets the other side answer and close first."""
    ours, theirs = socket.socketpair()
    send_fds = socket.send_fds

    def answered(*arguments: object) -> int:
        sent = send_fds(*arguments)  # type: ignore[arg-type]
        with theirs:
            request, [descriptor] = messages.receive(theirs)
            assert request == {"settings": "path"}
            os.close(descriptor)
            messages.send(theirs, {"forked": "server"})
        return sent

    with ours, tempfile.TemporaryFile() as file:
        monkeypatch.setattr(socket, "send_fds", answered)
        messages.send(ours, {"settings": "path"}, [file.fileno()])
        assert messages.receive(ours)[0] == {"forked": "server"}
