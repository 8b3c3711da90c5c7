"""The helpers for training programs, started by hand and under Caduceus."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from caduceus.system import nvml
from caduceus.tracking.curve_picture import draw_curves
from caduceus.tracking.system_metrics import Sampler, gpu_metrics
from caduceus.wandb_log import Segment, read_log
from fake_nvml import FakeNvml

PROGRAM = """
import sys, time
from caduceus import tracking
with tracking.start() as run:
    assert tracking.dataset_path() is None
    for step in (10, 20, 30):
        run.log({"train/loss": 1 / step, "other": "text"}, step=step)
        time.sleep(0.6)
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


def test_the_sampler_measures_this_process_and_its_children() -> None:
    this = psutil.Process()
    others = sum(each.memory_info().rss for each in this.children(recursive=True))
    sampler = Sampler(interval_s=0.2)
    child = subprocess.Popen([sys.executable, "-c", "x = bytearray(300_000_000)\nwhile True: pass"])
    try:
        time.sleep(1.5)
        sampler.collect()
        time.sleep(0.5)
        metrics = sampler.collect()
    finally:
        child.kill()
        child.wait()
        sampler.stop()
    own = (this.memory_info().rss + others) / 1e9

    assert metrics.keys() == {"system/cpu_percent", "system/memory_used_gb"} | (
        {"system/gpu_utilization", "system/gpu_memory_used_gb"} & metrics.keys()
    )
    assert 5 < metrics["system/cpu_percent"] < 300  # a busy machine gives little
    assert own + 0.2 < metrics["system/memory_used_gb"] < own + 0.5
    sampler.collect()
    assert sampler.collect() == {}  # it has stopped


def test_gpu_metrics_are_absent_without_a_gpu_and_summed_over_several() -> None:
    assert gpu_metrics([]) == {}
    assert gpu_metrics([nvml.GpuSample(40, 2.0)]) == {
        "system/gpu_utilization": 40,
        "system/gpu_memory_used_gb": 2.0,
    }
    assert gpu_metrics([nvml.GpuSample(40, 2.0), nvml.GpuSample(60, 1.0)]) == {
        "system/gpu_utilization": 50,
        "system/gpu_memory_used_gb": 3.0,
        "system/gpu0_utilization": 40,
        "system/gpu0_memory_used_gb": 2.0,
        "system/gpu1_utilization": 60,
        "system/gpu1_memory_used_gb": 1.0,
    }


@pytest.mark.parametrize(
    ("visible", "handles"),
    [
        (None, [0, 1, 2]),
        ("2,0", [2, 0]),
        ("GPU-bb22,GPU-c", [1, 2]),
        ("0,7,1", [0]),  # CUDA stops at the first that doesn't exist
        ("MIG-dd44,1", ["MIG-dd44", 1]),
        ("MIG-ee55,1", []),
        ("-1", []),
        ("", []),
    ],
)
def test_only_visible_gpus_are_sampled(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, handles: list[int | str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert nvml.visible_gpus(FakeNvml()) == handles


def test_a_gpu_that_does_not_answer_is_left_out() -> None:
    assert nvml.sample([0, 1, 2], FakeNvml()) == [nvml.GpuSample(0, 2.0), nvml.GpuSample(20, 2.0)]


def test_a_gpu_that_was_lost_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeNvml()
    find = library.nvmlDeviceGetHandleByIndex

    def lose_the_second(index: int) -> int:
        if index == 1:
            raise library.NVMLError
        return find(index)

    monkeypatch.setattr(library, "nvmlDeviceGetHandleByIndex", lose_the_second)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [(gpu.name, gpu.handle) for gpu in nvml.find_gpus(library)] == [("0", 0), ("2", 2)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-aa11")
    assert [gpu.uuid for gpu in nvml.find_gpus(library)] == ["GPU-cc33", "GPU-aa11"]
    found = nvml.driver(library)
    assert found is not None and len(found.gpus) == 2


def test_without_a_driver_there_is_no_gpu() -> None:
    assert nvml.visible_gpus(FakeNvml(is_there=False)) == []


@pytest.mark.gpu
@pytest.mark.skipif(not nvml.visible_gpus(), reason="this machine has no NVIDIA GPU")
def test_a_real_gpu_is_sampled() -> None:
    (first, *_) = nvml.sample(nvml.visible_gpus())
    assert 0 <= first.utilization <= 100
    assert first.memory_used_gb > 0


def test_the_picture_of_the_curves_is_the_same_each_time() -> None:
    curves = {"train/loss": ([1, 2], [1.0, 0.5]), "learning_rate": ([1, 2], [0.1, 0.1])}
    first, second = draw_curves(curves), draw_curves(curves)
    assert first.size == (800, 520)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != draw_curves({}).tobytes()
