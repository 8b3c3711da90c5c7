"""The items of history and summary records, many records at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caduceus.wandb_log.arrays import Bytes, Flags, Ints, read_varint, words_of
from caduceus.wandb_log.framing import LogError
from caduceus.wandb_log.records import read_item

_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / the golden ratio, odd
_ITEM_TAG, _STEP_TAG = 0x0A, 0x12
_KEY_TAGS = (0x0A, 0x12)
_VALUE_TAG = 0x0182  # the two bytes 82 01: field 16, bytes


@dataclass
class Items:
    """Items of history or summary records, each as the record's index and four places in the text.

    `key` to `key_end` is the field or fields that name the metric, with their tags.
    """

    record: Ints
    key: Ints
    key_end: Ints
    value: Ints
    end: Ints

    def select(self, items: Flags | Ints) -> "Items":
        """Only these items."""
        return Items(*(getattr(self, name)[items] for name in self.__dataclass_fields__))


def find_items(
    text: Bytes, records: Ints, begin: Ints, end: Ints, is_history: bool
) -> tuple[Items, Flags]:
    """The items between each `begin` and `end`, and which of the records aren't plain."""
    is_odd = np.zeros(len(records), np.bool_)
    live, at = np.arange(len(records)), begin
    found: list[tuple[Ints, ...]] = []
    while len(live):
        tag = text[at]
        length, start = read_varint(text, at + 1)
        stop = start + length
        fits = (length >= 0) & (stop <= end[live])
        if is_history:
            is_over = (tag == _STEP_TAG) & fits & (stop == end[live])
            live, tag, start, stop, fits = (a[~is_over] for a in (live, tag, start, stop, fits))
        is_item = (tag == _ITEM_TAG) & fits
        is_odd[live[~is_item]] = True
        live, start, stop = live[is_item], start[is_item], stop[is_item]
        key_end = _skip_keys(text, start, stop)
        length, value = read_varint(text, key_end + 2)
        is_item = (words_of(text, "<u2")[key_end] == _VALUE_TAG) & (key_end > start)
        is_item &= (length >= 0) & (value + length == stop)
        is_odd[live[~is_item]] = True
        found.append(tuple(a[is_item] for a in (live, start, key_end, value, stop)))
        live, at = live[is_item], stop[is_item]
        more = at < end[live]
        live, at = live[more], at[more]
    items = Items(*(np.concatenate(a) for a in zip(*found, strict=True))) if found else _NO_ITEMS
    items = items.select(~is_odd[items.record])
    items.record = records[items.record]
    return items, is_odd


_NO_ITEMS = Items(*(np.zeros(0, np.int64) for _ in range(5)))


def _skip_keys(text: Bytes, start: Ints, stop: Ints) -> Ints:
    """Where the fields that name a metric end: a key, or nested keys, each shorter than 128."""
    at = start.copy()
    live = np.arange(len(start))
    while len(live):
        length = text[at[live] + 1].astype(np.int64)
        is_key = np.isin(text[at[live]], _KEY_TAGS) & (length < 128)
        is_key &= at[live] + 2 + length <= stop[live]
        live = live[is_key]
        at[live] += 2 + length[is_key]
        live = live[at[live] < stop[live]]
    return at


class Keys:
    """Gives every distinct key a small number, by the bytes of the fields that name it."""

    def __init__(self) -> None:
        self.paths: list[list[str]] = []  # of each number: the keys, from the outermost
        self._known: list[bytes] = []
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._numbers = np.zeros(0, np.int64)  # of each of these hashes

    def identify(self, text: Bytes, items: Items) -> Ints:
        """The number of each item's key."""
        if not len(items.key):
            return np.zeros(0, np.int64)
        words = list(self._read(text, items))
        hashes = (items.key_end - items.key).astype(np.uint64)
        for chosen, word in words:
            mixed = (hashes[chosen] ^ word) * _HASH
            hashes[chosen] = mixed ^ mixed >> np.uint64(32)
        self._learn(text, items, hashes)
        numbers = self._numbers[np.searchsorted(self._hashes, hashes)]
        self._verify(numbers, words, items)
        return numbers

    def _read(self, text: Bytes, items: Items) -> Iterator[tuple[Any, NDArray[np.uint64]]]:
        """The keys eight bytes at a time: which of them are that long, and the bytes as a word."""
        words = words_of(text, "<u8")
        length = items.key_end - items.key
        for offset in range(0, int(length.max()), 8):
            chosen = np.flatnonzero(length > offset) if offset else slice(None)
            left = np.minimum(length[chosen] - offset, 8)
            yield chosen, words[items.key[chosen] + offset] & _MASKS[left]

    def _learn(self, text: Bytes, items: Items, hashes: NDArray[np.uint64]) -> None:
        if len(self._hashes):
            place = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
            unknown = np.flatnonzero(self._hashes[place] != hashes)
        else:
            unknown = np.arange(len(hashes))
        if not len(unknown):
            return
        fresh, first = np.unique(hashes[unknown], return_index=True)
        for item in unknown[first]:
            key = text[items.key[item] : items.key_end[item]].tobytes()
            self._known.append(key)
            self.paths.append(read_item(key)[0])
        numbers = np.arange(len(self._known) - len(fresh), len(self._known))
        every = np.concatenate([self._hashes, fresh])
        order = np.argsort(every)
        self._hashes = every[order]
        self._numbers = np.concatenate([self._numbers, numbers])[order]

    def _verify(self, numbers: Ints, words: list[tuple[Any, Any]], items: Items) -> None:
        """Compare every key with the one its hash stands for: two could have the same."""
        lengths = np.array([len(key) for key in self._known])
        same = (lengths[numbers] == items.key_end - items.key).all()
        for index, (chosen, word) in enumerate(words):
            parts = [key[8 * index : 8 * index + 8].ljust(8, b"\0") for key in self._known]
            expected = np.frombuffer(b"".join(parts), "<u8")
            same &= (expected[numbers[chosen]] == word).all()
        if not same:
            raise LogError("two metrics can't be told apart; rename one")


_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # of the first n bytes


def last_values(text: Bytes, keys: Keys, items: Items) -> list[tuple[int, list[str], str]]:
    """The last value of each summary key: the record's index, the key and the JSON text.

    Earlier ones needn't be read, as each is overwritten.
    """
    numbers = keys.identify(text, items)
    last = np.full(len(keys.paths), -1)
    np.maximum.at(last, numbers, items.record)
    chosen = np.flatnonzero(items.record == last[numbers])
    return [
        (
            int(items.record[item]),
            keys.paths[numbers[item]],
            text[items.value[item] : items.end[item]].tobytes().decode(errors="replace"),
        )
        for item in chosen[np.argsort(items.record[chosen], kind="stable")]
    ]
