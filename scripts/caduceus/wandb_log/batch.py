"""Rows of a history, by columns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from caduceus.wandb_log.arrays import Bytes, Flags, Ints, padded
from caduceus.wandb_log.segments import Row


@dataclass
class Batch:
    """Some rows of a history, by columns.

    The value of metric `names[c]` in row `r` is the JSON text `text[starts[c, r]:]` of
    `lengths[c, r]` bytes; a length of -1 says that the row has no such metric.
    """

    text: Bytes
    names: list[str]
    starts: Ints
    lengths: Ints

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.starts.shape[1])

    @property
    def steps(self) -> Ints:
        """The step of each row; 0 where it has none."""
        if "_step" not in self.names:
            return np.zeros(self.rows, np.int64)
        column = self.names.index("_step")
        start, length = self.starts[column], self.lengths[column]
        steps = np.zeros(self.rows, np.int64)
        for place in range(int(length.max(initial=0))):
            digit = self.text[start + np.minimum(place, length)].astype(np.int64) - ord("0")
            steps = np.where(place < length, steps * 10 + digit, steps)
        return steps

    def take(self, rows: Flags | Ints) -> "Batch":
        """Only these rows, without the columns that none of them has."""
        return Batch(self.text, self.names, self.starts[:, rows], self.lengths[:, rows])._used()

    def drop(self, names: Collection[str]) -> "Batch":
        """All but the columns `names`."""
        kept = [column for column, name in enumerate(self.names) if name not in names]
        return Batch(
            self.text, [self.names[c] for c in kept], self.starts[kept], self.lengths[kept]
        )

    def replace(self, rows: Mapping[int, Row]) -> "Batch":
        """With other rows at the places that are the keys of `rows`."""
        columns = {name: column for column, name in enumerate(self.names)}
        for row in rows.values():
            for name in row:
                columns.setdefault(name, len(columns))
        more = ((0, len(columns) - len(self.names)), (0, 0))
        starts = np.pad(self.starts, more)
        lengths = np.pad(self.lengths, more, constant_values=-1)
        lengths[:, list(rows)] = -1
        side, size = [], len(self.text)
        for place, row in rows.items():
            for name, value in row.items():
                content = value.encode(errors="replace")
                starts[columns[name], place] = size
                lengths[columns[name], place] = len(content)
                side.append(content)
                size += len(content)
        return Batch(padded(self.text, b"".join(side)), list(columns), starts, lengths)._used()

    def with_steps(self, steps: Ints) -> "Batch":
        """With these steps."""
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
        """Which rows have any of these metrics."""
        others = [name for name in self.names if name not in names]
        return np.flatnonzero(self.drop(others)._has(axis=0))

    def _has(self, axis: int) -> Flags:
        return np.asarray((self.lengths >= 0).any(axis=axis))

    def _used(self) -> "Batch":
        """Without the columns that no row has."""
        has_any = self._has(axis=1)
        return self.drop(
            {name for name, is_used in zip(self.names, has_any, strict=True) if not is_used}
        )

    def row(self, index: int) -> Row:
        """One row, as `reading` gives it."""
        return {
            name: self.value(column, index)
            for column, name in enumerate(self.names)
            if self.lengths[column, index] >= 0
        }

    def value(self, column: int, row: int) -> str:
        """The JSON text of a value."""
        start = self.starts[column, row]
        return (
            self.text[start : start + self.lengths[column, row]].tobytes().decode(errors="replace")
        )
