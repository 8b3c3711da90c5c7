"""The reader of W&B's log, on logs that the real SDK wrote and on damaged ones."""

import io
import json
import math
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.files import md5_base64
from caduceus.wandb_log import Damage, LogError, Segment, read_log
from caduceus.wandb_log.framing import RecordReader
from hypothesis import given, settings
from hypothesis import strategies as st
from wandb_logs import BLOCK, HEADER, framed

PROGRAM = """
import numpy, wandb
with wandb.init(
    mode="offline", project="p", entity="e", group="g", job_type="j", name="n", notes="some notes",
    id="abc", tags=["x", "y"], config={"rate": 1e-5, "deep": {"a": [1, None]}, "big": 2**60},
) as run:
    print("a line")
    run.log({"float": 0.1, "int": 9007199254740993, "nan": float("nan"), "inf": -float("inf")})
    run.log({"text": 'a, "b"\\né😀', "NaN": "NaN", "none": None, "true": True, "list": [1, 2.5]})
    run.log({"nest": {"a": {"b": 1}}, "dot.key": 2, "nest2": {"x.y": 3}}, step=7)
    run.log({"first": 1}, step=8, commit=False)
    run.log({"second": 2}, step=8)
    image = wandb.Image(numpy.zeros((4, 4)))
    run.log({"histogram": wandb.Histogram([1, 2, 3]), "image": image}, step=9)
    run.summary["best"] = 0.5
    run.summary["nested"] = {"a": 1}
    run.config.update({"later": "yes"})
    with open("file.txt", "w") as stream:
        stream.write("content")
    artifact = wandb.Artifact("data", type="dataset", metadata={"k": 1})
    artifact.add_file("file.txt")
    run.log_artifact(artifact, aliases=["v1"])
"""


def records_of(log: bytes, damage: Damage) -> list[bytes]:
    reader = RecordReader(io.BytesIO(log), damage)
    found = list(reader.read())
    reader.finish()
    return found


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Segment:
    folder = tmp_path_factory.mktemp("wandb")
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=folder, check=True, capture_output=True)
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    return read_log(path)


@pytest.mark.slow
def test_the_identity_of_the_run(segment: Segment) -> None:
    run = segment.run
    assert run is not None
    assert (run.id, run.entity, run.project, run.group) == ("abc", "e", "p", "g")
    assert (run.job_type, run.name, run.notes, run.tags) == ("j", "n", "some notes", ("x", "y"))
    assert run.start_time > 1.7e9
    assert segment.exit_code == 0
    assert segment.environment["python"].startswith("CPython 3.")


def test_every_row_in_order_exactly_as_logged(segment: Segment) -> None:
    rows = segment.history
    assert [int(row["_step"]) for row in rows] == [0, 1, 7, 8, 9]
    assert rows[0]["float"] == "0.1"
    assert json.loads(rows[0]["int"]) == 9007199254740993
    assert math.isnan(json.loads(rows[0]["nan"]))
    assert rows[0]["inf"] == "-Infinity"
    assert json.loads(rows[1]["text"]) == 'a, "b"\né😀'
    assert rows[1]["NaN"] == '"NaN"'
    assert (rows[1]["none"], rows[1]["true"], rows[1]["list"]) == ("null", "true", "[1,2.5]")
    assert (rows[3]["first"], rows[3]["second"]) == ("1", "2")


def test_nested_keys_and_dots_in_keys_are_told_apart(segment: Segment) -> None:
    row = {name: value for name, value in segment.history[2].items() if name[0] != "_"}
    assert row == {"nest.a.b": "1", r"dot\.key": "2", r"nest2.x\.y": "3"}


def test_summary_and_config(segment: Segment) -> None:
    assert segment.summary["best"] == 0.5
    assert segment.summary["nested"] == {"a": 1}
    assert segment.summary["float"] == 0.1
    assert segment.summary["nest"] == {"a": {"b": 1}}
    assert segment.config["deep"] == {"a": [1, None]}
    assert segment.config["big"] == 2**60
    assert segment.config["later"] == "yes"


def test_media_and_system_metrics(segment: Segment) -> None:
    row = segment.history[4]
    assert row["image._type"] == '"image-file"'
    assert (segment.files / json.loads(row["image.path"])).is_file()
    assert segment.stats
    assert any(name.startswith("proc.memory") for name in segment.stats[0].values)


def test_artifacts_with_their_files(segment: Segment) -> None:
    (artifact,) = [artifact for artifact in segment.artifacts if artifact.name == "data"]
    assert (artifact.type, artifact.metadata) == ("dataset", {"k": 1})
    assert set(artifact.aliases) == {"v1", "latest"}  # wandb writes them in random order
    file = artifact.files["file.txt"]
    assert file.path is not None
    assert file.path.read_text() == "content"
    assert (file.bytes, file.digest) == (7, md5_base64(file.path))
    assert not artifact.is_used


def test_console_environment_and_telemetry(segment: Segment) -> None:
    lines = [line for line in segment.console if line.text.strip() == "a line"]
    assert [line.stream for line in lines] == ["stdout"]
    assert lines[0].time > 1.7e9
    assert segment.environment["cpu_count_logical"] >= 1
    assert segment.environment["executable"] == sys.executable
    assert segment.telemetry["cli_version"] == version("wandb")
    assert segment.program == "<python with no main file>"


def test_a_sound_log_has_no_damage(segment: Segment) -> None:
    assert segment.damage == Damage()


def test_a_log_that_is_cut_off_anywhere_is_read_to_its_last_whole_record(
    segment: Segment, tmp_path: Path
) -> None:
    data = segment.path.read_bytes()
    rows = 0
    for size in range(7, len(data), 23):
        (tmp_path / "cut.wandb").write_bytes(data[:size])
        found = read_log(tmp_path / "cut.wandb")
        assert len(found.history) >= rows
        assert found.history == segment.history[: len(found.history)]
        rows = len(found.history)


def test_a_corrupt_block_loses_that_block_and_says_so() -> None:
    records = [bytes([n % 256]) * 1000 for n in range(100)]
    data = bytearray(framed(records))
    data[BLOCK + 5000] ^= 1
    damage = Damage()
    found = records_of(bytes(data), damage)

    assert damage == Damage(corrupt_blocks=1)
    assert 60 < len(found) < 75
    assert set(found) <= set(records)
    assert found[-1] == records[-1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is too short to be a .wandb log"),
        (HEADER[:6], "is too short"),
        (b"PK\x03\x04" * 10, "isn't a .wandb log"),
        (HEADER[:6] + b"\x01", "the log has version 1; this reader knows version 0"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "x.wandb").write_bytes(data)
    with pytest.raises(LogError, match=message):
        read_log(tmp_path / "x.wandb")


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"can't be read: No such file"):
        read_log(tmp_path / "x.wandb")


def test_a_record_that_is_none_of_wandbs_is_counted(tmp_path: Path) -> None:
    (tmp_path / "x.wandb").write_bytes(framed([b"\xff" * 20]))
    assert read_log(tmp_path / "x.wandb").damage == Damage(unreadable_records=1)


def test_a_log_of_nothing_but_its_header_is_an_empty_run(tmp_path: Path) -> None:
    (tmp_path / "x.wandb").write_bytes(HEADER)
    segment = read_log(tmp_path / "x.wandb")
    assert (segment.run, segment.history, segment.exit_code) == (None, [], None)


@given(st.lists(st.integers(0, 3 * BLOCK).map(lambda size: b"x" * size), max_size=8))
@settings(max_examples=50, deadline=None)
def test_records_of_every_size_come_back(records: list[bytes]) -> None:
    damage = Damage()
    assert records_of(framed(records), damage) == records
    assert damage == Damage()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_raises_anything_but_our_error(data: Any) -> None:
    sizes = data.draw(st.lists(st.integers(0, 40000), min_size=1, max_size=4))
    log = bytearray(framed(b"\x08\x01" * (size // 2) for size in sizes))
    for _ in range(data.draw(st.integers(1, 5))):
        log[data.draw(st.integers(0, len(log) - 1))] = data.draw(st.integers(0, 255))
    log = log[: data.draw(st.integers(0, len(log)))]
    damage = Damage()
    try:
        found = records_of(bytes(log), damage)
    except LogError:
        return
    assert sum(map(len, found)) <= len(log)
