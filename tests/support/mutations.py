"""Broken copies of bytes and of JSON, the same ones for the same random numbers."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

_BYTES = (
    b"\x00",
    b"\xff" * 8,
    b"\x1b[2J",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"../",
    b"\xed\xa0\x80",
    b"-1",
)
_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**70, 1e308, float("nan"), float("inf"), "", "x" * 300, "..", "/abs"),
    *(
        "../../up",
        "a\x1b[2Jb",
        "a\x00b",
        "a\nb",
        "\ud800",
        [],
        {},
        [[]],
        {"a": {"b": []}},
        ["x", 1],
    ),
)
_DEEP = "[" * 100_000
_MANY_DIGITS = "9" * 5_000


def mutated_bytes(content: bytes, rng: Random) -> bytes:
    """A copy with a few places flipped, cut, doubled, replaced or filled in."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice((1, 2, 4, 30, 1000)))
        match rng.randrange(6):
            case 0 if start < len(data):
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:start] = rng.choice(_BYTES)
            case 4:
                data[start:end] = rng.choice(_BYTES)
            case _:
                del data[start:]
    return bytes(data)


def mutated_json(content: bytes, rng: Random) -> bytes:
    """A copy of a JSON file in which one value or key, anywhere, is another one."""
    value = json.loads(content)
    places: list[Callable[[Any], None]] = []
    _collect(value, places)
    if not places or rng.random() < 0.05:
        return rng.choice((_DEEP, _MANY_DIGITS, "", "null", "[]", "{}", '"text"')).encode()
    rng.choice(places)(rng.choice(_VALUES))
    text = json.dumps(value)
    return text.replace("1180591620717411303424", _MANY_DIGITS).encode()


def _collect(value: Any, places: list[Callable[[Any], None]]) -> None:
    """Add a function for each place in `value` that puts a given value there."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        places.append(lambda new, key=key: value.__setitem__(key, new))
        if isinstance(value, dict):
            places.append(lambda new, key=key: value.__setitem__(str(new), value.pop(key, None)))
        if isinstance(value[key], dict | list):
            _collect(value[key], places)
