"""Have Snakemake compute the checksum of an input once for a finished job.

It records the checksums of all inputs with each output. For a job of 1,000 inputs and four outputs
it would read 4,000 files.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol


class Job(Protocol):
    """The used part of a job of Snakemake."""

    @property
    def input(self) -> Iterable[Any]:
        """The files that it takes, each with a method `checksum`."""


class Persistence(Protocol):
    """The used part of Snakemake's records."""

    finished: Callable[[Any], Awaitable[None]]


def compute_checksums_once(persistence: Persistence) -> None:
    """Change Snakemake's records in place, once."""
    if "finished" in vars(persistence):
        return
    record = persistence.finished

    async def finished(job: Job) -> None:
        inputs = list(job.input)
        for path in inputs:
            path.checksum = _remembered(path.checksum)
        try:
            await record(job)
        finally:
            for path in inputs:
                vars(path).pop("checksum", None)

    persistence.finished = finished


def _remembered(
    checksum: Callable[[int], Coroutine[Any, Any, str | None]],
) -> Callable[[int], Coroutine[Any, Any, str | None]]:
    known: dict[int, str | None] = {}

    async def remembered(threshold: int) -> str | None:
        if threshold not in known:
            known[threshold] = await checksum(threshold)
        return known[threshold]

    return remembered
