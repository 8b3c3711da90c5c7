"""GPUs: each run takes its own. NVML is a mock here; locks and processes are real."""

import os
import stat
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from caduceus.errors import ResourceError
from caduceus.runs.files.train import Compute
from caduceus.system import gpus, nvml
from fake_nvml import FakeNvml
from run_files import attempt

FREE = FakeNvml(used=(0, 0, 0))


@pytest.fixture(autouse=True)
def all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_runs_get_gpus_of_their_own_and_the_next_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(gpus.reserved(1, tmp_path, library=FREE))
        second = stack.enter_context(gpus.reserved(2, tmp_path, library=FREE))
        assert first.uuids == ["GPU-aa11"]
        assert first.environment == {
            "CUDA_VISIBLE_DEVICES": "0",
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        }
        assert second.uuids == ["GPU-bb22", "GPU-cc33"]
        assert second.environment["CUDA_VISIBLE_DEVICES"] == "1,2"

        with (
            pytest.raises(ResourceError, match="stopped waiting: another host"),
            gpus.reserved(1, tmp_path, should_continue=lambda: False, library=FREE),
        ):
            pass
    assert capsys.readouterr().err == (
        "caduceus train: waiting for 1 free of 3 GPUs; other runs of this host hold the rest "
        f"(locks in {tmp_path})\n"
    )
    with gpus.reserved(3, tmp_path, library=FREE) as share:
        assert len(share.uuids) == 3


@pytest.mark.parametrize(
    ("visible", "count", "names", "uuids"),
    [
        ("2,0", 1, "2", ["GPU-cc33"]),
        ("2,0", 2, "2,0", ["GPU-cc33", "GPU-aa11"]),
        ("GPU-bb22,GPU-c", 2, "GPU-bb22,GPU-c", ["GPU-bb22", "GPU-cc33"]),
        ("MIG-dd44,GPU-bb22", 1, "MIG-dd44", ["MIG-dd44"]),
    ],
)
def test_the_names_are_those_of_the_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    visible: str,
    count: int,
    names: str,
    uuids: list[str],
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(nvml, "used_memory", lambda *_: 0)
    with gpus.reserved(count, tmp_path, library=FREE) as share:
        assert share.environment["CUDA_VISIBLE_DEVICES"] == names
        assert share.uuids == uuids
        # What the program then samples are the GPUs it computes on.
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", names)
        assert [gpu.uuid for gpu in nvml.find_gpus(FREE)] == uuids


def test_a_gpu_that_others_use_is_taken_last(tmp_path: Path) -> None:
    busy = FakeNvml(used=(30 << 30, 0, 40 << 30))
    with (
        gpus.reserved(1, tmp_path, library=busy) as first,
        gpus.reserved(1, tmp_path, library=busy) as second,
    ):
        assert (first.uuids, second.uuids) == (["GPU-bb22"], ["GPU-aa11"])


def test_a_run_without_gpus_sees_none(tmp_path: Path) -> None:
    with gpus.reserved(0, tmp_path, library=FREE) as share:
        assert (share.uuids, share.models, share.locks) == ([], [], [])
        assert share.environment == {"CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize(
    ("is_there", "visible", "expected"),
    [
        (True, None, "this host has 3 that NVML shows; lower resources.gpus"),
        (True, "1,0,1", "this host has 2 in CUDA_VISIBLE_DEVICES=1,0,1 that NVML shows"),
        (False, None, "this host has none that NVML shows"),
    ],
)
def test_more_gpus_than_there_are_is_an_error_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_there: bool,
    visible: str | None,
    expected: str,
) -> None:
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    library = FakeNvml(is_there)
    with (
        pytest.raises(ResourceError, match=f"GPUs: the run needs 4, and {expected}"),
        gpus.reserved(4, tmp_path, library=library),
    ):
        pass


def test_a_program_that_outlives_us_keeps_its_gpu(tmp_path: Path) -> None:
    with gpus.reserved(3, tmp_path, library=FREE) as share:
        words = [sys.executable, "-c", "input()"]
        program = subprocess.Popen(words, pass_fds=share.locks, stdin=subprocess.PIPE)
    try:
        with pytest.raises(ResourceError), gpus.reserved(1, tmp_path, lambda: False, FREE):
            pass
    finally:
        program.communicate(b"\n")
    with gpus.reserved(3, tmp_path, library=FREE):
        pass


def test_many_runs_that_want_several_gpus_neither_share_nor_deadlock(tmp_path: Path) -> None:
    holders: Counter[str] = Counter()
    most: list[int] = []

    def work(count: int) -> None:
        for _ in range(5):
            with gpus.reserved(count, tmp_path, library=FREE, poll_s=0.05) as share:
                holders.update(share.uuids)
                most.append(max(holders.values()))
                threading.Event().wait(0.005)
                holders.subtract(share.uuids)

    threads = [threading.Thread(target=work, args=[count]) for count in (2, 2, 1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert len(most) == 20
    assert max(most) == 1


def test_locks_are_open_to_every_user_and_survive_a_clean_up(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with gpus.reserved(1, tmp_path / "locks", library=FREE):
            assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o1777
            assert stat.S_IMODE((tmp_path / "locks/GPU-aa11").stat().st_mode) == 0o644
    finally:
        os.umask(before)
    (tmp_path / "locks/GPU-aa11").unlink()
    with (
        gpus.reserved(1, tmp_path / "locks", library=FREE) as first,
        gpus.reserved(1, tmp_path / "locks", library=FREE) as second,
    ):
        assert first.uuids != second.uuids


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_users_locks_hold_us_off(tmp_path: Path) -> None:
    with gpus.reserved(3, folder := Path("/tmp") / f"caduceus-test-{os.getpid()}", library=FREE):
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                with gpus.reserved(1, folder, lambda: False, FREE):
                    os._exit(1)
            except ResourceError as error:
                os._exit(0 if "stopped waiting" in str(error) else 2)
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_a_place_that_cannot_hold_locks_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("")
    with (
        pytest.raises(ResourceError, match="Not a directory: this file locks a GPU; remove"),
        gpus.reserved(1, tmp_path / "locks", library=FREE),
    ):
        pass


def test_a_share_says_what_its_gpus_are_and_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = FakeNvml(used=(0, 0, 0))
    with gpus.reserved(2, tmp_path, library=library) as share:
        library.energy_mj += 1_500
        assert share.models == [nvml.GpuModel("NVIDIA H100", 80.0)] * 2
        assert share.meter.used_j() == 3.0
        library.energy_mj = 0  # as when the driver is loaded anew
        assert share.meter.used_j() is None
    with gpus.reserved(0, tmp_path, library=library) as share:
        assert share.meter.used_j() is None

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-dd44")
    with gpus.reserved(1, tmp_path, library=library) as share:
        assert share.models == [nvml.GpuModel("NVIDIA H100 MIG 1g.10gb", 10.0)]
        assert share.meter.used_j() is None


def test_the_compute_of_a_run_counts_its_gpus() -> None:
    attempts = [
        attempt(1, cpu_s=None, peak_memory_gb=None, wall_s=0.5, lost_s=0.5),
        attempt(
            2,
            cpu_s=1.0,
            peak_memory_gb=2.0,
            wall_s=2.5,
            lost_s=0.5,
            gpus=("GPU-aa11", "GPU-bb22"),
        ),
        attempt(3, cpu_s=1.0, peak_memory_gb=2.0, wall_s=1.0, lost_s=None),
        attempt(4, cpu_s=0.0, wall_s=2.0, gpus=("GPU-aa11",), gpu_share=0.25),
    ]
    assert Compute.of(attempts) == Compute(
        wall_s=6.0, cpu_s=2.0, gpu_s=5.5, lost_s=1.0, peak_memory_gb=2.0
    )


@pytest.mark.gpu
@pytest.mark.skipif(not nvml.visible_gpus(), reason="this machine has no NVIDIA GPU")
def test_torch_computes_on_the_real_gpu_that_was_taken(tmp_path: Path) -> None:
    with gpus.reserved(1, tmp_path) as share:
        code = (
            "from torch import cuda\nprint(cuda.device_count(), cuda.get_device_properties(0).uuid)"
        )
        words = [sys.executable, "-c", code]
        environment = os.environ | share.environment
        printed = subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
    assert printed[0] == "1"
    assert printed[1] in share.uuids[0]
