"""Checkpoints: everything that a program needs to resume, each saved whole or not at all.

A checkpoint is one file, `STEP-DIGEST.ckpt`: written to a temporary file, synced to disk, then
renamed. Its name has the digest of its content, so that a damaged checkpoint is detected and the
one before it is restored.
"""

import contextlib
import hashlib
import io
import os
import pickle
import random
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.wandb_log import RowWatch

_NAME = re.compile(r"(\d+)-([0-9a-f]{16})\.ckpt")
_KEPT = 2
_FULL_S, _FULL_BYTES = 2.0, 1 << 16  # when a disk with less free space counts as full
_LOG_GROWS_S = 60.0  # wandb writes every 0.25 s; a slow file system takes longer


@dataclass(frozen=True)
class Checkpoint:
    """The content that was saved after `step`, and the time, in seconds since 1970."""

    step: int
    saved_at: float
    content: dict[str, Any]


def save(folder: Path, step: int, content: Mapping[str, Any]) -> Path:
    """Save a checkpoint, and remove all but the last two.

    Args:
        folder: takes the checkpoint.
        step: the last step that is done; at least that of earlier checkpoints.
        content: anything that torch, or without torch pickle, can save.

    Raises:
        OSError: it can't be written; earlier checkpoints are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = _packed({"step": step, "saved_at": time.time(), "content": dict(content)})
    digest = hashlib.sha256(data).hexdigest()[:16]
    part = folder / f".{os.getpid()}.part"
    path = folder / f"{step:012d}-{digest}.ckpt"
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    left_by_killed_ones = folder.glob(".*.part")
    for old in [*_found(folder)[:-_KEPT], *left_by_killed_ones]:
        old.unlink(missing_ok=True)
    return path


def load(folder: Path) -> Checkpoint | None:
    """Load the last whole checkpoint; None if there is none. Damaged ones are removed.

    Raises:
        ResultError: the program can't read it, though it is what was saved.
    """
    for path in reversed(_found(folder)):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest()[:16] != path.stem.partition("-")[2]:
            print(f"caduceus: {path} is damaged and was removed", file=sys.stderr)
            path.unlink()
            continue
        try:
            saved = _unpacked(data)
        except Exception as error:  # the program's own classes may raise anything
            raise ResultError(
                f"can't be read: {type(error).__name__}: {error}; delete it to start afresh",
                str(path),
            ) from error
        return Checkpoint(**saved)
    return None


def _found(folder: Path) -> list[Path]:
    """Return the checkpoints in `folder`, oldest first."""
    paths = folder.iterdir() if folder.is_dir() else ()
    named = [path for path in paths if _NAME.fullmatch(path.name)]
    return sorted(named, key=lambda path: int(path.stem.partition("-")[0]))


def _packed(saved: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    if torch := sys.modules.get("torch"):
        torch.save(saved, buffer)
    else:
        pickle.dump(saved, buffer)
    return buffer.getvalue()


def _unpacked(data: bytes) -> dict[str, Any]:
    saved: dict[str, Any]
    if data[:2] == b"PK":  # torch's files are zip files
        import torch

        saved = torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)
    else:
        saved = pickle.loads(data)
    return saved


def state_of(value: Any) -> Any:
    """Return the state of an object: its `state_dict()`, or that of a random generator.

    Models, optimizers, schedulers, scalers and samplers have a `state_dict`; torch's generators a
    `get_state`, numpy's a `bit_generator`.
    """
    if hasattr(value, "state_dict"):
        return value.state_dict()
    if hasattr(value, "get_state"):
        return value.get_state()
    if hasattr(value, "bit_generator"):
        return value.bit_generator.state
    raise TypeError(f"{type(value).__name__} has no state_dict(); give its value to `checkpoint`")


def set_states(objects: Mapping[str, Any], states: Mapping[str, Any]) -> None:
    """Set the state of each object to the one of its name that `state_of` returned.

    Raises:
        ResultError: there is no state of this name.
    """
    for name, value in objects.items():
        if name not in states:
            raise ResultError(
                f"the last checkpoint holds no {name!r}, but {', '.join(states) or 'nothing'}; "
                "delete the checkpoints to start afresh",
                os.environ["CADUCEUS_CHECKPOINT_DIR"],
            )
        _set_state(value, states[name])


def _set_state(value: Any, state: Any) -> None:
    if hasattr(value, "load_state_dict"):
        value.load_state_dict(state)
    elif hasattr(value, "set_state"):
        value.set_state(state)
    else:
        value.bit_generator.state = state


def random_state() -> dict[str, Any]:
    """Return the state of the random generators of Python, numpy and torch, on all GPUs too."""
    state: dict[str, Any] = {"python": random.getstate()}
    if numpy := sys.modules.get("numpy"):
        state["numpy"] = numpy.random.get_state()
    if torch := sys.modules.get("torch"):
        state["torch"] = torch.get_rng_state()
        if torch.cuda.is_available():
            state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: Mapping[str, Any]) -> None:
    """Set the random generators to a state that `random_state` returned.

    The generators of GPUs aren't set if there is another number of GPUs now.
    """
    random.setstate(state["python"])
    if "numpy" in state:
        import numpy as np

        np.random.set_state(state["numpy"])
    if "torch" in state:
        import torch

        torch.set_rng_state(state["torch"])
        if len(state.get("cuda", ())) == torch.cuda.device_count() > 0:
            torch.cuda.set_rng_state_all(state["cuda"])


def wait_for_row(watch: RowWatch, log: Path, step: int) -> None:
    """Wait until the row of `step` is in the log.

    Raises:
        ResultError: it isn't written, as on a full disk.
    """
    begun = time.monotonic()
    while watch.last_step() < step:
        waited_s = time.monotonic() - begun
        is_full = waited_s > _FULL_S and shutil.disk_usage(log).free < _FULL_BYTES
        if is_full or waited_s > _LOG_GROWS_S:
            raise ResultError("rows don't reach wandb's log: is the disk full?", str(log))
        time.sleep(0.01)
