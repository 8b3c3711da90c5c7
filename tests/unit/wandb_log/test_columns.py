"""The reader by columns says the same as the reader by records, of sound and of broken logs."""

import io
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caduceus.exports import history as exports_history
from caduceus.wandb_log import (
    Damage,
    LogError,
    Part,
    Row,
    Segment,
    blocks,
    columns,
    framing,
    items,
    iter_rows,
    read_log,
    stitch,
)
from caduceus.wandb_log.framing import RecordReader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wandb_logs import BLOCK, HEADER, Keys, framed, history, record, summary

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.sampled_from(["loss", "train/loss", "a.b", "é", "k" * 130, "x" * 9, "x" * 8, ""]) | texts
keys = st.lists(names, min_size=1, max_size=3).map(tuple) | st.just(("plain",))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
)


def go_text(value: Any) -> str:
    """JSON as wandb-core writes it: floats from 1e6 on with an exponent."""
    if isinstance(value, float) and 1e6 <= abs(value) < 1e16:
        digits = repr(value).replace(".0", "").lstrip("-")
        whole, _, fraction = digits.partition(".")
        mantissa = f"{whole[0]}.{whole[1:]}{fraction}".rstrip("0").rstrip(".")
        return f"{'-' if value < 0 else ''}{mantissa}e+{len(whole) - 1:02d}"
    if isinstance(value, float) and value == int(value if abs(value) < 1e300 else 0):
        return json.dumps(int(value)) if value or str(value)[0] != "-" else "-0"
    return json.dumps(value, ensure_ascii=False)


json_texts = values.map(go_text) | values.map(json.dumps) | st.just("x" * 70_000).map(json.dumps)
rows = st.dictionaries(keys, json_texts, max_size=6)
# What no SDK writes must neither stop an export nor be read in two ways.
garbage = st.sampled_from(
    [
        "",
        "1e999",
        r'"\ud800"',
        "[[",
        '"abc',
        "1,2",
        "tru",
        "-",
        "007",
        "[" * 100_000,
        "9" * 5000,
        "-0.0",
        "1.0",
    ]
)
odd_rows = st.dictionaries(keys, json_texts | garbage, max_size=6)


class Log(bytes):
    """A log that a failure shows by its records, not by its bytes."""

    def __repr__(self) -> str:
        try:
            records = list(RecordReader(io.BytesIO(self), Damage()).read())
        except LogError as error:
            return str(error)
        return "\n".join(f"{record[:200]!r}" for record in records)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """A log of rows with rising steps, summaries and odd records between them."""
    records = []
    step = 0
    for number in range(1, draw(st.integers(0, 25)) + 1):
        kind = draw(st.sampled_from(["row", "row", "row", "summary", "typed", "removal", "other"]))
        step += draw(st.integers(1, 10**6))
        row: dict[Keys, str] = draw(odd_rows) | {("_step",): str(step)}
        if kind == "row":
            records.append(history(number, row))
        elif kind == "typed":  # x_history_value_encoding="json,typed" puts a second form before
            records.append(history(number, row, extra=b"\x31" + bytes(8)))
        elif kind == "summary":
            records.append(summary(number, draw(rows)))
        elif kind == "removal":
            records.append(summary(number, draw(rows), removed=list(draw(rows))))
        else:
            records.append(record(draw(st.sampled_from([0, number])), 13, b"\x1a\x04text"))
    return Log(framed(records))


def read_both(path: Path) -> tuple[Segment, list[Row], Segment, list[Row]]:
    by_records, by_columns = Segment(path), Segment(path)
    one = list(iter_rows(by_records))
    two = [
        batch.row(index)
        for batch in columns.iter_batches(by_columns)
        for index in range(batch.rows)
    ]
    return by_records, one, by_columns, two


def assert_same(path: Path) -> None:
    by_records, one, by_columns, two = read_both(path)
    assert two == one
    assert by_columns.damage == by_records.damage
    # As text, since NaN isn't equal to itself; the order of a summary's keys is random in wandb.
    assert json.dumps(by_columns.summary, sort_keys=True) == json.dumps(
        by_records.summary, sort_keys=True
    )
    by_columns.summary = by_records.summary = {}
    assert repr(by_columns) == repr(by_records)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(columns, "_BLOCKS_PER_READ", 2)  # many records then span two reads
    return tmp_path / "run-x.wandb"


def for_many_logs(examples: int, check: Callable[[Log], None]) -> None:
    thorough = settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    thorough(given(logs())(check))()


few_or_many = pytest.mark.parametrize("examples", [40, pytest.param(1000, marks=pytest.mark.soak)])


@pytest.mark.slow
@few_or_many
def test_both_readers_say_and_export_the_same(path: Path, examples: int) -> None:
    def check(log: Log) -> None:
        path.write_bytes(log)
        assert_same(path)
        assert_same_exports(path)

    for_many_logs(examples, check)


def assert_same_exports(path: Path) -> None:
    found = []
    for limit in (sys.maxsize, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exports_history, "_LARGE_LOG", limit)
            patch.setattr("caduceus.exports.history_batches._CELLS_AT_ONCE", 10)
            patch.setattr("caduceus.exports.history_batches._IN_MEMORY", 1000)
            history = exports_history.export_history(stitch([path]), path.parent)
        names = ("metrics_history.csv", "system_metrics.csv")
        about = (history.rows, history.rows_sha256)
        found.append((about, *((path.parent / name).read_bytes() for name in names)))
    assert found[0] == found[1]


def broken(log: bytes, source: random.Random) -> bytes:
    """`log` with some bytes flipped, cut out, repeated or cut off."""
    data = bytearray(log)
    for _ in range(source.choice([1, 1, 1, 2, 5])):
        at = source.randrange(len(data) + 1)
        size = source.choice([1, 2, 7, 100, BLOCK])
        match source.choice(["flip", "flip", "cut", "repeat", "truncate", "zero"]):
            case "flip" if at < len(data):
                data[at] ^= 1 << source.randrange(8)
            case "cut":
                del data[at : at + size]
            case "repeat":
                data[at:at] = data[at : at + size]
            case "truncate":
                del data[at:]
            case "zero":
                data[at : at + size] = bytes(len(data[at : at + size]))
    return bytes(data)


def base_logs() -> Iterator[bytes]:
    """Logs of several blocks: of short records, of long ones, and of both."""
    for count, sizes in ((200, [150]), (12, [9_000]), (12, [40, 40, 40, 70_000, 300])):
        records = []
        for number in range(1, count):
            text = json.dumps("v" * sizes[number % len(sizes)])
            row = {("_step",): str(number), ("a",): text, ("b", "c"): f"{number / 7}"}
            records += [history(2 * number - 1, row), summary(2 * number, row)]
        yield framed(records)


def check_broken_logs(path: Path, seeds: range) -> None:
    bases = list(base_logs())
    for seed in seeds:
        source = random.Random(seed)
        path.write_bytes(broken(source.choice(bases), source))
        try:
            assert_same(path)
        except LogError:
            with pytest.raises(LogError):
                read_log(path)
            with pytest.raises(LogError):
                list(columns.iter_batches(Segment(path)))


@pytest.mark.slow
def test_broken_logs_are_read_alike_as_far_as_they_go(path: Path) -> None:
    check_broken_logs(path, range(250))


@pytest.mark.soak
@pytest.mark.parametrize("block", range(22))
def test_very_many_broken_logs(path: Path, block: int) -> None:
    check_broken_logs(path, range(1_000 * block, 1_000 * (block + 1)))


def test_a_lost_record_is_counted_by_its_number(path: Path) -> None:
    rows = [history(number, {("_step",): str(number)}) for number in (1, 2, 5, 6, 9)]
    path.write_bytes(framed(rows))
    assert_same(path)
    assert read_log(path).damage.lost_records == 4
    assert read_log(path).damage.is_corrupt


def test_two_keys_of_one_hash_are_refused_not_mixed_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.setattr(items, "_HASH_FACTOR", np.uint64(0))
    path.write_bytes(framed([history(1, {("a",): "1", ("b",): "2"})]))
    with pytest.raises(LogError, match="the names of two metrics have the same hash"):
        list(columns.iter_batches(Segment(path)))


def test_rows_are_cut_and_shifted_as_the_run_is_stitched(path: Path) -> None:
    rows = [history(n + 1, {("_step",): str(n), ("a",): str(n)}) for n in range(10)]
    path.write_bytes(framed(rows))
    for part in (Part(path, None, end=4), Part(path, None, "append", None), Part(path, None)):
        other = Part(path, None, part.rule, part.start, part.end)
        by_rows = list(exports_history.kept_rows(part, iter_rows(Segment(path)), 99))
        batches = columns.kept_batches(other, columns.iter_batches(Segment(path)), 99)
        by_columns = [b.row(index) for b in batches for index in range(b.rows)]
        assert by_columns == by_rows
        assert other == part


def test_a_huge_record_is_passed_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (framing, blocks):
        monkeypatch.setattr(module, "RECORD_LIMIT", 100_000)
    rows = [history(n, {("_step",): str(n), ("a",): json.dumps("x" * 50_000)}) for n in (1, 3)]
    path.write_bytes(framed([rows[0], record(2, 99, bytes(1_000_000)), rows[1]]))
    assert_same(path)
    segment = read_log(path)
    assert [row["_step"] for row in segment.history] == ["1", "3"]
    assert segment.damage.unreadable_records == segment.damage.lost_records == 1


def test_a_record_of_an_unknown_kind_is_no_damage(path: Path) -> None:
    path.write_bytes(framed([record(1, 99, b"from a later SDK"), history(2, {("_step",): "0"})]))
    assert_same(path)
    assert read_log(path).damage == Damage()


def test_an_empty_log_has_no_batch(path: Path) -> None:
    path.write_bytes(HEADER)
    assert list(columns.iter_batches(Segment(path))) == []
