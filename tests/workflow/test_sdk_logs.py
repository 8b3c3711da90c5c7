"""Logs that the real SDK writes while they are read, or never ended; and W&B's own reader."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from caduceus.wandb_log import Damage, LogError, Segment, follow, iter_rows, read_log
from caduceus.wandb_log.artifact_log import manifest_digest, write_artifact_log
from caduceus.wandb_log.columns import iter_batches
from caduceus.wandb_log.framing import RecordReader, open_log
from wandb.proto import wandb_internal_pb2 as pb
from wandb_logs import HEADER

SLOW = """
import os, sys, time, wandb
settings = wandb.Settings(x_transaction_log_flush_interval=0.5, x_disable_stats=True)
with wandb.init(mode="offline", project="p", id="abc", settings=settings) as run:
    print("started", flush=True)
    for step in range(int(sys.argv[1])):
        run.log({"a": step, "b/c": step / 7, "text": "x" * (step % 50)})
        time.sleep(float(sys.argv[2]))
        while step == 25 and "waits" in sys.argv and not os.path.exists("go"):
            time.sleep(0.05)
"""
TYPES = """
import numpy, wandb
with wandb.init(mode="offline", project="p", id="abc") as run:
    for step in range(200):
        run.log({
            "float": 1 / (step + 1), "int": 2**53 + step, "text": f"a,{step}\\n\\"é😀",
            "flag": True, "none": None, "list": [1, 2.5, "x"], "large": 1e300 / (step + 1),
            "tiny": 1e-300, "histogram": wandb.Histogram([1, 2, 3]),
        })
"""
ARTIFACT = """
import wandb
with wandb.init(mode="offline", project="p", id="abc", resume="allow") as run:
    artifact = wandb.Artifact("several", type="results", metadata={"n": 1})
    artifact.add_file("a", name="sub/a", policy="immutable")
    artifact.add_file("b", name="b", policy="immutable")
    run.log_artifact(artifact)
"""


def start(folder: Path, code: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"WANDB_DIR": str(folder)},
    )


def log_below(folder: Path) -> Path:
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return path


def test_a_run_is_followed_while_it_is_written(tmp_path: Path) -> None:
    seen: list[str] = []
    with start(tmp_path, SLOW, 40, 0.01, "waits") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        for row in follow(log_below(tmp_path), interval_s=0.1):
            seen.append(row["_step"])
            if len(seen) == 20:  # while it waits; wandb holds the last row back
                assert process.poll() is None
                (tmp_path / "go").touch()

    assert seen == [str(step) for step in range(40)]
    assert list(iter_rows(Segment(log_below(tmp_path))))[-1]["_step"] == "39"


@pytest.mark.parametrize("moment", range(3))
def test_a_run_killed_at_any_moment_is_read_to_its_last_whole_row(
    tmp_path: Path, moment: int
) -> None:
    kill_and_read(tmp_path, random.Random(moment))


@pytest.mark.soak
@pytest.mark.parametrize("moment", range(100, 200))
def test_a_run_killed_at_very_many_moments(tmp_path: Path, moment: int) -> None:
    kill_and_read(tmp_path, random.Random(moment))


def kill_and_read(folder: Path, source: random.Random) -> None:
    """SIGKILL to the program; wandb-core notices and dies without writing what it holds."""
    with start(folder, SLOW, 1_000_000, source.choice([0, 0.001])) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        writers = psutil.Process(process.pid).children(recursive=True)
        time.sleep(source.uniform(0, 3))
        process.send_signal(signal.SIGKILL)
    assert writers and not psutil.wait_procs(writers, timeout=1200)[1]
    path = log_below(folder)
    if path.stat().st_size < len(HEADER):
        with pytest.raises(LogError, match="too short"):
            read_log(path)
        return
    segment = read_log(path)
    rows = [int(row["_step"]) for row in segment.history]

    assert rows == list(range(len(rows)))
    assert not segment.damage.is_corrupt
    assert segment.exit_code is None
    by_columns = Segment(path)
    assert sum(batch.rows for batch in iter_batches(by_columns)) == len(rows)
    assert by_columns.damage == segment.damage


def test_leet_says_the_same_as_far_as_it_can(tmp_path: Path) -> None:
    """W&B's own reader knows no nested keys and no difference between NaN and "NaN"."""
    with start(tmp_path, TYPES) as process:
        assert process.wait(timeout=1200) == 0
    path = log_below(tmp_path)
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--json", str(path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = [record["history"]["item"] for record in parsed(printed) if "history" in record]
    ours = [
        {name.replace("\\\\.", "."): json.loads(text) for name, text in row.items()}
        for row in read_log(path).history
    ]

    assert len(ours) == len(theirs) == 200
    assert ours == theirs


def parsed(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines() if line.startswith("{")]


def artifact_records(log: Path) -> list[pb.ArtifactRecord]:
    with open_log(log) as stream:
        records = map(pb.Record.FromString, RecordReader(stream, Damage()).read())
        return [record.artifact for record in records if record.HasField("artifact")]


def test_the_record_of_an_artifact_is_that_of_the_sdk(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").touch()
    with start(tmp_path, ARTIFACT) as process:
        assert process.wait() == 0
    log = log_below(tmp_path)
    segment = read_log(log)
    assert segment.run
    own = tmp_path / "own.wandb"
    write_artifact_log(own, segment.run, segment.artifacts, {})

    (theirs,), (ours) = artifact_records(log), artifact_records(own)
    for record in (theirs, *ours):
        for name in ("client_id", "sequence_client_id"):
            assert len(getattr(record, name)) == 128
            record.ClearField(name)
        record.ClearField("_info")
    assert [theirs] == ours
    assert manifest_digest(segment.artifacts[0].files) == theirs.digest
