"""Logs of several processes of the real SDK, stitched into one that the real SDK syncs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from caduceus.exports.run import export_logs
from caduceus.io.cells import canonical
from caduceus.io.files import read_json
from caduceus.wandb_log import (
    find_logs,
    follow_stitched,
    iter_run,
    read_log,
    stitch,
    write_stitched,
)
from caduceus.wandb_log.segments import Row
from caduceus.wandb_log.stitching import Part
from wandb_server import WandbServer


def rows_of(parts: list[Part]) -> list[Row]:
    return list(iter_run(parts))


PROGRAM = """
import sys, wandb
first, last, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with wandb.init(project="p", id="abc", name=name, resume="allow", config={name: first}) as run:
    for step in range(first, last):
        run.log({"a": step / 7, "who": name, "nest": {"x": step}}, step=step)
    run.summary["only/" + name] = 1
    print("printed by", name)
"""


def test_a_stitched_log_syncs_to_exactly_its_rows(tmp_path: Path) -> None:
    """Written by the real SDK in two processes, stitched by us, delivered by the real SDK."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    environment |= {"WANDB_ERROR_REPORTING": "false"}
    offline = environment | {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)}
    for words in (["0", "8", "one"], ["5", "12", "two"]):
        command = [sys.executable, "-c", PROGRAM, *words]
        subprocess.run(command, env=offline, cwd=tmp_path, check=True, capture_output=True)
    parts = stitch(find_logs(tmp_path))
    rows = rows_of(stitch(find_logs(tmp_path)))
    folder = tmp_path / "stitched/offline-run-20260101_000000-abc"
    (folder / "files").mkdir(parents=True)
    read = write_stitched(parts, folder / "run-abc.wandb")
    stitched = read_log(folder / "run-abc.wandb")

    assert not any(segment.damage.is_corrupt for segment in read)
    assert stitched.history == rows
    assert whose_steps(rows) == list(range(12))
    assert stitched.damage == read_log(folder / "run-abc.wandb").damage
    assert (stitched.damage.lost_records, stitched.exit_code) == (0, 0)
    assert stitched.run is not None
    assert parts[0].run is not None
    assert (stitched.run.name, stitched.run.start_time) == ("two", parts[0].run.start_time)
    assert {"one": 0, "two": 5}.items() <= stitched.config.items()
    printed = "".join(line.text for line in stitched.console)
    assert "printed by one" in printed and "printed by two" in printed

    with WandbServer() as server:
        command = [Path(sys.executable).with_name("wandb"), "sync", str(folder)]
        done = subprocess.run(
            command,
            env=server.environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1200,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (server.problems, server.doubled) == ([], [])
    run = server.run("abc", project="p")
    assert (run.display_name, run.state, run.exit_code) == ("two", "finished", 0)
    assert [row["_step"] for row in run.history] == list(range(12))
    assert [row["a"] for row in run.history] == [step / 7 for step in range(12)]
    assert [row["who"] for row in run.history] == ["one"] * 5 + ["two"] * 7
    assert run.summary["only/one"] == run.summary["only/two"] == 1
    assert run.summary["nest"] == {"x": 11}


SUMMED_UP = """
import os, sys, time, wandb
from pathlib import Path
first, last, is_killed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "killed"
flushed = wandb.Settings(x_transaction_log_flush_interval=0.2)
run = wandb.init(project="p", id="abc", settings=flushed)
run.define_metric("loss", summary="min,max,mean")
run.define_metric("each/*", summary="first,last")
run.define_metric("never", summary="none")
loss = [3.0, 0.5, 2.0, 2.5, 2.2, 2.1, 0.1, float("nan"), 7]
for step in range(first, last):
    row = {"loss": loss[step % 6], "nan": loss[step], "each/x": step}
    row |= {"never": step, "nested": {"x": step}}
    if step == 4 and is_killed:
        row["only_lost"] = 1
    run.log(row, step=step)
    if step == 1:
        run.summary["set"] = 7
    if step == 4:
        run.summary["best"] = 0 if is_killed else 4
if is_killed:
    run.log({"loss": -987654.25}, step=last)
    run.log({}, step=last + 1, commit=True)  # so that the row before is in the log
    run.summary["lost"] = 1
    (log,) = Path("wandb").glob("offline-run-*/*.wandb")
    while b"-987654.25" not in log.read_bytes():
        time.sleep(0.05)
    os.kill(os.getpid(), 9)
run.finish()
"""


@pytest.fixture(scope="module")
def summed_up(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The logs of a run that was never killed, and of one that was and went on at step 3."""
    logs = {}
    for name, commands in {"whole": ["0 9 no"], "killed": ["0 6 killed", "3 9 no"]}.items():
        folder = tmp_path_factory.mktemp(name)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "WANDB_MODE": "offline"}
        for words in commands:
            command = [sys.executable, "-c", SUMMED_UP, *words.split()]
            subprocess.run(command, env=environment, cwd=folder, capture_output=True)
        logs[name] = find_logs(folder)
    return logs


def summary_as_text(values: dict[str, Any]) -> str:
    lasting = {k: v for k, v in values.items() if k not in ("_timestamp", "_runtime", "_wandb")}
    return json.dumps(canonical(lasting))


def test_a_run_that_was_killed_is_summed_up_as_one_that_was_not(
    summed_up: dict[str, list[Path]], tmp_path: Path
) -> None:
    export_logs(summed_up["whole"], tmp_path / "whole")
    export_logs(summed_up["killed"], tmp_path / "killed")
    whole, killed = (
        read_json(tmp_path / name / "run_summary.json")["summary"] for name in ("whole", "killed")
    )
    assert whole["loss"] == {"min": 0.5, "max": 3, "mean": pytest.approx(17.8 / 9)}
    assert (whole["set"], whole["best"], whole["each/x"]) == (7, 4, {"first": 0, "last": 8})
    assert summary_as_text(killed) == summary_as_text(whole)


def test_a_server_gets_that_summary_afterwards_and_live(
    summed_up: dict[str, list[Path]], tmp_path: Path
) -> None:
    whole = summary_as_text(read_log(summed_up["whole"][0]).summary)
    write_stitched(stitch(summed_up["killed"]), tmp_path / "after.wandb")
    assert summary_as_text(read_log(tmp_path / "after.wandb").summary) == whole
    follow_stitched(stitch(summed_up["killed"]), tmp_path / "live.wandb", lambda: True)
    assert summary_as_text(read_log(tmp_path / "live.wandb").summary) == whole


def whose_steps(rows: list[Row]) -> list[int]:
    return [int(row["_step"]) for row in rows]
