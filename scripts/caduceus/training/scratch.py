"""Scratch: a run's W&B folder on a disk of the host, brought home while it grows and at the end.

A shared file system is slow for what W&B writes, and a busy one makes a program wait. With
`wandb.scratch` the program writes to a disk of its host. The supervisor copies what is new every
few seconds, so that a host that dies costs seconds, and whoever reads the log at home sees it grow.
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

_TEMPORARY = {"tmp", "staging"}  # W&B's folders for what it deletes; all else stays
_GROWING = (".wandb", ".log", ".jsonl")  # only ever appended to


class Stay:
    """Where a W&B folder lies while its program runs.

    `folder` is there, `private` what of it has to go at the end; None if it stays at home.
    """

    def __init__(self, folder: Path, private: Path | None, home: Path):
        self.folder = folder
        self.private = private
        self._mirror = Mirror(folder, home) if private else None
        self._home = home

    def step(self) -> None:
        """Copy a little of what is new, if it is time."""
        if self._mirror:
            self._mirror.step()

    @contextmanager
    def brought_home(self, step: Callable[[], object] = lambda: None) -> Iterator[None]:
        """At the end all of it is at home, and nothing is left on scratch.

        Args:
            step: called often while the rest is copied, which may take long.

        Raises:
            ResultError: it can't be written at home, and waits on scratch.
        """
        try:
            yield
        finally:
            if self._mirror and self.private:
                try:
                    self._mirror.finish(step)
                except OSError as error:
                    raise ResultError(
                        f"{error.strerror or error}: what W&B logged can't be brought home; mend "
                        f"that, and copy {self.folder} on {socket.gethostname()} there",
                        str(self._home),
                    ) from None
                shutil.rmtree(self.private, ignore_errors=True)


def borrow(where: str | None, home: Path, runs: Path) -> Stay:
    """A folder on scratch for a W&B folder.

    Args:
        where: `wandb.scratch`: a folder, whose environment variables are those of this host; None
            to stay at home.
        home: the W&B folder.
        runs: the folder of all runs. The path from there is the same on scratch, by which whoever
            reads a log finds files that it names there.

    Raises:
        ResourceError: a variable isn't set, or nothing can be written there.
    """
    if where is None:
        return Stay(home, None, home)
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
    return Stay(private / inside, private, home)


def rescue(private: Path, home: Path, runs: Path) -> None:
    """Bring home what a supervisor that was killed has left on this host's scratch."""
    if private.is_dir():
        folder = private / home.absolute().relative_to(runs.absolute())
        with Stay(folder, private, home).brought_home():
            pass


class Mirror:
    """Copies a folder that is written to; what has been copied once isn't again."""

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
            step_s: seconds of copying at a time, since the supervisor also has a time limit and
                signals to attend to.
            chunk_bytes: the least that is copied at a time.
        """
        self._source = source
        self._home = home
        self._every_s, self._step_s, self._chunk_bytes = every_s, step_s, chunk_bytes
        self._copied: dict[Path, tuple[int, int]] = {}  # size and time there, or size and 0
        self._rests_until = 0.0
        self._round = self._copy()

    def step(self) -> None:
        """Go on for a moment. What can't be written is tried again."""
        now = time.monotonic()
        if now < self._rests_until:
            return
        with contextlib.suppress(OSError):
            for _ in self._round:
                if time.monotonic() - now > self._step_s:
                    return
        self._round = self._copy()
        self._rests_until = time.monotonic() + self._every_s

    def finish(self, step: Callable[[], object]) -> None:
        """Copy the rest, once nobody writes any more, and forget what W&B has deleted there.

        Raises:
            OSError: something can't be copied, or the folder has gone, as a host's cleaner does it.
        """
        self._round.close()
        if not self._source.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder on scratch has gone")
        for _ in self._copy():
            step()
        for path in self._copied:
            if _TEMPORARY.intersection(path.parts) and not (self._source / path).exists():
                (self._home / path).unlink(missing_ok=True)

    def _copy(self) -> Generator[None, None, None]:
        """Copy what is new, yielding between chunks.

        A log comes last, and only as far as it went at first: what its rows name is then there.
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
        """Path, size and time of change of each file; folders and links are made on the way."""
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
