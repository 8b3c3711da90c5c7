"""The frame of a log, many chunks at a time; see `framing` for what it looks like.

A stretch of the log is a whole number of blocks, in which chunks never straddle. The n-th chunks of
all its blocks are found at once, so that the number of Python operations depends on the chunks of
the fullest block, not on how many there are.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caduceus.wandb_log.arrays import Bytes, Ints, padded, words_of
from caduceus.wandb_log.framing import BLOCK, FIRST, FULL, LAST, RECORD_LIMIT
from caduceus.wandb_log.segments import Segment


@dataclass
class Records:
    """Whole records in the order of the log: `text[starts[i]:ends[i]]`."""

    text: Bytes  # padded
    starts: Ints
    ends: Ints


class Chunks:
    """Cuts stretches of a log into records; a record may begin in one and end in another."""

    def __init__(self, segment: Segment):
        self._damage = segment.damage
        self._parts: list[bytes] = []  # of a record that has begun
        self._length = 0  # of these parts, bytes
        self._is_inside = False

    def finish(self) -> None:
        """Nothing more will come: a record that has begun is lost."""
        self._damage.is_cut_off = self._is_inside or bool(self._parts)

    def read(self, data: bytes, begin: int) -> Records:
        """The records that end in `data`, which begins with a block, at its byte `begin`."""
        text = padded(data)
        starts, ends, kinds = self._find(data, text, begin)
        full = np.flatnonzero(kinds == FULL)
        joined = self._join(data, starts, ends, kinds)
        if not joined:
            return Records(text, starts[full], ends[full])
        # The records that were joined lie behind the others in the text, but keep their place.
        side = b"".join(record for _, record in joined)
        side_ends = len(data) + np.cumsum([len(record) for _, record in joined])
        side_starts = side_ends - [len(record) for _, record in joined]
        place = np.concatenate([full, [index for index, _ in joined]])
        order = np.argsort(place, kind="stable")
        return Records(
            padded(data, side),
            np.concatenate([starts[full], side_starts])[order].astype(np.int64),
            np.concatenate([ends[full], side_ends])[order].astype(np.int64),
        )

    def _find(self, data: bytes, text: Bytes, begin: int) -> tuple[Ints, Ints, Ints]:
        """Start, end and kind of every sound chunk's payload; kind 0 where a block is corrupt."""
        size = len(data)
        words = words_of(text, "<u8")
        block_ends = np.arange(BLOCK, size + BLOCK, BLOCK)
        at = block_ends - BLOCK
        at[0] = begin
        live = np.arange(len(at))
        found: list[NDArray[Any]] = []
        broken = np.full(len(at), size + BLOCK)  # where each block stops being sound
        self._is_inside = False
        while len(live):
            position = at[live]
            has_room = position + 7 <= block_ends[live]
            if position[-1] + 7 > size and has_room[-1]:  # only the last block can be unfinished
                self._is_inside = bool(position[-1] < size)
                has_room[-1] = False
            live, position = live[has_room], position[has_room]
            if not len(live):
                break
            header = words[position]
            length = (header >> np.uint64(32)).astype(np.int64) & 0xFFFF
            kind = (header >> np.uint64(48)).astype(np.int64) & 0xFF
            checksum = (header & np.uint64(0xFFFFFFFF)).astype(np.int64)
            end = position + 7 + length
            is_sound = (end <= block_ends[live]) & (kind >= FULL) & (kind <= LAST)
            if size < end[-1] <= block_ends[live[-1]]:
                self._is_inside = True
                is_sound[-1] = False
            elif not is_sound[-1]:
                broken[live[-1]] = position[-1]
            broken[live[:-1][~is_sound[:-1]]] = position[:-1][~is_sound[:-1]]
            live, end = live[is_sound], end[is_sound]
            found.append(
                np.stack([position[is_sound] + 7, end, kind[is_sound], checksum[is_sound]])
            )
            at[live] = end
        starts, ends, kinds, checksums = (
            np.concatenate(found, axis=1) if found else np.zeros((4, 0), np.int64)
        )
        order = np.argsort(starts)
        starts, ends, kinds, checksums = (
            starts[order],
            ends[order],
            kinds[order],
            checksums[order],
        )
        computed = [
            zlib.crc32(data[start:end])
            for start, end in zip((starts - 1).tolist(), ends.tolist(), strict=True)
        ]
        wrong = np.flatnonzero(np.array(computed, np.int64) != checksums)
        np.minimum.at(broken, starts[wrong] // BLOCK, starts[wrong] - 7)
        corrupt = np.flatnonzero(broken < size)
        if len(corrupt):
            self._damage.corrupt_blocks += len(corrupt)
            if broken[-1] < size:
                self._is_inside = False
            kept = starts - 7 < broken[starts // BLOCK]
            starts = np.concatenate([starts[kept], broken[corrupt]])
            ends = np.concatenate([ends[kept], broken[corrupt]])
            kinds = np.concatenate([kinds[kept], np.zeros(len(corrupt), np.int64)])
            order = np.argsort(starts, kind="stable")
            starts, ends, kinds = starts[order], ends[order], kinds[order]
        return starts, ends, kinds

    def _join(self, data: bytes, starts: Ints, ends: Ints, kinds: Ints) -> list[tuple[int, bytes]]:
        """The records of several chunks, each with the index of its last chunk."""
        joined = []
        previous = -1  # index of the chunk before
        for index in np.flatnonzero(kinds != FULL).tolist():
            if index != previous + 1:
                self._parts = []
            previous = index
            kind, part = kinds[index], data[starts[index] : ends[index]]
            if kind == 0:
                self._parts = []
            elif kind == FIRST:
                self._parts, self._length = [part], len(part)
            elif self._parts:
                self._parts.append(part)
                self._length += len(part)
                if self._length > RECORD_LIMIT:
                    self._damage.unreadable_records += 1
                    self._parts = []
                elif kind == LAST:
                    joined.append((index, b"".join(self._parts)))
                    self._parts = []
        if len(kinds) and previous != len(kinds) - 1:
            self._parts = []
        return joined
