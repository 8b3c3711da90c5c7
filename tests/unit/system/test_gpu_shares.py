"""Shares of a GPU: runs fill one up and never exceed it.

NVML is a mock here; locks and processes are real.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from caduceus.errors import ResourceError
from caduceus.system import gpus, nvml
from fake_nvml import FakeNvml

FREE = FakeNvml(used=(0, 0, 0))
PROCESSES = get_context("fork")


def _hold(amount: float, folder: Path, said: Connection) -> None:
    """Reserve an amount, tell of waiting and of holding it, and keep it until the test says so."""
    is_waiting = False

    def note() -> bool:
        nonlocal is_waiting
        if not is_waiting:
            is_waiting = True
            said.send("waits")
        return True

    with gpus.reserved(amount, folder, note, FREE, poll_s=0.02) as reservation:
        said.send(reservation.uuids)
        said.recv()


class Holder:
    """A process that reserves an amount of the GPUs."""

    def __init__(self, amount: float, folder: Path):
        self.says, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_hold, args=(amount, folder, theirs))
        self.process.start()

    def answer(self) -> object:
        """What it says next: that it waits, or which GPUs it holds."""
        return self.says.recv()

    def end(self) -> None:
        self.says.send("end")
        self.process.join()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


Start = Callable[[float], Holder]


@pytest.fixture(autouse=True)
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that reserves an amount; those that are left are killed."""
    started = []

    def begin(amount: float) -> Holder:
        started.append(Holder(amount, tmp_path))
        return started[-1]

    yield begin
    for holder in started:
        holder.kill()


def test_four_quarters_run_together_and_the_fifth_waits(start: Start) -> None:
    quarters = [start(0.25) for _ in range(4)]
    assert [quarter.answer() for quarter in quarters] == [["GPU-aa11"]] * 4
    fifth = start(0.25)
    assert fifth.answer() == "waits"
    quarters[2].end()
    assert fifth.answer() == ["GPU-aa11"]


def test_a_whole_gpu_and_shares_of_it_wait_for_each_other(start: Start) -> None:
    share = start(0.05)
    assert share.answer() == ["GPU-aa11"]
    whole = start(1)
    assert whole.answer() == "waits"
    share.end()
    assert whole.answer() == ["GPU-aa11"]
    late = start(0.05)
    assert late.answer() == "waits"
    whole.end()
    assert late.answer() == ["GPU-aa11"]


def test_the_share_of_a_killed_run_is_free(start: Start) -> None:
    most, rest = start(0.75), start(0.25)
    assert (most.answer(), rest.answer()) == (["GPU-aa11"], ["GPU-aa11"])
    waiting = start(0.5)
    assert waiting.answer() == "waits"
    most.kill()
    assert waiting.answer() == ["GPU-aa11"]


def test_a_program_that_outlives_us_keeps_its_share(tmp_path: Path) -> None:
    with gpus.reserved(0.75, tmp_path, library=FREE) as reservation:
        kept = [os.dup(descriptor) for descriptor in reservation.locks]  # as a child inherits them
    assert not _fits(0.5, tmp_path)
    assert _fits(0.25, tmp_path)
    for descriptor in kept:
        os.close(descriptor)
    assert _fits(1, tmp_path)


def _fits(amount: float, folder: Path) -> bool:
    """Whether an amount is free now."""
    try:
        with gpus.reserved(amount, folder, lambda: False, FREE):
            return True
    except ResourceError:
        return False


@pytest.mark.parametrize(
    "shares",
    [[0.5, 0.25, 0.25], [0.125] * 8, [0.3333] * 3, [0.1] * 10, [0.7, 0.2, 0.1], [0.35, 0.65]],
)
def test_shares_that_sum_up_to_one_fit_and_no_more(tmp_path: Path, shares: list[float]) -> None:
    with ExitStack() as stack:
        for share in shares:
            stack.enter_context(gpus.reserved(share, tmp_path, library=FREE))
        assert not _fits(0.01, tmp_path)
        assert not _fits(1, tmp_path)
    assert _fits(1, tmp_path)


def test_the_least_share_counts_and_the_largest_fills_a_gpu(tmp_path: Path) -> None:
    with gpus.reserved(1e-9, tmp_path, library=FREE):
        assert not _fits(0.9999999, tmp_path)
    with gpus.reserved(0.9999999, tmp_path, library=FREE):
        assert not _fits(1e-9, tmp_path)


def test_shares_fill_a_gpu_that_is_shared_and_leave_others_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    # The first is used by a program that takes no locks; the second by the first run, from then on.
    library = FakeNvml(used=(40 << 30, 0, 0))
    with ExitStack() as stack:

        def take(amount: float) -> list[str]:
            return stack.enter_context(gpus.reserved(amount, tmp_path, library=library)).uuids

        assert take(0.5) == ["GPU-bb22"]
        library.used = (40 << 30, 60 << 30, 0)
        assert take(0.25) == ["GPU-bb22"]
        assert take(0.75) == ["GPU-cc33"]
        assert take(0.25) == ["GPU-bb22"]
        assert take(0.25) == ["GPU-cc33"]
        assert take(1) == ["GPU-aa11"]


def test_a_share_hides_the_other_gpus_and_leaves_its_energy_unknown(tmp_path: Path) -> None:
    library = FakeNvml(used=(0, 0, 0))
    with gpus.reserved(0.25, tmp_path, library=library) as reservation:
        library.energy_mj += 1_500
        assert reservation.share == 0.25
        assert reservation.environment["CUDA_VISIBLE_DEVICES"] == "0"
        assert reservation.models == [nvml.GpuModel("NVIDIA H100", 80.0)]
        assert reservation.meter.used_j() is None
    with gpus.reserved(1, tmp_path, library=library) as reservation:
        assert reservation.share is None


def test_a_waiting_share_says_for_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gpus.reserved(1, tmp_path, library=FREE):
        assert not _fits(0.25, tmp_path)
    assert capsys.readouterr().err == (
        "caduceus train: waiting for a share of 0.25 in one of 1 GPUs; other runs of this host "
        f"hold the rest (locks in {tmp_path})\n"
    )
    with (
        pytest.raises(ResourceError, match=r"the run needs 0\.25, and this host has none"),
        gpus.reserved(0.25, tmp_path, library=FakeNvml(is_there=False)),
    ):
        pass


def test_many_shares_at_once_neither_exceed_a_gpu_nor_deadlock(tmp_path: Path) -> None:
    holds: dict[threading.Thread, float] = {}
    sums: list[float] = []
    changing = threading.Lock()

    def work(amount: float) -> None:
        for _ in range(4):
            with gpus.reserved(amount, tmp_path, library=FREE, poll_s=0.02):
                with changing:
                    holds[threading.current_thread()] = amount
                    sums.append(sum(holds.values()))
                with changing:
                    del holds[threading.current_thread()]

    amounts = (0.5, 0.5, 0.25, 0.75, 0.3, 1)
    threads = [threading.Thread(target=work, args=[amount]) for amount in amounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert len(sums) == 4 * len(amounts)
    assert max(sums) <= 1.000001


def test_every_user_can_lock_shares_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with gpus.reserved(0.5, tmp_path / "locks", library=FREE):
            modes = {path.name: path.stat().st_mode for path in (tmp_path / "locks").iterdir()}
    finally:
        os.umask(before)
    assert {name: stat.S_IMODE(mode) for name, mode in modes.items()} == {
        "GPU-aa11": 0o644,
        "GPU-aa11.shares": 0o666,
    }
    for path in (tmp_path / "locks").iterdir():  # as a clean-up of the host does
        path.unlink()
    assert _fits(0.5, tmp_path / "locks")


def test_no_user_finds_a_file_or_folder_before_all_may_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "locks"
    seen: list[tuple[str, bool]] = []
    change_file, change_folder = os.fchmod, Path.chmod

    def fchmod(descriptor: int, mode: int) -> None:
        names = [path.name for path in folder.iterdir()]
        wanted = "GPU-aa11.shares" if mode == 0o666 else "GPU-aa11"
        seen.append((wanted, wanted in names))
        change_file(descriptor, mode)

    def chmod(path: Path, mode: int) -> None:
        seen.append(("locks", folder.exists()))
        change_folder(path, mode)

    monkeypatch.setattr(os, "fchmod", fchmod)
    monkeypatch.setattr(Path, "chmod", chmod)
    assert _fits(0.5, folder)
    assert seen == [("locks", False), ("GPU-aa11", False), ("GPU-aa11.shares", False)]
    assert sorted(path.name for path in folder.iterdir()) == ["GPU-aa11", "GPU-aa11.shares"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_two_users_share_a_gpu(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"caduceus-test-{os.getpid()}"
    with gpus.reserved(0.5, folder, library=FREE):
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            os._exit(0 if _fits(0.5, folder) and not _fits(0.75, folder) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_a_place_that_cannot_hold_shares_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "GPU-aa11.shares").mkdir()
    with (
        pytest.raises(ResourceError, match="Is a directory: this file locks a GPU; remove"),
        gpus.reserved(0.5, tmp_path, library=FREE),
    ):
        pass
    assert _fits(1, tmp_path)
