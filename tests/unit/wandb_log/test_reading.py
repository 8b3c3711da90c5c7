"""Logs that grow while they are read."""

from pathlib import Path

from caduceus.wandb_log import follow
from wandb_logs import framed, history


def test_following_ends_when_the_writer_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run-x.wandb"
    log = framed([history(n, {("_step",): str(n)}) for n in range(1, 4)])
    sizes = iter((3, 7, 20, len(log) - 5))  # it grows by any number of bytes

    def grow() -> bool:
        """Asked each time before the log is read whether its writer is gone."""
        size = next(sizes, None)
        if size is not None:
            path.write_bytes(log[:size])
        return size is None

    assert [row["_step"] for row in follow(path, grow, interval_s=0)] == ["1", "2"]
    assert list(follow(tmp_path / "never.wandb", lambda: True)) == []
