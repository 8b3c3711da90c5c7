"""Find the items (metric and value) of history and summary records with numpy.

A record's content is a sequence of items, and a history record has its step as a last field:

    content  = item* [step]
    item     = 0A, varint length, key+, value             field 1 of the record
    key      = 0A or 12, varint length, text              `key` or `nested_key`
    value    = 82 01, varint length, JSON text            `value_json`
    step     = 12, varint length, ...                     field 2 of a history record

Like `blocks`, this goes in rounds: round n finds the n-th item of every record at once. A record
that deviates from this form in anything is reported as odd, for `records` to read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caduceus.wandb_log.arrays import Bytes, Flags, Ints, read_varint, words_of
from caduceus.wandb_log.framing import LogError
from caduceus.wandb_log.records import read_item

# 2^64 / the golden ratio, made odd: Fibonacci hashing (Knuth 1998, The Art of Computer
# Programming 3, 6.4), with which equal prefixes spread over all 64 bits.
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_ITEM_TAG, _STEP_TAG = 0x0A, 0x12
_KEY_TAGS = (0x0A, 0x12)
_BRACE = ord("{")
_VALUE_TAG = 0x0182  # the bytes 82 01 (field 16, length-delimited), read as little-endian


@dataclass
class Items:
    """Items of history or summary records, as positions in the text; each an array (items,).

    Attributes:
        record: the index of the item's record.
        key: where the fields start that name the metric; their tags are included.
        key_end: where they end.
        value: where the JSON text starts.
        end: where it ends, and the item with it.
    """

    record: Ints
    key: Ints
    key_end: Ints
    value: Ints
    end: Ints

    def select(self, items: Flags | Ints) -> "Items":
        """Return these items only."""
        return Items(*(getattr(self, name)[items] for name in self.__dataclass_fields__))


def find_items(
    text: Bytes, records: Ints, begin: Ints, end: Ints, is_history: bool
) -> tuple[Items, Flags]:
    """Return the items of records, and which of the records are odd.

    Args:
        text: holds the records.
        records: their indices, (n,), from which `Items.record` is filled.
        begin: where the content of each record starts, (n,).
        end: where it ends, (n,).
        is_history: whether they are history records, which end with their step.

    Returns:
        The items of all records that aren't odd, and a flag for each record, (n,), that it is odd.
    """
    is_odd = np.zeros(len(records), np.bool_)
    live, at = np.arange(len(records)), begin  # the records with more items, and the next item
    found: list[tuple[Ints, ...]] = []
    while len(live):
        tag = text[at]
        length, start = read_varint(text, at + 1)
        stop = start + length
        fits = (length >= 0) & (stop <= end[live])
        if is_history:
            # The step is also the item `_step`, from which it is taken; as a last field it is
            # skipped, and anywhere else it makes the record odd.
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
        if is_history:  # a dictionary as one value, which `records.read_row` splits
            is_odd[live[is_item & (text[value] == _BRACE)]] = True
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
    """Return where the fields end that name a metric: one `key`, or several `nested_key`.

    A key of 128 bytes or more ends the search, which makes the record odd: its length takes two
    bytes, and such names are rare.
    """
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
    """Number the distinct keys of a log: 0, 1, 2, ... in the order in which they are first seen.

    Millions of items share a few keys. Making a Python string of each item would cost more than
    all other steps together, so keys are compared by a 64-bit hash that numpy computes; then every
    key is compared byte by byte with the one that its hash stands for (`_verify`).
    """

    def __init__(self) -> None:
        self.paths: list[list[str]] = []  # by number: the nested keys, from the outermost
        self._known: list[bytes] = []  # by number: the bytes of the fields that name the metric
        self._hashes = np.zeros(0, np.uint64)  # of the known keys, sorted for `searchsorted`
        self._numbers = np.zeros(0, np.int64)  # the number of the key with each of these hashes

    def identify(self, text: Bytes, items: Items) -> Ints:
        """Return the number of each item's key, (items,).

        Raises:
            LogError: two keys have the same hash.
        """
        if not len(items.key):
            return np.zeros(0, np.int64)
        words = list(self._key_words(text, items))
        hashes = (items.key_end - items.key).astype(np.uint64)
        for chosen, word in words:
            mixed = (hashes[chosen] ^ word) * _HASH_FACTOR
            # A multiplication carries upwards only: fold the well mixed high half into the low.
            hashes[chosen] = mixed ^ mixed >> np.uint64(32)
        self._learn(text, items, hashes)
        numbers = self._numbers[np.searchsorted(self._hashes, hashes)]
        self._verify(numbers, words, items)
        return numbers

    def _key_words(self, text: Bytes, items: Items) -> Iterator[tuple[Any, NDArray[np.uint64]]]:
        """Yield bytes 0 to 7 of all keys, then bytes 8 to 15, and so on to the end of the longest.

        Each time the keys that are long enough, as an index into the items, and these bytes as one
        number per key, with zeros after a key's end.
        """
        words = words_of(text, "<u8")
        length = items.key_end - items.key
        for offset in range(0, int(length.max()), 8):
            chosen = np.flatnonzero(length > offset) if offset else slice(None)
            left = np.minimum(length[chosen] - offset, 8)
            yield chosen, words[items.key[chosen] + offset] & _MASKS[left]

    def _learn(self, text: Bytes, items: Items, hashes: NDArray[np.uint64]) -> None:
        """Number the keys of which the hash isn't known."""
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
        """Compare every key with the known key of its number: two could have one hash.

        Raises:
            LogError: two keys have the same hash. For 1,000 keys the probability is about 3e-14.
        """
        lengths = np.array([len(key) for key in self._known])
        same = (lengths[numbers] == items.key_end - items.key).all()
        for index, (chosen, word) in enumerate(words):
            parts = [key[8 * index : 8 * index + 8].ljust(8, b"\0") for key in self._known]
            expected = np.frombuffer(b"".join(parts), "<u8")
            same &= (expected[numbers[chosen]] == word).all()
        if not same:
            raise LogError("the names of two metrics have the same hash; rename one of them")


_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # keeps the first n bytes


def last_values(text: Bytes, keys: Keys, items: Items) -> list[tuple[int, list[str], str]]:
    """Return the last value of each summary key: the record's index, the keys, the JSON text.

    wandb writes a summary value whenever a row changes it. Each overwrites the one before, so only
    the last has to be parsed.
    """
    numbers = keys.identify(text, items)
    last = np.full(len(keys.paths), -1)  # by key: the last record that has it
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
