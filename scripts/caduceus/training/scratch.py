"""Scratch: the W&B folder of a run on a local disk of its host, copied to the run's own folder.

A shared file system is slow for what W&B writes, and a busy one makes the program wait. With
`wandb.scratch` the program writes to a disk of its host. The supervisor copies new data to the
run's folder every few seconds and at the end, so that a host that dies costs seconds of the log,
and readers of the run's folder see the log grow.
"""

import contextlib
import errno
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from caduceus.errors import ResourceError, ResultError

_TEMPORARY = {"tmp", "staging"}  # folders in which W&B deletes files itself
_GROWING = (".wandb", ".log", ".jsonl")  # files that are only appended to


class Scratch:
    """The W&B folder of a program while it runs.

    Attributes:
        folder: the folder that the program logs to.
        private: the folder on scratch that is removed at the end; None if the program logs to the
            run's own folder.
    """

    def __init__(self, folder: Path, private: Path | None, home: Path):
        self.folder = folder
        self.private = private
        self._mirror = Mirror(folder, home) if private else None
        self._home = home

    def step(self) -> None:
        """Copy a little of the new data, if it is time."""
        if self._mirror:
            self._mirror.step()

    @contextmanager
    def copied_back(self, step: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Copy everything to the run's folder at the end, and remove it from scratch.

        Args:
            step: called often during the copy, which may take long.

        Raises:
            ResultError: the run's folder can't be written; the data stay on scratch.
        """
        try:
            yield
        finally:
            if self._mirror and self.private:
                try:
                    self._mirror.finish(step)
                except OSError as error:
                    raise ResultError(
                        f"{error.strerror or error}: the W&B folder can't be copied back from "
                        f"scratch; fix that, and copy {self.folder} on {socket.gethostname()} "
                        "there",
                        str(self._home),
                    ) from None
                shutil.rmtree(self.private, ignore_errors=True)


def open_scratch(where: str | None, home: Path, runs: Path) -> Scratch:
    """Make a folder on scratch for a W&B folder.

    Args:
        where: `wandb.scratch`: a folder, in which environment variables of this host are replaced;
            None to log to `home`.
        home: the W&B folder in the run's own folder.
        runs: the folder of all runs. The path from there to `home` is kept on scratch, so that
            paths in the log can be found from either place.

    Raises:
        ResourceError: a variable isn't set, or the folder can't be written.
    """
    if where is None:
        return Scratch(home, None, home)
    base = os.path.expandvars(where)
    host = socket.gethostname()
    if unset := re.search(r"\$\w+|\$\{\w+\}", base):
        raise ResourceError(
            f"{unset[0]} isn't set on {host}; set it there, or name another folder",
            "config.yaml: wandb.scratch",
        )
    inside = home.absolute().relative_to(runs.absolute())
    try:
        private = Path(tempfile.mkdtemp(prefix="caduceus-", dir=Path(base).expanduser().absolute()))
        (private / inside).mkdir(parents=True)
    except OSError as error:
        raise ResourceError(
            f"{base} on {host}: {error.strerror}; name a folder that can be written there",
            "config.yaml: wandb.scratch",
        ) from None
    return Scratch(private / inside, private, home)


def recover(private: Path, home: Path, runs: Path) -> None:
    """Copy back what a killed supervisor left on this host's scratch.

    Args:
        private: the folder on scratch.
        home: the W&B folder in the run's own folder.
        runs: the folder of all runs.
    """
    if private.is_dir():
        folder = private / home.absolute().relative_to(runs.absolute())
        with Scratch(folder, private, home).copied_back():
            pass


class Mirror:
    """Copies a folder while it is written to; unchanged data are copied once."""

    def __init__(
        self,
        source: Path,
        home: Path,
        every_s: float = 3.0,
        step_s: float = 0.3,
        chunk_bytes: int = 4 << 20,
    ):
        """Copy from `source` to `home`.

        Args:
            source: the folder that is written to.
            home: where the copy goes.
            every_s: seconds between two rounds.
            step_s: seconds of copying at a time, as the supervisor also watches a time limit and
                signals.
            chunk_bytes: bytes that are copied at a time.
        """
        self._source = source
        self._home = home
        self._every_s, self._step_s, self._chunk_bytes = every_s, step_s, chunk_bytes
        self._copied: dict[
            Path, tuple[int, int]
        ] = {}  # size and mtime; of growing files size and 0
        self._next_round_at = 0.0
        self._round = self._copy()

    def step(self) -> None:
        """Copy for a moment; what fails is tried again in the next round."""
        now = time.monotonic()
        if now < self._next_round_at:
            return
        with contextlib.suppress(OSError):
            for _ in self._round:
                if time.monotonic() - now > self._step_s:
                    return
        self._round = self._copy()
        self._next_round_at = time.monotonic() + self._every_s

    def finish(self, step: Callable[[], object]) -> None:
        """Copy the rest, once no process writes any more, and delete what W&B has deleted there.

        Args:
            step: called between chunks.

        Raises:
            OSError: something can't be copied, or the folder was deleted, as by a host's cleaner.
        """
        self._round.close()
        if not self._source.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder on scratch was deleted")
        for _ in self._copy():
            step()
        for path in self._copied:
            if _TEMPORARY.intersection(path.parts) and not (self._source / path).exists():
                (self._home / path).unlink(missing_ok=True)

    def _copy(self) -> Generator[None, None, None]:
        """Copy new data, yielding between chunks.

        Logs are copied last, up to the sizes that they had at first: the files that their rows name
        are then there.
        """
        logs = {path: size for path, size, _ in self._files() if path.suffix in _GROWING}
        for path, size, changed in self._files():
            known = (size, 0 if path.suffix in _GROWING else changed)
            if path.suffix not in _GROWING and self._copied.get(path) != known:
                yield from self._replace(path)
                self._copied[path] = known
        for path, size in logs.items():
            yield from self._append(path, size)

    def _files(self) -> Iterator[tuple[Path, int, int]]:
        """Yield path, size and mtime of each file; folders and links are made on the way."""
        for base, folders, names in os.walk(self._source):
            inside = Path(base).relative_to(self._source)
            (self._home / inside).mkdir(parents=True, exist_ok=True)
            for name in [*folders, *names]:
                path = inside / name
                with contextlib.suppress(FileNotFoundError):  # it was deleted meanwhile
                    if (self._source / path).is_symlink():
                        self._link(path)
                    elif name in names:
                        status = (self._source / path).stat()
                        yield path, status.st_size, status.st_mtime_ns

    def _link(self, path: Path) -> None:
        target = (self._source / path).readlink()
        here = self._home / path
        if not here.is_symlink() or here.readlink() != target:
            here.unlink(missing_ok=True)
            here.symlink_to(target)

    def _replace(self, path: Path) -> Iterator[None]:
        here = self._home / path
        part = here.with_name(f".{here.name}.part")
        try:
            with (self._source / path).open("rb") as source, part.open("wb") as target:
                while chunk := source.read(self._chunk_bytes):
                    target.write(chunk)
                    yield
            part.replace(here)
        except FileNotFoundError:  # it was deleted meanwhile
            return
        finally:
            part.unlink(missing_ok=True)

    def _append(self, path: Path, size: int) -> Iterator[None]:
        done, _ = self._copied.get(path, (0, 0))
        if size < done:
            done = 0
        try:
            source = (self._source / path).open("rb")
        except FileNotFoundError:
            return
        with source, (self._home / path).open("r+b" if done else "wb") as target:
            source.seek(done)
            target.seek(done)
            while done < size and (chunk := source.read(min(self._chunk_bytes, size - done))):
                target.write(chunk)
                done += len(chunk)
                target.flush()
                self._copied[path] = (done, 0)
                yield
