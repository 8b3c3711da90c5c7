"""A clock that only sleeping moves, for threads of which one runs at a time.

What a test says of an hour, or of several threads that sleep in turn, then comes out the same
however busy the machine is.
"""

import heapq
import itertools
import threading
from collections.abc import Callable


class VirtualTime:
    """Takes the place of the module `time` in a module under test.

    Without `run`, sleeping moves the clock and calls `on_sleep`. Threads of `run` sleep until the
    clock has come to their time, and it moves when all of them sleep.
    """

    def __init__(self, on_sleep: Callable[[float], object] = lambda seconds: None) -> None:
        self.now = 0.0
        self._on_sleep = on_sleep
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, threading.Event]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self._sleepers:
            self.now += seconds
            self._on_sleep(seconds)
            return
        woken = threading.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        self._wake_next()
        woken.wait()

    def run(self, *works: Callable[[], object]) -> None:
        """Run each in a thread of its own, from now on, until all have ended."""
        errors: list[BaseException] = []

        def start(work: Callable[[], object], woken: threading.Event) -> None:
            woken.wait()
            try:
                work()
            except BaseException as error:
                errors.append(error)
            finally:
                self._wake_next()

        over = threading.Event()
        threads = []
        for work in works:
            woken = threading.Event()
            heapq.heappush(self._sleepers, (self.now, next(self._order), woken))
            threads.append(threading.Thread(target=start, args=(work, woken), daemon=True))
        heapq.heappush(self._sleepers, (float("inf"), next(self._order), over))
        for thread in threads:
            thread.start()
        self._wake_next()
        over.wait()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _wake_next(self) -> None:
        wakes_at, _, woken = heapq.heappop(self._sleepers)
        self.now = max(self.now, wakes_at)
        woken.set()
