"""Logs that grow while they are read."""

import threading
import time
from pathlib import Path

from caduceus.wandb_log import follow
from wandb_logs import framed, history


def test_following_ends_when_the_writer_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run-x.wandb"
    log = framed([history(n, {("_step",): str(n)}) for n in range(1, 4)])
    over = threading.Event()
    found: list[str] = []

    def read() -> None:
        found.extend(row["_step"] for row in follow(path, over.is_set, interval_s=0.01))

    reader = threading.Thread(target=read)
    reader.start()
    for size in (3, 7, 20, len(log) - 5):  # it grows by any number of bytes
        path.write_bytes(log[:size])
        time.sleep(0.05)
    over.set()
    reader.join(timeout=10)
    assert found == ["1", "2"]
    assert list(follow(tmp_path / "never.wandb", lambda: True)) == []
