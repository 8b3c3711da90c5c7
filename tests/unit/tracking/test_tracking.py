"""The helpers for training programs: system metrics, GPUs, the picture of the curves."""

import subprocess
import sys

import psutil
import pytest
from caduceus.system import nvml
from caduceus.tracking.curve_picture import draw_curves
from caduceus.tracking.system_metrics import Sampler, gpu_metrics
from fake_nvml import FakeNvml
from projects import wait_for


def test_the_sampler_measures_this_process_and_its_children() -> None:
    this = psutil.Process()
    others = sum(each.memory_info().rss for each in this.children(recursive=True))
    sampler = Sampler(interval_s=0.2)
    code = "x = bytearray(300_000_000)\nprint('on', flush=True)\nwhile True: pass"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    found: list[dict[str, float]] = []

    def has_used_the_cpu() -> bool:
        found.append(sampler.collect())
        return len(found) > 1 and found[-1].get("system/cpu_percent", 0) > 5

    try:
        assert child.stdout.read(3) == b"on\n"
        wait_for(has_used_the_cpu)
    finally:
        child.kill()
        child.communicate()
        sampler.stop()
    metrics = found[-1]
    own = (this.memory_info().rss + others) / 1e9

    assert metrics.keys() == {"system/cpu_percent", "system/memory_used_gb"} | (
        {"system/gpu_utilization", "system/gpu_memory_used_gb"} & metrics.keys()
    )
    assert metrics["system/cpu_percent"] < 300
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
