"""The last step and metric of a running run, read from its growing log."""

import json
from contextlib import suppress
from itertools import islice

from caduceus.errors import ResultError
from caduceus.runs.attempts import read_attempts
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import logs_of_attempt
from caduceus.wandb_log import LogError, Row, RowWatch, has_rows

_ROWS = 5000  # a call, so that a run with millions of rows stays cheap


class RunWatch:
    """Reads what a run has logged since the last look.

    Args:
        folder: the run's folder.
        metric: the metric of its experiment; None for the first one of a row.
    """

    def __init__(self, folder: RunFolder, metric: str | None):
        self._folder = folder
        self._metric = metric
        self._attempts_before = len(_attempts(folder))
        self._watch: RowWatch | None = None
        self._step: int | None = None
        self._value = ""

    def has_started(self) -> bool:
        """Whether an attempt was started since the watch began."""
        return self._watch is not None or len(_attempts(self._folder)) > self._attempts_before

    def look(self) -> str:
        """Return the last step and value of the metric, in words; empty before the first row."""
        with suppress(ResultError, LogError, OSError):
            if self._watch is None:
                self._open()
            if self._watch is not None:
                for row in islice(self._watch.rows(), _ROWS):
                    self._take(row)
        step = "" if self._step is None else f"step {self._step}"
        return ", ".join(filter(None, [step, self._value]))

    def close(self) -> None:
        """Close the log."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _open(self) -> None:
        attempts = read_attempts(self._folder.attempts)
        if len(attempts) > self._attempts_before:
            logs = logs_of_attempt(self._folder, attempts[-1].number)
            if logs and has_rows(logs[-1]):
                self._watch = RowWatch(logs[-1])

    def _take(self, row: Row) -> None:
        self._step = int(row.get("_step", "0"))
        self._value = shown_value(row, self._metric, self._value)


def shown_value(row: Row, metric: str | None, before: str) -> str:
    """Return the metric of a row, in words; without it what was shown before.

    Until a row has the metric, as where it is logged at the end only, it is the first one of a row.

    Args:
        row: the row.
        metric: the wanted metric; None for the first one.
        before: the value that was shown before.
    """
    is_known = metric is not None and before.startswith(f"{metric} ")
    name = metric if metric in row or is_known else next(filter(_is_shown, row), None)
    return before if name is None or name not in row else f"{name} {value_text(row[name])}"


def value_text(value: str) -> str:
    """Return a logged value, JSON, in four digits; text as it is."""
    with suppress(ValueError):
        number = json.loads(value)
        if isinstance(number, int | float):
            return f"{number:.4g}"
    return value


def _is_shown(name: str) -> bool:
    return not name.startswith(("_", "system/"))


def _attempts(folder: RunFolder) -> list[str]:
    return [path.name for path in folder.attempts.glob("[0-9]*.json")]
