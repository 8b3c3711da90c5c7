"""Run the board: one thread reads results/, the event loop answers."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from caduceus.errors import SlurmError
from caduceus.overview.board.access import Access
from caduceus.overview.board.board import Board
from caduceus.overview.board.feed import Feed
from caduceus.overview.status import runs_of_jobs
from caduceus.system import slurm

_PAUSE_S = 0.75  # between two looks while a page is open
_IDLE_S = 10.0  # while none is
_SHARE = 0.05  # of a core that looks may take; a slow file system makes them rarer
_LONGEST_S = 5.0
_END_S = 2.0  # for streams to end
_QUEUE_S = 15.0  # between two questions to SLURM's controller

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Service:
    """A board that is followed by any number of pages.

    Attributes:
        access: who may ask.
        feed: its changes.
        is_closing: whether streams should end.
    """

    def __init__(self, board: Board, access: Access):
        self.access = access
        self.feed = Feed()
        self.is_closing = False
        self._board = board
        self._reader = ThreadPoolExecutor(1, "reader")
        self._pages = 0
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._error = ""

    async def ask(self, make: Callable[[Board], _T]) -> _T:
        """Call a function with the board, in the reader's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, make, self._board)

    def wake(self) -> None:
        """Look at once, as somebody has come."""
        self._wake.set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look often while a page follows the changes."""
        self._pages += 1
        self.wake()
        try:
            yield
        finally:
            self._pages -= 1

    def start(self) -> None:
        """Begin to look at results/."""
        self._tasks.append(asyncio.create_task(self._follow()))
        if slurm.is_installed():
            self._tasks.append(asyncio.create_task(self._ask_slurm()))

    async def stop(self) -> None:
        """Stop looking."""
        self.is_closing = True
        until = time.monotonic() + _END_S
        while self._pages and time.monotonic() < until:  # streams end by themselves
            self.feed.wake()
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._reader.shutdown(wait=True)

    async def _follow(self) -> None:
        while not self.is_closing:  # before Python 3.12, wait_for may swallow a cancellation
            self._wake.clear()
            text, cpu_s, is_reading = await self.ask(self._look)
            if text is not None:
                self.feed.publish(self._board.sequence, text)
            if is_reading:
                await asyncio.sleep(0)  # questions that came meanwhile are answered first
                continue
            pause_s = _PAUSE_S if self._pages else _IDLE_S
            pause_s = max(pause_s, min(cpu_s / _SHARE, _LONGEST_S))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause_s)

    def _look(self, board: Board) -> tuple[str | None, float, bool]:
        """Return what has changed, the CPU seconds that finding it took, and if there is more."""
        before = time.thread_time()
        try:
            text = board.look()
            is_reading, self._error = board.watch.is_reading, ""
        except Exception as error:  # a fault of ours must not end a board that people look at
            text, is_reading = None, False
            if repr(error) != self._error:
                self._error = repr(error)
                _LOG.exception("the board can't read results/")
        return text, time.thread_time() - before, is_reading

    async def _ask_slurm(self) -> None:
        folder = self._board.results.absolute().parent
        while not self.is_closing:
            if self._pages:
                found, error = await asyncio.to_thread(_jobs, folder)

                await self.ask(partial(Board.take_queue, jobs=found, error=error))
                self.wake()
            await asyncio.sleep(_QUEUE_S if self._pages else 1.0)


def _jobs(folder: Path) -> tuple[dict[str, slurm.QueuedJob] | None, str | None]:
    """Return the jobs of a project's runs; None and a line if SLURM doesn't answer."""
    try:
        return runs_of_jobs(slurm.jobs().values(), folder), None
    except SlurmError as error:
        return None, str(error)
