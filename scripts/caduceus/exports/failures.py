"""The failure of one run's export, in one line: whatever a log or a server brings about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from caduceus.errors import CaduceusError, ResultError, from_os_error
from caduceus.wandb_log import LogError


@contextmanager
def named(run: str) -> Iterator[None]:
    """Name the run whose export fails.

    Raises:
        CaduceusError: raised inside; a ResultError in place of an OSError or a ValueError.
    """
    try:
        yield
    except CaduceusError as error:
        is_named = re.search(rf"(^|/){re.escape(run)}\b", str(error))
        raise error if is_named else type(error)(str(error), run) from error
    except (OSError, ValueError) as error:
        known = from_os_error(error) if isinstance(error, OSError) else None
        raise known or ResultError(f"can't be exported: {reason(error)}", run) from error


def reason(error: Exception) -> str:
    """Return an error as one line, with its type unless its text says it all."""
    known = error if isinstance(error, CaduceusError | LogError | OSError) else repr(error)
    return " ".join(str(known).split())
