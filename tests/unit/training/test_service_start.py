"""A run waits for the start of wandb's service no longer than it takes."""

import importlib.util
import time
from pathlib import Path
from typing import Any

import pytest
from caduceus.training import wandb_environment
from wandb.sdk.lib.service import service_port_file

SHIM = Path(wandb_environment.__file__).parent / "shim/caduceus_shim"


class Service:
    """A process that writes its port at the second look at it, in place of W&B's service."""

    pid = 1

    def __init__(self, file: Path):
        self.file, self.looks = file, 0

    def poll(self) -> None:
        self.looks += 1
        if self.looks == 2:
            self.file.write_text("sock=1\nEOF\n")


def test_wandb_looks_again_after_a_hundredth_of_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("shim", SHIM / "service_start.py")
    assert spec and spec.loader
    shim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shim)
    monkeypatch.setattr(service_port_file, "_SLEEP", service_port_file._SLEEP)
    shim.look_often()
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    file = tmp_path / "port"
    service: Any = Service(file)  # a Popen, by what is asked of it
    service_port_file.poll_for_token(file, service, timeout=30)
    assert waits == [0.01]
