"""Thin curves for drawing, and pack data as text for the page."""

import base64
import json
import sys
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caduceus.statistics.samples import Array


def thin(values: Array, most: int) -> NDArray[np.intp]:
    """Return the indices of `values` (series, n) that a picture needs, in order.

    In each of `most` // 4 intervals, keep the first and last index and those of each series' least
    and greatest value, so that no peak is lost: M4 (Jugel et al. 2014).

    Args:
        values: finite.
        most: indices to keep of a single series; if n is at most that, all are kept.
    """
    count = values.shape[1]
    if count <= most:
        return np.arange(count)
    intervals = _intervals(count, most)
    parts = values[:, intervals]
    rows = np.arange(len(intervals))
    is_kept = np.zeros(count, np.bool_)
    is_kept[intervals[:, 0]] = is_kept[intervals[:, -1]] = True
    for extreme in (parts.argmin(axis=2), parts.argmax(axis=2)):
        is_kept[intervals[rows, extreme]] = True
    return np.flatnonzero(is_kept)


@lru_cache(maxsize=64)
def _intervals(count: int, most: int) -> NDArray[np.intp]:
    """Return the indices of each interval; in shorter ones the last index is repeated."""
    ends = np.linspace(0, count, max(most // 4, 1) + 1).astype(int)
    starts, stops = ends[:-1, None], ends[1:, None]
    indices: NDArray[np.intp] = np.minimum(starts + np.arange((stops - starts).max()), stops - 1)
    return indices


def pack(arrays: Sequence[Array], kind: type[Any]) -> str:
    """Concatenate `arrays`, convert to `kind`, compress by zlib and encode in base64.

    The bytes are transposed before compression: the first byte of all numbers, then the second
    ones, and so on, little-endian. Neighbours of a curve share their high bytes, so that these
    compress better.
    """
    joined = np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.empty(0)
    numbers = joined.astype(kind)
    if sys.byteorder == "big":
        numbers = numbers.byteswap()
    in_bytes = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T
    return base64.b64encode(zlib.compress(in_bytes.tobytes(), 6)).decode()


def column_json(values: Sequence[Any]) -> str:
    """Return the values of a column as JSON, in which no text can close a script element.

    It has `values`, or, where values are repeated, `distinct` values and the `codes` that tell
    which of them each value is. The text isn't compressed, so that secrets are found in it.
    """
    texts = [inert_json(value) for value in values]
    code_of = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    if 2 * len(code_of) > len(texts):
        return f'{{"values":[{",".join(texts)}]}}'
    codes = ",".join(str(code_of[text]) for text in texts)
    return f'{{"distinct":[{",".join(code_of)}],"codes":[{codes}]}}'


def inert_json(value: Any) -> str:
    """Return JSON in which no text can close the script element around it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
