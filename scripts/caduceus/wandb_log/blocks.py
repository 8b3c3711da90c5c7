"""Split a log into records with numpy; `framing` describes the format, and does it one by one.

The log is read a whole number of blocks at a time. Since no chunk crosses the end of a block, the
blocks are independent: round n finds the n-th chunk of every block at once. So the number of numpy
calls is the number of chunks in the fullest block, however many blocks there are.
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
    """Complete records, in the order of the log: record i is `text[starts[i]:ends[i]]`."""

    text: Bytes  # with `arrays.padded`
    starts: Ints
    ends: Ints


class RecordSplitter:
    """Split consecutive pieces of a log into records; a record may span several pieces.

    Args:
        segment: its `damage` counts what can't be read.
    """

    def __init__(self, segment: Segment):
        self._damage = segment.damage
        self._parts: list[bytes] = []  # payloads of a record that isn't complete yet
        self._length = 0  # their length together, in bytes
        self._is_inside = False  # whether the log ends inside a chunk, as far as it was read

    def finish(self) -> None:
        """Note that the log has no more data, so that an incomplete record is lost."""
        self._damage.is_cut_off = self._is_inside or bool(self._parts)

    def read(self, data: bytes, begin: int) -> Records:
        """Return the records that end in the next piece of the log.

        Args:
            data: whole blocks; only the last block of the log may be shorter.
            begin: where in `data` the first chunk is: behind the log's header in the first piece,
                else 0.
        """
        text = padded(data)
        starts, ends, kinds = self._find(data, text, begin)
        full = np.flatnonzero(kinds == FULL)
        joined = self._join(data, starts, ends, kinds)
        if not joined:
            return Records(text, starts[full], ends[full])
        # A record of several chunks isn't contiguous in `data`: it is appended behind. Records
        # are then sorted by the index of their last chunk, which is the order of the log.
        appended = b"".join(record for _, record in joined)
        appended_ends = len(data) + np.cumsum([len(record) for _, record in joined])
        appended_starts = appended_ends - [len(record) for _, record in joined]
        last_chunk = np.concatenate([full, [index for index, _ in joined]])
        order = np.argsort(last_chunk, kind="stable")
        return Records(
            padded(data, appended),
            np.concatenate([starts[full], appended_starts])[order].astype(np.int64),
            np.concatenate([ends[full], appended_ends])[order].astype(np.int64),
        )

    def _find(self, data: bytes, text: Bytes, begin: int) -> tuple[Ints, Ints, Ints]:
        """Return start, end and kind of the payload of each intact chunk, in the order of the log.

        A corrupt block gives its chunks up to the first corrupt one. In place of that one and of
        the rest of the block stands an empty entry of kind 0.
        """
        size = len(data)
        words = words_of(text, "<u8")
        block_ends = np.arange(BLOCK, size + BLOCK, BLOCK)
        at = block_ends - BLOCK  # where the next chunk of each block starts
        at[0] = begin
        live = np.arange(len(at))  # the blocks that have more chunks
        found: list[NDArray[Any]] = []
        # Where the first corrupt chunk of each block starts; beyond the data in an intact block.
        broken = np.full(len(at), size + BLOCK)
        self._is_inside = False
        while len(live):
            position = at[live]
            # Fewer bytes than a chunk's header has are padding at the end of a block.
            has_room = position + 7 <= block_ends[live]
            if position[-1] + 7 > size and has_room[-1]:  # only the last block can be incomplete
                self._is_inside = bool(position[-1] < size)
                has_room[-1] = False
            live, position = live[has_room], position[has_room]
            if not len(live):
                break
            # The 7 bytes of a chunk's header (checksum, length, kind) in one load of 8.
            header = words[position]
            length = (header >> np.uint64(32)).astype(np.int64) & 0xFFFF
            kind = (header >> np.uint64(48)).astype(np.int64) & 0xFF
            checksum = (header & np.uint64(0xFFFFFFFF)).astype(np.int64)
            end = position + 7 + length
            is_intact = (end <= block_ends[live]) & (kind >= FULL) & (kind <= LAST)
            # A last chunk that ends after the data isn't corrupt: it isn't written whole yet.
            if size < end[-1] <= block_ends[live[-1]]:
                self._is_inside = True
                is_intact[-1] = False
            elif not is_intact[-1]:
                broken[live[-1]] = position[-1]
            broken[live[:-1][~is_intact[:-1]]] = position[:-1][~is_intact[:-1]]
            live, end = live[is_intact], end[is_intact]
            found.append(
                np.stack([position[is_intact] + 7, end, kind[is_intact], checksum[is_intact]])
            )
            at[live] = end
        starts, ends, kinds, checksums = (
            np.concatenate(found, axis=1) if found else np.zeros((4, 0), np.int64)
        )
        order = np.argsort(starts)  # from rounds to the order of the log
        starts, ends, kinds, checksums = (
            starts[order],
            ends[order],
            kinds[order],
            checksums[order],
        )
        # A checksum covers the kind (the byte before the payload) and the payload. This is the one
        # loop over chunks: numpy has no CRC, and zlib computes it in C.
        computed = [
            zlib.crc32(data[start:end])
            for start, end in zip((starts - 1).tolist(), ends.tolist(), strict=True)
        ]
        wrong = np.flatnonzero(np.array(computed, np.int64) != checksums)
        # `minimum.at`, as several chunks of one block may be wrong: the first one counts.
        np.minimum.at(broken, starts[wrong] // BLOCK, starts[wrong] - 7)
        corrupt = np.flatnonzero(broken < size)
        if len(corrupt):
            self._damage.corrupt_blocks += len(corrupt)
            if broken[-1] < size:  # then the log ends in a corrupt block, not inside a chunk
                self._is_inside = False
            kept = starts - 7 < broken[starts // BLOCK]
            starts = np.concatenate([starts[kept], broken[corrupt]])
            ends = np.concatenate([ends[kept], broken[corrupt]])
            kinds = np.concatenate([kinds[kept], np.zeros(len(corrupt), np.int64)])
            order = np.argsort(starts, kind="stable")
            starts, ends, kinds = starts[order], ends[order], kinds[order]
        return starts, ends, kinds

    def _join(self, data: bytes, starts: Ints, ends: Ints, kinds: Ints) -> list[tuple[int, bytes]]:
        """Return each record of several chunks that ends here, with the index of its last chunk.

        Follows the same rules as `framing.RecordReader`. Only chunks that are a part of a record
        are visited: as a rule one record per block, the one that crosses its end.
        """
        joined = []
        previous = -1  # index of the last chunk that was visited
        for index in np.flatnonzero(kinds != FULL).tolist():
            if index != previous + 1:  # a full record stands between, so the rest is missing
                self._parts = []
            previous = index
            kind, part = kinds[index], data[starts[index] : ends[index]]
            if kind == 0:  # the corrupt rest of a block
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
        if len(kinds) and previous != len(kinds) - 1:  # a full record is the last one here
            self._parts = []
        return joined
