"""The changes of the board, numbered, for pages that follow them."""

import asyncio
from collections import deque
from dataclasses import dataclass

_MOST = 500  # changes that are kept for a page that comes back
_MOST_BYTES = 16_000_000


@dataclass(frozen=True)
class Event:
    """A change, as the text of a JSON object."""

    sequence: int
    text: str


class Feed:
    """Keeps the last changes and wakes those who wait; for one event loop."""

    def __init__(self) -> None:
        self.sequence = 0
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._more = asyncio.Event()

    def publish(self, sequence: int, text: str) -> None:
        """Add a change and wake all that wait."""
        self.sequence = sequence
        self._events.append(Event(sequence, text))
        self._bytes += len(text)
        while len(self._events) > _MOST or (self._bytes > _MOST_BYTES and len(self._events) > 1):
            self._bytes -= len(self._events.popleft().text)
        self.wake()

    def wake(self) -> None:
        """Wake all that wait, also without a change."""
        woken, self._more = self._more, asyncio.Event()
        woken.set()

    def after(self, since: int) -> list[Event] | None:
        """Return the changes after a number; None if some of them are no longer kept."""
        if since > self.sequence:  # of an earlier board at this address
            return None
        first = self._events[0].sequence if self._events else self.sequence + 1
        if since + 1 < first:
            return None
        return [event for event in self._events if event.sequence > since]

    async def wait(self, since: int, seconds: float) -> None:
        """Wait until there is a change after a number, or the time is over."""
        if self.sequence <= since:
            try:
                await asyncio.wait_for(self._more.wait(), seconds)
            except TimeoutError:
                return
