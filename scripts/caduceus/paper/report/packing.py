"""Curves as a page holds them: thinned for drawing, and packed as text."""

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
    """The places of `values` (series, n) that a picture needs, in order.

    Of each of `most` // 4 stretches the first and the last place and, of each series, those of the
    least and the greatest value, so that no peak is lost: M4 (Jugel et al. 2014).

    Args:
        values: finite.
        most: places of a single series; all are kept if n isn't more.
    """
    count = values.shape[1]
    if count <= most:
        return np.arange(count)
    ends = np.linspace(0, count, max(most // 4, 1) + 1).astype(int)
    kept = {0, count - 1}
    for start, end in pairwise(ends):
        stretch = values[:, start:end]
        places = (*stretch.argmin(axis=1), *stretch.argmax(axis=1), 0, end - start - 1)
        kept.update(int(start + place) for place in places)
    return np.array(sorted(kept))


def pack(arrays: Sequence[Array], kind: type[Any]) -> str:
    """All numbers of `arrays` one after the other, as `kind`, compressed, in base64.

    The first bytes of all numbers come first, then the second ones, and so on, little-endian:
    neighbours of a curve differ in the last bytes alone, so that it compresses better.
    """
    joined = np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.empty(0)
    numbers = joined.astype(kind)
    if sys.byteorder == "big":
        numbers = numbers.byteswap()
    in_bytes = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T
    return base64.b64encode(zlib.compress(in_bytes.tobytes(), 9)).decode()
