"""`caduceus export`: any W&B folder, also of runs this project never saw."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from caduceus.__main__ import main
from caduceus.wandb_log import find_logs

PROGRAM = """
import wandb
for seed, group in ((0, "g"), (1, "g"), (2, None)):
    with wandb.init(project="p", id=f"run{seed}", group=group, config={"seed": seed}) as run:
        for step in range(3):
            run.log({"loss": seed / (step + 1), "label": f"a,{step}", "deep": {"x": step}})
        artifact = wandb.Artifact("notes", type="results")
        with artifact.new_file("a.txt") as stream:
            stream.write(str(seed))
        run.log_artifact(artifact)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What wandb leaves of three runs by hand."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {
        "PATH": os.environ["PATH"],
        "WANDB_MODE": "offline",
        "WANDB_DATA_DIR": str(folder / "wandb/data"),
    }
    command = [sys.executable, "-c", PROGRAM]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_run_and_group_is_exported(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(folder), "--out", str(tmp_path), "--groups"]) == 0
    assert f"exported runs: 3, to {tmp_path}" in capfd.readouterr().out

    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["run0", "run1", "run2"]
    run = tmp_path / "runs/run1"
    rows = rows_of(run / "metrics_history.csv")
    assert [(row["loss"], row["label"], row["deep.x"]) for row in rows] == [
        ("1", "a,0", "0"),
        ("0.5", "a,1", "1"),
        ("0.3333333333333333", "a,2", "2"),
    ]
    summary = json.loads((run / "run_summary.json").read_text())
    assert (summary["run_id"], summary["state"], summary["group"]) == ("run1", "finished", "g")
    assert summary["config"] == {"seed": 1}
    assert (run / "artifacts/notes/a.txt").read_text() == "1"
    groups = tmp_path / "groups"
    assert [row["run"] for row in rows_of(groups / "g/runs.csv")] == ["run0", "run1"]
    history = pq.read_table(groups / "g/history.parquet")
    assert history.column("loss").to_pylist() == [0, 0, 0, 1, 0.5, 1 / 3]
    assert history.column("label").to_pylist()[:2] == ["a,0", "a,1"]
    assert len(rows_of(groups / "ungrouped/runs.csv")) == 1


def test_what_is_lost_is_said_and_the_rest_exported(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs"
    for log in find_logs(folder):
        (logs / log.parent.name).mkdir(parents=True)
        (logs / log.parent.name / log.name).write_bytes(log.read_bytes())
    first, second, third = find_logs(logs)
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    second.write_bytes(second.read_bytes()[:-3])  # killed: no damage
    third.write_bytes(b"")
    (folder / "wandb/data").rename(folder / "wandb/gone")
    try:
        assert main(["export", str(logs), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 3
    finally:
        (folder / "wandb/gone").rename(folder / "wandb/data")
    said = capfd.readouterr().err

    assert f"caduceus export: {third}: the file is too short to be a .wandb log" in said
    assert "caduceus export: run0: the log is damaged: {'corrupt_blocks': 1" in said
    assert "caduceus export: run1: artifact notes, file a.txt: " in said
    assert "is missing" in said
    manifest = json.loads((tmp_path / "out/runs/run0/manifest.json").read_text())
    assert manifest["damage"]["corrupt_blocks"] == 1
    assert len(rows_of(tmp_path / "out/runs/run1/metrics_history.csv")) == 3


ALIKE = """
import wandb
for entity, project in (("a_b", "c"), ("a", "b_c")):
    with wandb.init(entity=entity, project=project, id="same", group="g") as run:
        run.log({"loss": 1})
for rows in (5, 1):
    with wandb.init(project="p", id="twice") as run:
        for step in range(rows):
            run.log({"loss": step})
"""


def test_runs_of_one_id_are_kept_apart_and_an_earlier_try_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = {"PATH": os.environ["PATH"], "WANDB_MODE": "offline"}
    command = [sys.executable, "-c", ALIKE]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "wandb"), "--out", str(out), "--groups"]) == 3
    said = capfd.readouterr()

    assert "exported runs: 3" in said.out
    assert "twice: 5 rows of " in said.err
    assert "aren't in the export: a later process started the run afresh" in said.err
    assert list(
        json.loads((out / "runs/twice/manifest.json").read_text())["replaced"].values()
    ) == [5]
    names = sorted(path.name for path in (out / "runs").iterdir())
    assert names == ["a_b_c_same", "a_b_c_same-2", "twice"]
    groups = sorted(path.name.rpartition("-")[0] for path in (out / "groups").iterdir())
    assert groups == ["", "a_b_c_g", "a_b_c_g"]
    for group in (out / "groups").glob("a_*"):
        [row] = rows_of(group / "runs.csv")
        assert (row["run"], row["type"], row["git_commit"]) == ("same", "", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "no such file or folder"), (".", "no `.wandb` file here or below")],
)
def test_nothing_to_export_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    assert main(["export", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 1
    assert message in capfd.readouterr().err
