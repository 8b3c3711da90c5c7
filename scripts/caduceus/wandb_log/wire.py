"""Read and write Protocol Buffers: https://protobuf.dev/programming-guides/encoding.

Covers the parts that W&B's log uses. With a decoder of its own the reader needn't import wandb,
which takes half a second, and rows are read without building a message object for each.
"""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

_64_BITS = (1 << 64) - 1
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

# By message: number, name and type of each field; a star marks a list. From wandb 0.31's
# wandb/proto/wandb_internal.proto, but for fields that nothing here reads or writes.
_TABLE = {
    "Timestamp": "1 seconds int, 2 nanos int",
    "Item": "1 key str, 2 nested_key str*, 16 value_json str",
    "Stats": "2 timestamp Timestamp, 3 item Item*",
    "Output": "1 output_type int, 2 timestamp Timestamp, 3 line str",
    "Git": "1 remote_url str, 2 commit str",
    "Run": (
        "1 run_id str, 2 entity str, 3 project str, 4 config bytes, 5 summary bytes, "
        "6 run_group str, 7 job_type str, 8 display_name str, 9 notes str, 10 tags str*, "
        "12 sweep_id str, 13 host str, 14 starting_step int, 17 start_time Timestamp, "
        "18 resumed bool, 21 git Git, 24 resume bool"
    ),
    "Exit": "1 exit_code int, 2 runtime int",
    "Entry": "1 path str, 2 digest str, 3 ref str, 4 size int, 6 local_path str",
    "Setting": "1 key str, 2 value_json str",
    "Manifest": (
        "1 version int, 2 storage_policy str, 3 storage_policy_config Setting*, 4 contents Entry*"
    ),
    "Artifact": (
        "1 run_id str, 2 project str, 4 type str, 5 name str, 6 digest str, 7 description str, "
        "8 metadata str, 9 user_created bool, 10 use_after_commit bool, 11 aliases str*, "
        "12 manifest Manifest, 14 finalize bool, 15 client_id str, 16 sequence_client_id str, "
        "20 digest_algorithm str"
    ),
    "Version": "1 producer str, 2 min_consumer str",
    "Header": "1 version_info Version",
    "Metric": (
        "1 name str, 2 glob_name str, 4 step_metric str, 6 options MetricOptions, "
        "9 control MetricControl"
    ),
    "MetricOptions": "1 step_sync bool, 2 hidden bool, 3 defined bool",
    "MetricControl": "1 overwrite bool",
    "FilesItem": "1 path str",
    "Files": "1 files FilesItem*",
    "UseArtifact": "1 id str, 2 type str, 3 name str",
    "Telemetry": "4 python_version str, 5 cli_version str, 12 core_version str, 13 platform str",
    "Environment": (
        "1 os str, 2 python str, 5 args str*, 6 program str, 7 code_path str, 9 git Git, "
        "11 root str, 12 host str, 13 username str, 14 executable str, 16 cpu_count int, "
        "17 cpu_count_logical int, 18 gpu_type str, 19 gpu_count int, 25 cuda_version str"
    ),
}
_DEFAULTS: dict[str, Any] = {"str": "", "int": 0, "bool": False, "bytes": b""}

Message = SimpleNamespace


class WireError(ValueError):
    """Bytes that aren't the expected message."""


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the unsigned number at `position`, and the position after it.

    Raises:
        WireError: it has more than 10 bytes, or `data` ends inside it.
    """
    value = shift = 0
    try:
        while (byte := data[position]) >= 128:
            value |= (byte & 127) << shift
            shift += 7
            position += 1
            if shift > 63:
                raise WireError("a number is too long")
    except IndexError:
        raise WireError("the message ends inside a number") from None
    return value | byte << shift, position + 1


def write_varint(value: int) -> bytes:
    """Return `value`, which must not be negative, as a varint."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_number(number: int, value: int) -> bytes:
    """Return a field that holds a number, which must not be negative."""
    return write_varint(number << 3 | VARINT) + write_varint(value)


def write_bytes(number: int, value: bytes) -> bytes:
    """Return a field that holds bytes, text or a message."""
    return write_varint(number << 3 | BYTES) + write_varint(len(value)) + value


def iter_fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field; a value is an int or bytes.

    Raises:
        WireError: `data` isn't a message.
    """
    position, size = 0, len(data)
    while position < size:
        # Nearly every tag and length has one byte: reading it in line halves the time.
        tag = data[position]
        position += 1
        if tag >= 128:
            tag, position = read_varint(data, position - 1)
        kind = tag & 7
        if kind == VARINT:
            value, position = read_varint(data, position)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            if position < size and (length := data[position]) < 128:
                position += 1
            else:
                length, position = read_varint(data, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise WireError(f"wire type {kind}")
        end = position + length
        if end > size:
            raise WireError("the message ends inside a field")
        yield tag >> 3, data[position:end]
        position = end


def decode(name: str, data: bytes) -> Message:
    """Return the message `name` of the table; fields that are missing have their defaults.

    Raises:
        WireError: `data` isn't such a message.
    """
    fields = _FIELDS[name]
    values: dict[str, Any] = {}
    for number, raw in iter_fields(data):
        if number not in fields:
            continue
        field, kind, is_list = fields[number]
        value = _value(kind, raw)
        if is_list:
            values.setdefault(field, []).append(value)
        else:
            values[field] = value
    for field, kind, is_list in fields.values():
        if field not in values:
            values[field] = [] if is_list else _default(kind)
    return Message(**values)


def encode(name: str, values: Mapping[str, Any]) -> bytes:
    """Return the message `name` of the table with these values; other fields are left out."""
    out = b""
    for number, (field, kind, is_list) in _FIELDS[name].items():
        if field in values:
            for value in values[field] if is_list else [values[field]]:
                out += _encode_field(number, kind, value)
    return out


def _encode_field(number: int, kind: str, value: Any) -> bytes:
    if kind in ("int", "bool"):
        return write_number(number, int(value) & _64_BITS)
    if kind == "str":
        return write_bytes(number, value.encode())
    return write_bytes(number, value if kind == "bytes" else encode(kind, value))


def _parse_table() -> dict[str, dict[int, tuple[str, str, bool]]]:
    """Return name, type and whether it is a list, by message and field number."""
    fields: dict[str, dict[int, tuple[str, str, bool]]] = {}
    for name, text in _TABLE.items():
        words = (entry.split() for entry in text.split(", "))
        fields[name] = {
            int(number): (field, kind.rstrip("*"), kind.endswith("*"))
            for number, field, kind in words
        }
    return fields


_FIELDS = _parse_table()


def _default(kind: str) -> Any:
    return decode(kind, b"") if kind in _FIELDS else _DEFAULTS[kind]


def _value(kind: str, raw: int | bytes) -> Any:
    """Return the value of a field of type `kind`.

    Raises:
        WireError: the field has another wire type.
    """
    if isinstance(raw, int):
        if kind == "int":
            return raw - (1 << 64) if raw >> 63 else raw  # two's complement
        if kind == "bool":
            return bool(raw)
    elif kind == "bytes":
        return raw
    elif kind == "str":
        return raw.decode(errors="replace")
    elif kind in _FIELDS:
        return decode(kind, raw)
    raise WireError(f"a field isn't {kind}")
