"""Programs that use the tracking helpers, with the real wandb: by hand, and restored."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.io.files import read_json
from caduceus.wandb_log import Segment, find_logs, iter_run, read_log, stitch

PROGRAM = """
import sys, time
from caduceus import tracking
with tracking.start() as run:
    assert tracking.dataset_path() is None
    for step in (10, 20, 30):
        run.log({"train/loss": 1 / step, "other": "text"}, step=step)
        while not run._sampler._samples:
            time.sleep(0.05)
    run.log_curves(30)
    run.log_confusion_matrix([0, 1, 1], [0, 1, 0], ["no", "yes"], 30)
    path = tracking.output_folder() / "model.pt"
    path.write_text("weights")
    run.save_model(path, {"loss": 0.1})
    run.save_predictions(path)
"""


def test_by_hand_a_program_is_a_plain_wandb_run(tmp_path: Path) -> None:
    environment = {"WANDB_MODE": "offline", "WANDB_DATA_DIR": str(tmp_path), "PATH": ""}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, check=True)
    (path,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    segment = read_log(path)

    assert (tmp_path / "output/model.pt").exists()
    assert [row["_step"] for row in segment.history] == ["10", "20", "30"]
    # The samples join the program's rows: they neither add a row nor shift a step.
    assert float(segment.history[1]["system/memory_used_gb"]) > 0.01
    assert "visualizations/loss_curves._type" in segment.history[2]
    assert "visualizations/confusion_matrix_table._type" in segment.history[2]
    kinds = {artifact.type for artifact in segment.artifacts}
    assert kinds == {"run_table", "model", "results"}
    assert segment.exit_code == 0


def start_by_hand(tmp_path: Path, code: str) -> tuple[Segment, str]:
    environment = {"WANDB_MODE": "offline", "WANDB_DATA_DIR": str(tmp_path), "PATH": ""}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    (path,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    return read_log(path), finished.stderr


def test_thinned_rows_keep_the_last_value_of_each_metric(tmp_path: Path) -> None:
    segment, _ = start_by_hand(
        tmp_path,
        "from caduceus import tracking\n"
        "with tracking.start(log_every=4) as run:\n"
        "    for step in range(10):\n"
        "        run.log({'a': step}, step=step)\n"
        "        run.log({'seldom': step} if step == 2 else {'b': step}, step=step)\n",
    )
    rows = [(row["_step"], row["a"], row.get("b"), row.get("seldom")) for row in segment.history]
    assert rows == [
        ("0", "0", "0", None),
        ("4", "4", "4", "2"),
        ("8", "8", "8", None),
        ("9", "9", "9", None),
    ]


def test_rows_may_be_thinned_by_time(tmp_path: Path) -> None:
    segment, _ = start_by_hand(
        tmp_path,
        "from caduceus import tracking\n"
        "with tracking.start(log_every_s=3600) as run:\n"
        "    for step in range(1000):\n"
        "        run.log({'a': step}, step=step)\n",
    )
    assert [row["_step"] for row in segment.history] == ["0", "999"]


def test_large_media_are_scaled_down_or_left_out(tmp_path: Path) -> None:
    segment, said = start_by_hand(
        tmp_path,
        "import numpy as np, wandb\n"
        "from caduceus import tracking\n"
        "noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)\n"
        "with tracking.start(media_limit_mb=0.05) as run:\n"
        "    for step in (3, 4):\n"
        "        run.log({'large': wandb.Image(noise), 'small': wandb.Image(noise[:9, :9]),\n"
        "                 'page': wandb.Html('x' * 80_000), 'a': 1}, step=step)\n",
    )
    row = segment.history[0]
    width, height = int(row["large.width"]), int(row["large.height"])
    assert width / height == pytest.approx(2 / 3, rel=0.05)
    assert 20_000 < int(row["large.size"]) <= 50_000
    assert row["small.width"] == "9"
    assert row["a"] == "1"
    assert not any(name.startswith("page") for name in row)
    assert said.count("caduceus: page is left out: larger than 0.05 MB") == 1
    # Named after its own step, whatever was logged before.
    assert "large_3_" in row["large.path"]


@pytest.mark.parametrize("infinity", ["float('inf')", "numpy.float32('inf')"])
def test_an_error_ends_the_run_as_failed(tmp_path: Path, infinity: str) -> None:
    environment = {"WANDB_MODE": "offline", "WANDB_DATA_DIR": str(tmp_path), "PATH": ""}
    code = PROGRAM.replace("1 / step", infinity).replace("sys, time", "numpy, sys, time")
    failed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    (path,) = tmp_path.glob("wandb/offline-run-*/*.wandb")

    assert "DivergedError: train/loss is inf at step 10: lower the learning rate" in failed.stderr
    assert read_log(path).exit_code == 1
    assert [row["_step"] for row in read_log(path).history] == ["10"]


DIRECT = """
import os, sys
from caduceus import tracking

run = tracking.start()
first = run.restore()
for step in range(first, 6):
    if "both" in sys.argv:
        run.log({"loss": 1.0}, step)
    run.wandb.log({"eval/x": step}, step=None if "uncounted" in sys.argv else step)
    run.checkpoint(step, every_s=0)
    if step == 2 and first == 0:
        os.kill(os.getpid(), 9)
run.finish()
"""


@pytest.mark.parametrize("way", [("both",), ("alone",), ("uncounted",)], ids=lambda way: way[0])
def test_what_is_logged_past_the_tracked_run_is_not_lost(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    logs = []
    for attempt in ("1", "2"):
        folder = tmp_path / attempt
        folder.mkdir()
        variables = {
            "WANDB_MODE": "offline",
            "WANDB_SILENT": "true",
            "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "0.25",
            "WANDB_RUN_ID": "abc",
            "WANDB_DIR": str(folder),
            "CADUCEUS_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
            "CADUCEUS_RESTORED": str(folder / "restored.json"),
        }
        words = [sys.executable, "-c", DIRECT, *way]
        subprocess.run(words, env=os.environ | variables, cwd=tmp_path, check=attempt == "2")
        logs += find_logs(folder)
    note = read_json(tmp_path / "2/restored.json")
    parts = stitch(logs, {logs[0]: None, logs[1]: note["resumed_from"]})
    rows = list(iter_run(parts))
    assert [int(row["_step"]) for row in rows] == list(range(6))
    assert [int(row["eval/x"]) for row in rows] == list(range(6))
    if way == ("both",):
        assert all("loss" in row for row in rows)


def test_a_row_with_media_after_one_that_was_logged_past_us_is_written(tmp_path: Path) -> None:
    code = """
import numpy, os, wandb
from caduceus import tracking

run = tracking.start()
run.restore()
run.wandb.log({"eval/x": 1}, step=0, commit=True)
run.log({"picture": wandb.Image(numpy.zeros((4, 4, 3)))}, 1)
run.checkpoint(1, every_s=0)
os.kill(os.getpid(), 9)
"""
    variables = {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "0.25",
        "WANDB_DIR": str(tmp_path),
        "CADUCEUS_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
    }
    words = [sys.executable, "-c", code]
    subprocess.run(words, env=os.environ | variables, cwd=tmp_path, timeout=1200, check=False)
    (log,) = find_logs(tmp_path)
    assert [row["_step"] for row in iter_run(stitch([log]))] == ["0", "1"]


def test_a_thinned_row_with_media_is_logged_before_a_checkpoint(tmp_path: Path) -> None:
    code = """
import numpy, os, wandb
from caduceus import tracking

run = tracking.start(log_every=5)
first = run.restore()
for step in range(first, 8):
    row = {"loss": 1.0}
    if step == 2:
        row["picture"] = wandb.Image(numpy.zeros((4, 4, 3)))
    run.log(row, step)
    run.checkpoint(step, every_s=0)
    if step == 3 and first == 0:
        raise SystemExit(0)
run.finish()
"""
    for attempt in ("1", "2"):
        (tmp_path / attempt).mkdir()
        variables = {
            "WANDB_MODE": "offline",
            "WANDB_SILENT": "true",
            "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "0.25",
            "WANDB_DIR": str(tmp_path / attempt),
            "CADUCEUS_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
        }
        words = [sys.executable, "-c", code]
        subprocess.run(words, env=os.environ | variables, cwd=tmp_path, check=True)
    assert len(list(tmp_path.rglob("*.png"))) == 1
