"""The history of a run as CSV, from batches of rows: most cells are copied without parsing.

The JSON text in the log is nearly the canonical cell already (`io.cells`): W&B writes the shortest
digits that read back as the same number, and only a few forms differ. Those are recognised by their
first or last bytes and rendered one by one; all others are copied as bytes. Whether 16 or 17 digits
are the shortest would take half of the export's time to find out for each number, so some of each
metric tell, as a program writes all values of a metric alike. The columns are known only after the
last row, so the cells are kept in memory, or on disk if they are many.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caduceus.exports.history_columns import COMPARED, TIME_COLUMNS, column_order
from caduceus.io.cells import cell, csv_line, quoted
from caduceus.wandb_log.batch import Batch

_IN_MEMORY = 1 << 26  # bytes of cells; more are kept on disk
_CELLS_AT_ONCE = 1 << 20  # cells that are joined to lines at a time
_COMMA, _NEWLINE, _QUOTE, _DOT, _ZERO = (ord(sign) for sign in ',\n".0')
_ALWAYS_SHORTEST = 16  # characters of a float, at most 15 of them digits
_LONGEST = 24  # characters of any float in its shortest form
_SAMPLE = 32  # numbers of a column
# A cell of these bytes only is a number or a word such as `true`, which needs no quotes.
_PLAIN = np.zeros(256, np.bool_)
_PLAIN[[ord(c) for c in "0123456789+-.abcdefghijklmnopqrstuvwxyzINT"]] = True


class HistoryTable:
    """Rows of a history, in canonical cells, until all columns are known.

    Args:
        folder: takes the cells that don't fit into memory.
    """

    def __init__(self, folder: Path):
        self._spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115  # closed by __exit__
        self._parts: list[tuple[list[str], int, int, int]] = []  # names, rows, place, bytes
        self.rows = 0
        self.sha256 = ""  # that tells equal rows, once the table is written

    def __enter__(self) -> "HistoryTable":
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def add(self, batch: Batch) -> None:
        """Append rows."""
        order = sorted(range(len(batch.names)), key=lambda c: column_order(batch.names[c]))
        lengths, cells = _render(batch.text, batch.starts[order].T, batch.lengths[order].T)
        names = [batch.names[column] for column in order]
        self._parts.append((names, batch.rows, self._spool.tell(), len(cells)))
        self._spool.write(lengths.astype("<i4").tobytes())
        self._spool.write(cells.tobytes())
        self.rows += batch.rows

    @property
    def columns(self) -> list[str]:
        """Every column of the table; `_step` and the time columns are always there."""
        names = {"_step", *TIME_COLUMNS}.union(*(names for names, *_ in self._parts))
        return sorted(names, key=column_order)

    def write_csv(self, path: Path) -> None:
        """Write the table to a file that is replaced as a whole."""
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as stream:
                kept = dict.fromkeys(tuple(of(self.columns)) for of in COMPARED)
                digests = [_RowsDigest(self.columns, [*columns]) for columns in kept]
                stream.write(_encoded(self.columns))
                for lines, ends in self._lines():
                    stream.write(lines.data)
                    for digest in digests:
                        digest.update(lines, ends)
                self.sha256 = next((d for d in digests if d.has_fraction), digests[-1]).hexdigest()
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _lines(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Yield the bytes of some lines, and the ends of their cells there (rows, columns)."""
        columns = self.columns
        place_of = {name: place for place, name in enumerate(columns)}
        for names, rows, place, size in self._parts:
            self._spool.seek(place)
            count = rows * len(names)
            known = np.frombuffer(self._spool.read(4 * count), "<i4").reshape(rows, len(names))
            cells = np.frombuffer(self._spool.read(size), np.uint8)
            places = [place_of[name] for name in names]
            step = max(1, _CELLS_AT_ONCE // len(columns))
            done = 0
            for first in range(0, rows, step):
                lengths = known[first : first + step]
                bytes_here = int(lengths.sum())
                yield _join(lengths, places, len(columns), cells[done : done + bytes_here])
                done += bytes_here


def _join(
    known: NDArray[np.int32], places: list[int], width: int, cells: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of CSV lines, and where each cell ends (rows, width).

    Args:
        known: the lengths of the cells (rows, len(places)).
        places: the columns of these cells; all other cells are empty.
        width: the number of columns.
        cells: the bytes of the cells, row by row.
    """
    lengths = np.zeros((len(known), width), np.int64)
    lengths[:, places] = known
    ends = np.cumsum(lengths.ravel() + 1) - 1
    lines = np.empty(ends[-1] + 1, np.uint8)
    is_cell = np.ones(len(lines), np.bool_)
    is_cell[ends] = False
    lines[is_cell] = cells
    lines[ends] = _COMMA
    lines[ends[width - 1 :: width]] = _NEWLINE
    return lines, ends.reshape(-1, width)


class _RowsDigest:
    """The sha256 of some columns of a table.

    Attributes:
        has_fraction: whether a cell has a decimal point.
    """

    def __init__(self, columns: list[str], kept: list[str]):
        self._is_kept = np.isin(columns, kept)
        self._sha256 = hashlib.sha256(_encoded(kept))
        self.has_fraction = False

    def update(self, lines: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        """Add lines.

        Args:
            lines: their bytes.
            ends: where each of their cells ends (rows, columns).
        """
        lengths = np.diff(ends.ravel(), prepend=-1).reshape(ends.shape)
        kept = lines[np.repeat(np.tile(self._is_kept, len(ends)), lengths.ravel())]
        kept[np.cumsum(lengths[:, self._is_kept].sum(axis=1)) - 1] = _NEWLINE
        self.has_fraction |= bool(np.any(kept == _DOT))
        self._sha256.update(kept.data)

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def _encoded(columns: list[str]) -> bytes:
    return csv_line(columns).encode(errors="replace")


def _render(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the canonical cells of values: their lengths, and their bytes row by row.

    Args:
        text: the bytes of the log.
        starts: the place of each value in `text` (rows, columns).
        lengths: the length of each value (rows, columns); negative where there is none.
    """
    shape = starts.shape
    is_there = (lengths >= 0).ravel()
    start, length = starts.ravel()[is_there], lengths.ravel()[is_there]
    is_special, exponent = _special(text, start, length)
    is_special |= _has_needless_digits(text, starts, lengths).ravel()[is_there]
    length -= 4 * (exponent > 0)
    cells = _gather(text, start, length)
    ends = np.cumsum(length)
    odd = np.flatnonzero(~_PLAIN[cells])
    if len(odd):
        is_special[np.unique(np.searchsorted(ends, odd, side="right"))] = True
    _move_points(cells, ends - length, text[start] == ord("-"), exponent * ~is_special)
    special = np.flatnonzero(is_special)
    if len(special):
        length[exponent > 0] += 4
        start, length, text = _render_each(text, start, length, special)
        length[(exponent > 0) & ~is_special] -= 4
        plain_cells, plain = cells, ~is_special
        cells = np.empty(length.sum(), np.uint8)
        is_plain_byte = np.repeat(plain, length)
        before = np.repeat(plain, np.diff(ends, prepend=0))
        cells[is_plain_byte] = plain_cells[before]
        cells[~is_plain_byte] = _gather(text, start[special], length[special])
    result = np.zeros(is_there.shape, np.int64)
    result[is_there] = length
    return result.reshape(shape), cells


def _gather(
    text: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return slices of `text`, concatenated."""
    ends = np.cumsum(length)
    source = np.repeat(start - ends + length, length)
    source += np.arange(len(source))
    return text[source]


def _has_needless_digits(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which values may have more digits than tell their number from all others.

    Up to 15 digits always tell. Of each column's longer numbers some decide for all.
    """
    found = (lengths > _ALWAYS_SHORTEST) & (lengths <= _LONGEST)
    for column in np.flatnonzero(found.any(axis=0)).tolist():
        rows = np.flatnonzero(found[:, column])[:_SAMPLE]
        values = zip(starts[rows, column].tolist(), lengths[rows, column].tolist(), strict=True)
        found[:, column] &= not all(_is_shortest(text[at : at + n].tobytes()) for at, n in values)
    return found


def _is_shortest(logged: bytes) -> bool:
    """Whether a number has no more digits than its float needs; true of all other values."""
    if not (logged[:1].isdigit() or logged[:1] == b"-") or not re.search(b"[.eE]", logged):
        return True
    try:
        value = float(logged)
    except ValueError:
        return True
    return _digits(repr(value)) == _digits(logged.decode())


def _digits(number: str) -> str:
    return re.split("[eE]", number)[0].replace(".", "").lstrip("-").strip("0")


def _special(
    text: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which numbers must be rendered one by one, and how far the point of others moves.

    W&B writes 1.7000000001e+09 where the canonical form is 1700000000.1: with digits left after the
    point, as in the timestamps of all rows, moving it is enough. Each test looks at a fixed number
    of bytes from the start or the end of a value, for all values at once.
    """
    end = start + length
    pairs = np.ndarray((len(text) - 1,), "<u2", buffer=text, strides=(1,))
    is_negative = text[start] == ord("-")
    first = start + is_negative
    sign, mark = text[end - 3], text[end - 4]
    has_exponent = (mark == ord("e")) & (sign == ord("+")) & (length > 4)
    value = (text[end - 2].astype(np.int64) - 48) * 10 + text[end - 1] - 48
    exponent = np.where(has_exponent & (value >= 0) & (value < 16), value, 0)
    digits_left = end - 4 - first - 2 - exponent
    moves = (exponent > 0) & (text[first + 1] == _DOT) & (digits_left > 0)
    special = (exponent > 0) & ~moves
    special |= (length == 2) & (pairs[start] == _pair("-0"))
    special |= is_negative & ~_is_digit(text[first])
    special |= (length > 2) & ((sign == ord("e")) | (text[end - 2] == ord("e")))
    with_mark = (length > 4) & (mark == ord("e"))
    special |= with_mark & (_is_digit(sign) | ((sign == ord("+")) & (value == 0)))
    special |= with_mark & (sign == ord("-")) & (value < 5)
    # Digits before such an exponent are canonical as 1, 1.5 and the like.
    second = text[first + 1]
    special |= with_mark & ((text[first] == _ZERO) | ((second != _DOT) & (second != ord("e"))))
    special |= with_mark & ((text[end - 5] == _ZERO) | (text[end - 5] == _DOT))
    for place in (5, 6):  # exponents of more digits
        special |= (length > place) & (text[end - place] == ord("e"))
    special |= (text[first] == _ZERO) & (length > 1) & _is_digit(second)
    special |= text[end - 1] == _DOT
    special |= _ends_with_needless_zero(text, start, length) & ~with_mark
    special |= length > _LONGEST
    words = np.ndarray((len(text) - 7,), "<u8", buffer=text, strides=(1,))
    special |= (length > 6) & ((words[first] ^ _SMALL) & _SIX_BYTES == 0)
    return special, exponent * (moves & ~special)


def _is_digit(sign: NDArray[np.uint8]) -> NDArray[np.bool_]:
    is_digit: NDArray[np.bool_] = (sign >= _ZERO) & (sign <= ord("9"))
    return is_digit


def _ends_with_needless_zero(
    text: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which values end with a zero and have a point, as 1.50 but also 1.5e-10."""
    found: NDArray[np.bool_] = (text[start + length - 1] == _ZERO) & (length > 2)
    places = np.flatnonzero(found)
    if len(places):
        cells = _gather(text, start[places], length[places])
        begins = np.cumsum(length[places]) - length[places]
        found[places] = np.logical_or.reduceat(cells == _DOT, begins)
    return found


def _pair(signs: str) -> int:
    return int.from_bytes(signs.encode(), "little")


_SMALL, _SIX_BYTES = np.uint64(_pair("0.0000")), np.uint64((1 << 48) - 1)


def _move_points(
    cells: NDArray[np.uint8],
    start: NDArray[np.int64],
    is_negative: NDArray[np.bool_],
    exponent: NDArray[np.int64],
) -> None:
    """Move the decimal point of each number right by its exponent, in place."""
    for places in np.unique(exponent[exponent > 0]).tolist():
        chosen = exponent == places
        point = (start + is_negative)[chosen] + 1
        for offset in range(places):
            cells[point + offset] = cells[point + offset + 1]
        cells[point + places] = _DOT


def _render_each(
    text: NDArray[np.uint8],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    special: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Render the special values and append them to the text; return the new start, length, text."""
    known: dict[bytes, bytes] = {}  # many values occur often
    side: list[bytes] = []
    data = text.tobytes()
    place = len(data)
    for index in special.tolist():
        logged = data[start[index] : start[index] + length[index]]
        rendered = known.get(logged)
        if rendered is None:
            rendered = known[logged] = quoted(cell(logged.decode(errors="replace"))).encode(
                errors="replace"
            )
        start[index], length[index] = place, len(rendered)
        side.append(rendered)
        place += len(rendered)
    return start, length, np.frombuffer(data + b"".join(side), np.uint8)
