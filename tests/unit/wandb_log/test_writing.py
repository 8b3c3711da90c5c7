"""Logs that we write: record by record, stitched from several, and while one is growing."""

import io
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from caduceus.wandb_log import (
    Damage,
    Held,
    LogError,
    LogWriter,
    Segment,
    follow,
    follow_stitched,
    iter_run,
    read_log,
    reading,
    stitch,
    write_stitched,
)
from caduceus.wandb_log.framing import HEADER, RecordReader
from caduceus.wandb_log.reading import iter_contents
from caduceus.wandb_log.records import HISTORY, SUMMARY, record_number, split_record
from caduceus.wandb_log.wire import WireError, decode, encode
from caduceus.wandb_log.writing import (
    ARTIFACT,
    CONFIG,
    ENVIRONMENT,
    EXIT,
    LOG_HEADER,
    RUN,
    STATS,
    write_items,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from wandb_logs import BLOCK

sizes = st.integers(0, 300) | st.integers(BLOCK - 40, BLOCK + 40) | st.integers(0, 3 * BLOCK)
contents = st.tuples(st.sampled_from([HISTORY, CONFIG, STATS, ENVIRONMENT]), sizes, st.binary())
written = st.lists(contents, max_size=8).map(
    lambda drawn: [
        (kind, (data or b"x") * (size // len(data or b"x"))) for kind, size, data in drawn
    ]
)
Content = tuple[int, bytes]


def write(path: Path, contents: list[Content]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with LogWriter(path) as log:
        for kind, content in contents:
            log.append(kind, content)
    return path


def records_of(path: Path) -> tuple[list[int], list[Content]]:
    """The numbers and the contents of all records of a sound log."""
    damage = Damage()
    reader = RecordReader(io.BytesIO(path.read_bytes()), damage)
    payloads = list(reader.read())
    reader.finish()
    assert damage == Damage()
    return list(map(record_number, payloads)), list(map(split_record, payloads))


@given(written)
@settings(max_examples=60, deadline=None)
def test_records_of_every_size_come_back(
    tmp_path_factory: pytest.TempPathFactory, records: list[Content]
) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.wandb"
    path.unlink(missing_ok=True)
    write(path, records)
    assert records_of(path) == (list(range(1, len(records) + 1)), records)


@given(written, written, st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_log_that_is_cut_off_anywhere_is_continued(
    tmp_path_factory: pytest.TempPathFactory, before: list[Content], after: list[Content], at: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.wandb"
    path.unlink(missing_ok=True)
    whole = write(path, before).read_bytes()
    path.write_bytes(whole[: round(at * len(whole))])
    with LogWriter(path) as log:
        kept = log.last_record
        for kind, content in after:
            log.append(kind, content)
        assert log.last_record == kept + len(after)

    assert records_of(path) == (list(range(1, kept + len(after) + 1)), before[:kept] + after)
    # What was whole before the cut is there yet.
    written_before = write(path.with_name("shorter.wandb"), before[: kept + 1])
    assert kept == len(before) or written_before.stat().st_size > round(at * len(whole))
    written_before.unlink()


def test_an_intact_log_is_continued_with_the_next_number(tmp_path: Path) -> None:
    path = write(tmp_path / "x.wandb", [(CONFIG, b"one"), (CONFIG, b"two")])
    before = path.read_bytes()
    with LogWriter(path) as log:
        assert log.last_record == 2
    assert path.read_bytes() == before
    write(path, [(CONFIG, b"three")])
    assert path.read_bytes().startswith(before)
    assert records_of(path)[0] == [1, 2, 3]


def test_what_is_no_log_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes")
    with pytest.raises(LogError, match=r"notes.txt: the file isn't a \.wandb log"):
        LogWriter(path)
    assert path.read_text() == "these are notes"


def test_what_was_flushed_is_read_while_the_log_is_open(tmp_path: Path) -> None:
    path = tmp_path / "x.wandb"
    with LogWriter(path) as log:
        log.append(RUN, encode("Run", {"run_id": "abc"}))
        log.append(HISTORY, write_items([(["_step"], "0"), (["a", "b.c"], '"é"')]))
        log.flush()
        found = read_log(path)
        log.append(EXIT, encode("Exit", {"exit_code": 3}))
    assert found.run is not None
    assert (found.run.id, found.history) == ("abc", [{"_step": "0", r"a.b\.c": '"é"'}])
    assert read_log(path).exit_code == 3


# --- Stitched logs.


def row(step: int, **values: str) -> Content:
    return HISTORY, write_items([(["_step"], str(step)), *(([k], v) for k, v in values.items())])


def rows(steps: range, name: str) -> list[Content]:
    return [row(step, who=f'"{name}"') for step in steps]


def run(started: int = 0, **more: Any) -> Content:
    about = {"run_id": "abc", "start_time": {"seconds": started + 1}} | more
    return RUN, encode("Run", about)


def artifact(name: str, digest: str, *files: Mapping[str, Any]) -> Content:
    about = {"name": name, "type": "t", "digest": digest, "manifest": {"contents": files}}
    return ARTIFACT, encode("Artifact", about | {"metadata": '{"k": 1}', "aliases": ["latest"]})


def exit_of(code: int, runtime: int = 0) -> Content:
    return EXIT, encode("Exit", {"exit_code": code, "runtime": runtime})


def steps_of(path: Path) -> list[int]:
    return [int(row["_step"]) for row in read_log(path).history]


def kinds_of(path: Path) -> list[int]:
    return [kind for kind, _ in iter_contents(Segment(path))]


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """A run that was killed at step 4, went on from 3, and got an artifact afterwards."""
    one = [(LOG_HEADER, b""), run(), *rows(range(5), "one"), artifact("data", "d1")]
    two = [run(9, resume=True), *rows(range(3, 7), "two"), artifact("data", "d2"), exit_of(0, 20)]
    summary = (SUMMARY, write_items([(["best"], "0.5")]))
    three = [run(99, resume=True), artifact("model", "m1"), summary, exit_of(0, 1)]
    names = ("one", "two", "three")
    return [
        write(tmp_path / f"{name}.wandb", records)
        for name, records in zip(names, (one, two, three), strict=True)
    ]


def test_a_stitched_log_has_every_row_and_artifact_once(logs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.wandb"
    parts = stitch(logs)
    read = write_stitched(parts, out)
    found = read_log(out)

    assert found.history == list(iter_run(stitch(logs)))
    assert [row["who"] for row in found.history] == ['"one"'] * 3 + ['"two"'] * 4
    assert [a.digest for a in found.artifacts] == ["d1", "d2", "m1"]
    assert (found.summary, found.exit_code, found.runtime_s) == ({"best": 0.5}, 0, 20)
    assert [part.rows for part in parts] == [3, 4, 0]
    assert [segment.path for segment in read] == logs
    numbers, _ = records_of(out)
    assert numbers == list(range(1, len(numbers) + 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["one.wandb", "two.wandb", "three.wandb", "out.wandb"]
    )


def test_what_a_server_holds_is_left_out(logs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.wandb"
    parts = stitch(logs)
    held = Held(last_step=3, artifacts={("data", "d1"), ("data", "m1"), ("model", "d2")})
    write_stitched(parts, out, held)
    found = read_log(out)

    assert steps_of(out) == [4, 5, 6]
    assert [(a.name, a.digest) for a in found.artifacts] == [("data", "d2"), ("model", "m1")]
    assert (found.summary, found.exit_code) == ({"best": 0.5}, 0)
    assert [part.rows for part in parts] == [3, 4, 0]

    everything = Held(6, {("data", "d1"), ("data", "d2"), ("model", "m1")})
    write_stitched(stitch(logs), out, everything)
    assert set(kinds_of(out)) == {LOG_HEADER, RUN, SUMMARY, EXIT}


def test_a_run_may_be_another_one_on_a_server(logs: list[Path], tmp_path: Path) -> None:
    """The run and its artifacts, of which each says whose it is."""
    out = tmp_path / "out.wandb"
    write_stitched(stitch(logs), out, Held(run="there", sweep="swept"))
    _, records = records_of(out)
    header = read_log(out).run
    assert header is not None
    assert (header.id, header.sweep_id) == ("there", "swept")
    artifacts = [decode("Artifact", content) for kind, content in records if kind == ARTIFACT]
    assert [artifact.run_id for artifact in artifacts] == ["there"] * 3
    assert [artifact.name for artifact in artifacts] == ["data", "data", "model"]


def test_how_a_run_ended_may_be_known_better(logs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.wandb"
    for chosen in (logs, logs[:1]):  # the second was killed
        write_stitched(stitch(chosen), out, exit_code=3)
        assert (read_log(out).exit_code, kinds_of(out).count(EXIT)) == (3, 1)
    write_stitched(stitch(logs[:1]), out)
    assert read_log(out).exit_code is None
    write_stitched(stitch(logs), out, exit_code=0)
    assert read_log(out).exit_code == 0


def test_rows_are_held_by_their_steps_in_the_run(tmp_path: Path) -> None:
    one = write(tmp_path / "one.wandb", [run(), *rows(range(3), "one")])
    two = write(tmp_path / "two.wandb", [run(9, resume=True), *rows(range(3), "two")])
    write_stitched(stitch([one, two]), tmp_path / "out.wandb", Held(last_step=3))
    found = read_log(tmp_path / "out.wandb").history
    assert [(row["_step"], row["who"]) for row in found] == [("4", '"two"'), ("5", '"two"')]


def test_files_of_artifacts_are_found_where_they_lie_now(tmp_path: Path) -> None:
    files = [
        {"path": "a.txt", "digest": "x", "size": 3, "local_path": "/old/place/ä.txt"},
        {"path": "b.txt", "digest": "y", "size": 0, "local_path": "relative/b.txt"},
        {"path": "c", "digest": "z", "ref": "http://example.org"},
    ]
    log = write(tmp_path / "x.wandb", [run(), artifact("data", "d", *files), *rows(range(2), "x")])
    asked: list[Path] = []

    def find(path: Path) -> Path:
        asked.append(path)
        return tmp_path / "new" / path.name if path.is_absolute() else path

    write_stitched(stitch([log]), tmp_path / "out.wandb", find=find)
    (found,) = read_log(tmp_path / "out.wandb").artifacts
    (before,) = read_log(log).artifacts

    assert asked == [Path("/old/place/ä.txt"), Path("relative/b.txt")]
    assert found.files["a.txt"].path == tmp_path / "new/ä.txt"
    assert found.files["b.txt"].path == Path.cwd() / "relative/b.txt"
    assert found.files["c"] == before.files["c"]
    for name, file in found.files.items():
        known = before.files[name]
        assert (file.digest, file.bytes, file.ref) == (known.digest, known.bytes, known.ref)
    assert (found.metadata, found.aliases) == ({"k": 1}, ("latest",))
    assert steps_of(tmp_path / "out.wandb") == [0, 1]


def test_a_log_that_cannot_be_read_leaves_nothing(logs: list[Path], tmp_path: Path) -> None:
    parts = stitch(logs)
    logs[1].unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(LogError, match=r"two.wandb: can't be read: No such file"):
        write_stitched(parts, tmp_path / "out/x.wandb")
    assert list((tmp_path / "out").iterdir()) == []


# --- Logs that grow.


class Growing:
    """A thread that writes records one by one, and then is gone.

    The record of the run and its first row are there at once; the last record is written when
    somebody has read a row, if `is_read` is given.
    """

    def __init__(self, path: Path, records: list[Content], is_read: threading.Event | None):
        self.log = LogWriter(path)
        for kind, content in records[:2]:
            self.log.append(kind, content)
        self.log.flush()
        self.thread = threading.Thread(target=self._write, args=(records[2:], is_read))

    def _write(self, records: list[Content], is_read: threading.Event | None) -> None:
        with self.log:
            for kind, content in records:
                if is_read and (kind, content) == records[-1]:
                    is_read.wait(1200)
                self.log.append(kind, content)
                self.log.flush()
                time.sleep(0.001)

    def is_gone(self) -> bool:
        return not self.thread.is_alive()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Any]:
    made: list[Growing] = []

    def start(records: list[Content], is_read: threading.Event | None = None) -> Growing:
        made.append(Growing(tmp_path / "growing.wandb", records, is_read))
        made[-1].thread.start()
        return made[-1]

    yield start
    for writer in made:
        writer.thread.join()


@pytest.mark.parametrize("code", [0, 3, -9])
def test_a_growing_log_is_stitched_until_its_end(growing: Any, tmp_path: Path, code: int) -> None:
    one = write(tmp_path / "one.wandb", [run(), *rows(range(5), "one"), artifact("data", "d1")])
    summary = (SUMMARY, write_items([(["best"], "0.5")]))
    later = [run(9, resume=True, starting_step=3), *rows(range(3, 40), "two"), summary]
    is_read = threading.Event()
    writer = growing([*later, artifact("data", "d2"), exit_of(code, 7)], is_read)
    out = tmp_path / "out.wandb"
    seen: list[str] = []
    seen_early: list[bool] = []

    def read() -> None:
        for row in follow(out, interval_s=0.005):
            seen.append(row["_step"])
            seen_early.append(not writer.is_gone())
            is_read.set()

    reader = threading.Thread(target=read)
    reader.start()
    follow_stitched(stitch([one, tmp_path / "growing.wandb"]), out, lambda: False, interval_s=0.005)
    reader.join(60)
    found = read_log(out)

    assert not reader.is_alive()
    assert any(seen_early)
    assert seen == [str(step) for step in range(40)] == [row["_step"] for row in found.history]
    assert [row["who"] for row in found.history[:4]] == ['"one"'] * 3 + ['"two"']
    assert [a.digest for a in found.artifacts] == ["d1", "d2"]
    assert (found.summary, found.exit_code, found.runtime_s) == ({"best": 0.5}, code, 7)
    assert found.damage == Damage()
    assert kinds_of(out).count(EXIT) == kinds_of(out).count(RUN) == 1
    assert writer.log.last_record > 40


def test_a_growing_log_whose_writer_is_gone_ends_as_failed(growing: Any, tmp_path: Path) -> None:
    writer = growing([run(), *rows(range(30), "x")])
    out = tmp_path / "out.wandb"
    follow_stitched(stitch([tmp_path / "growing.wandb"]), out, writer.is_gone, interval_s=0.005)
    assert steps_of(out) == list(range(30))
    assert read_log(out).exit_code == 1
    assert kinds_of(out)[-1] == EXIT


def test_what_a_server_holds_of_a_growing_log_is_left_out(growing: Any, tmp_path: Path) -> None:
    one = write(tmp_path / "one.wandb", [run(), *rows(range(3), "one"), artifact("data", "d1")])
    artifacts = [artifact("data", "d2"), artifact("data", "d3")]
    later = [run(9, resume=True, starting_step=3), *rows(range(3, 20), "two"), *artifacts]
    growing([*later, exit_of(0)])
    held = Held(10, {("data", "d1"), ("data", "d3")})
    out = tmp_path / "out.wandb"
    out.write_text("left by an earlier call")
    logs = [one, tmp_path / "growing.wandb"]
    follow_stitched(stitch(logs), out, lambda: False, held, interval_s=0.005)
    assert steps_of(out) == list(range(11, 20))
    assert [a.digest for a in read_log(out).artifacts] == ["d2"]


def test_a_log_that_is_whole_is_followed_at_once(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        raise AssertionError("there is nothing to wait for")

    monkeypatch.setattr(reading.time, "sleep", wait)
    outs = [tmp_path / "followed.wandb", tmp_path / "stitched.wandb"]
    follow_stitched(stitch(logs), outs[0], lambda: False)
    write_stitched(stitch(logs), outs[1])
    followed, stitched = map(read_log, outs)
    for name in ("run", "history", "summary", "config", "artifacts", "exit_code"):
        assert getattr(followed, name) == getattr(stitched, name), name


# --- Messages.

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
stamps = st.fixed_dictionaries({"seconds": numbers, "nanos": numbers})
entries = st.fixed_dictionaries({"path": texts, "digest": texts, "size": numbers, "ref": texts})
messages = st.one_of(
    st.tuples(st.just("Exit"), st.fixed_dictionaries({"exit_code": numbers, "runtime": numbers})),
    st.tuples(
        st.just("Run"),
        st.fixed_dictionaries(
            {
                "run_id": texts,
                "tags": st.lists(texts),
                "config": st.binary(),
                "start_time": stamps,
                "resume": st.booleans(),
            }
        ),
    ),
    st.tuples(
        st.just("Artifact"),
        st.fixed_dictionaries(
            {
                "name": texts,
                "use_after_commit": st.booleans(),
                "aliases": st.lists(texts),
                "manifest": st.fixed_dictionaries({"contents": st.lists(entries, max_size=3)}),
            }
        ),
    ),
)


def as_values(found: Any, like: Any) -> Any:
    """What a message has of the fields that were given."""
    if isinstance(like, dict):
        return {name: as_values(getattr(found, name), value) for name, value in like.items()}
    if isinstance(like, list):
        assert len(found) == len(like)
        return [as_values(*pair) for pair in zip(found, like, strict=True)]
    return found


@given(messages)
@settings(max_examples=200, deadline=None)
def test_a_message_comes_back(message: tuple[str, dict[str, Any]]) -> None:
    name, values = message
    assert as_values(decode(name, encode(name, values)), values) == values


def test_what_is_not_given_has_its_default() -> None:
    assert encode("Run", {}) == b""
    found = decode("Run", b"")
    assert (found.run_id, found.tags, found.resume, found.start_time.seconds) == ("", [], False, 0)


@pytest.mark.parametrize("code", [0, 1, 255, -1, -9, -(2**31)])
def test_wandbs_own_protocol_buffers_read_what_we_write(code: int) -> None:
    from wandb.proto import wandb_internal_pb2  # a second to import

    content = encode("Exit", {"exit_code": code, "runtime": 5})
    theirs = wandb_internal_pb2.RunExitRecord.FromString(content)
    assert (theirs.exit_code, theirs.runtime) == (code, 5)
    ours = decode("Exit", theirs.SerializeToString())
    assert (ours.exit_code, ours.runtime) == (code, 5)


def test_wandbs_own_protocol_buffers_read_whole_records(tmp_path: Path) -> None:
    from wandb.proto import wandb_internal_pb2

    file = {"path": "a", "digest": "x", "size": 3, "local_path": os.fspath(tmp_path)}
    kinds = [run(7, tags=["x", "é"], config=b""), *rows(range(2), "x"), artifact("data", "d", file)]
    payloads = []
    with write(tmp_path / "x.wandb", [*kinds, exit_of(-9)]).open("rb") as stream:
        payloads = list(RecordReader(stream, Damage()).read())
    records = [wandb_internal_pb2.Record.FromString(payload) for payload in payloads]

    assert [record.num for record in records] == [1, 2, 3, 4, 5]
    assert [record.WhichOneof("record_type") for record in records] == [
        *("run", "history", "history", "artifact", "exit")
    ]
    assert (records[0].run.start_time.seconds, list(records[0].run.tags)) == (8, ["x", "é"])
    items = [(list(item.nested_key), item.value_json) for item in records[2].history.item]
    assert items == [(["_step"], "1"), (["who"], '"x"')]
    assert records[3].artifact.manifest.contents[0].local_path == str(tmp_path)
    assert records[4].exit.exit_code == -9


@pytest.mark.parametrize("data", [b"\x08", b"\x0a\x05ab", b"\x0b", b"\x0a\x01\x01"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode("Exit", data)


def test_the_header_alone_is_continued(tmp_path: Path) -> None:
    for size in range(len(HEADER) + 1):
        path = tmp_path / f"{size}.wandb"
        path.write_bytes(HEADER[:size])
        assert records_of(write(path, [(CONFIG, b"x")])) == ([1], [(CONFIG, b"x")])
