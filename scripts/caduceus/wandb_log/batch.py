"""Rows of a history, stored in columns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from caduceus.wandb_log.arrays import Bytes, Flags, Ints, padded
from caduceus.wandb_log.segments import Row


@dataclass
class Batch:
    """Consecutive rows of a history, stored in columns.

    The value of metric `names[c]` in row `r` is the JSON text of `lengths[c, r]` bytes that starts
    at `text[starts[c, r]]`. A length of -1 means that the row has no such metric. Batches derived
    from one another share `text`; new values are appended to a copy of it.

    Attributes:
        text: all values, and bytes between them that no value uses; (bytes,).
        names: the metrics; one of each column.
        starts: (columns, rows).
        lengths: (columns, rows).
    """

    text: Bytes
    names: list[str]
    starts: Ints
    lengths: Ints

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.starts.shape[1])

    @property
    def steps(self) -> Ints:
        """The step of each row, (rows,); 0 for a row without one."""
        if "_step" not in self.names:
            return np.zeros(self.rows, np.int64)
        column = self.names.index("_step")
        start, length = self.starts[column], self.lengths[column]
        steps = np.zeros(self.rows, np.int64)
        # Digit by digit, for all rows at once; `minimum` keeps rows with fewer digits in bounds.
        for place in range(int(length.max(initial=0))):
            digit = self.text[start + np.minimum(place, length)].astype(np.int64) - ord("0")
            steps = np.where(place < length, steps * 10 + digit, steps)
        return steps

    def take(self, rows: Flags | Ints) -> "Batch":
        """Return a batch of these rows, without columns that are empty in it."""
        taken = Batch(self.text, self.names, self.starts[:, rows], self.lengths[:, rows])
        return taken._without_empty_columns()

    def drop(self, names: Collection[str]) -> "Batch":
        """Return the batch without the columns `names`."""
        kept = [column for column, name in enumerate(self.names) if name not in names]
        return Batch(
            self.text, [self.names[c] for c in kept], self.starts[kept], self.lengths[kept]
        )

    def replace(self, rows: Mapping[int, Row]) -> "Batch":
        """Return a copy in which row i is replaced by `rows[i]`, for each key i of `rows`."""
        columns = {name: column for column, name in enumerate(self.names)}
        for row in rows.values():
            for name in row:
                columns.setdefault(name, len(columns))
        new_columns = ((0, len(columns) - len(self.names)), (0, 0))
        starts = np.pad(self.starts, new_columns)
        lengths = np.pad(self.lengths, new_columns, constant_values=-1)
        lengths[:, list(rows)] = -1
        appended, size = [], len(self.text)
        for place, row in rows.items():
            for name, value in row.items():
                content = value.encode(errors="replace")
                starts[columns[name], place] = size
                lengths[columns[name], place] = len(content)
                appended.append(content)
                size += len(content)
        text = padded(self.text, b"".join(appended))
        return Batch(text, list(columns), starts, lengths)._without_empty_columns()

    def with_steps(self, steps: Ints) -> "Batch":
        """Return a copy in which `steps`, (rows,), is the column `_step`, the first one."""
        texts = [str(step).encode() for step in steps.tolist()]
        lengths = np.array([len(text) for text in texts])
        starts = len(self.text) + np.cumsum(lengths) - lengths
        rest = self.drop(["_step"])
        return Batch(
            padded(self.text, b"".join(texts)),
            ["_step", *rest.names],
            np.concatenate([starts[None], rest.starts]),
            np.concatenate([lengths[None], rest.lengths]),
        )

    def rows_with(self, names: Collection[str]) -> Ints:
        """Return the indices of the rows that have at least one of these metrics."""
        others = [name for name in self.names if name not in names]
        return np.flatnonzero(self.drop(others)._has(axis=0))

    def _has(self, axis: int) -> Flags:
        """Whether each row (axis 0) or column (axis 1) has a value."""
        return np.asarray((self.lengths >= 0).any(axis=axis))

    def _without_empty_columns(self) -> "Batch":
        has_any = self._has(axis=1)
        return self.drop(
            {name for name, is_used in zip(self.names, has_any, strict=True) if not is_used}
        )

    def row(self, index: int) -> Row:
        """Return row `index` as `reading.iter_rows` yields it."""
        return {
            name: self.value(column, index)
            for column, name in enumerate(self.names)
            if self.lengths[column, index] >= 0
        }

    def value(self, column: int, row: int) -> str:
        """Return the JSON text of a value that the row has."""
        start = self.starts[column, row]
        return (
            self.text[start : start + self.lengths[column, row]].tobytes().decode(errors="replace")
        )
