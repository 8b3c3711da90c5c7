"""Thin curves for drawing, and pack numbers as text for the page."""

import base64
import sys
import zlib
from collections.abc import Sequence
from itertools import pairwise
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
    ends = np.linspace(0, count, max(most // 4, 1) + 1).astype(int)
    kept = {0, count - 1}
    for start, end in pairwise(ends):
        part = values[:, start:end]
        indices = (*part.argmin(axis=1), *part.argmax(axis=1), 0, end - start - 1)
        kept.update(int(start + index) for index in indices)
    return np.array(sorted(kept))


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
    return base64.b64encode(zlib.compress(in_bytes.tobytes(), 9)).decode()
