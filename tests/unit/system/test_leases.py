"""Leases: one holder at a time, on whatever host. Two hosts are two names here, on one disk."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from caduceus.io.files import read_json
from caduceus.system import leases
from caduceus.system.leases import Host
from projects import wait_for
from virtual_time import VirtualTime

pytestmark = pytest.mark.slow

HERE, THERE = Host("here", "boot-1"), Host("there", "boot-2")
# Holds a lease, and meanwhile runs a program, as a supervisor does.
HOLDER = """
import os, sys
from pathlib import Path
from caduceus.system import leases
from caduceus.system import processes
host = leases.Host(*sys.argv[1:3])
with leases.held(Path("lease.json"), Path("lock"), lambda where: None, host) as lease:
    words = [sys.executable, "-c", "import time; print('on', flush=True); time.sleep(600)"]
    with open("console", "wb") as stream:
        outcome = processes.run(
            words,
            Path(),
            os.environ,
            stream,
            inherited=[lease.lock],
            should_continue=lambda: lease.renew(at_once=True),
        )
    print(outcome.was_cancelled, outcome.signal, lease.lost_to)
"""


@contextmanager
def holder(folder: Path, host: Host) -> Iterator["subprocess.Popen[str]"]:
    console = folder / "console"
    console.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, host.name, host.boot],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: console.exists() and console.read_text() == "on\n")
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.communicate()


@contextmanager
def hold(
    folder: Path, host: Host, said: list[str] | None, lock: str = "lock"
) -> Iterator[leases.Lease]:
    """Hold the lease; another `lock` doesn't reach the other holders, as between hosts."""
    waits = None if said is None else said.append
    with leases.held(folder / "lease.json", folder / lock, waits, host) as lease:
        yield lease


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """Sleeping takes no time here; processes of their own go by the real clock."""
    return set_clock(monkeypatch, VirtualTime())


def set_clock(monkeypatch: pytest.MonkeyPatch, clock: VirtualTime) -> VirtualTime:
    monkeypatch.setattr(leases, "time", clock)
    return clock


def test_a_lease_that_nobody_holds_is_taken_at_once_and_released(
    tmp_path: Path, clock: VirtualTime
) -> None:
    for host in (HERE, THERE):
        with hold(tmp_path, host, []) as lease:
            written = read_json(tmp_path / "lease.json")
            assert (written["host"], written["pid"]) == (host.name, os.getpid())
            assert lease.renew(at_once=True)
            assert read_json(tmp_path / "lease.json")["beat"] == written["beat"] + 1
            assert lease.renew()  # too soon for another beat
            assert read_json(tmp_path / "lease.json")["beat"] == written["beat"] + 1
            clock.now += leases._HEARTBEAT_S
            assert lease.renew()
            assert read_json(tmp_path / "lease.json")["beat"] == written["beat"] + 2
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert clock.now == 2 * leases._HEARTBEAT_S


def test_another_host_waits_as_long_as_the_holder_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = 3600
    with ExitStack() as there:

        def live(_: float) -> None:
            if clock.now < hour:
                lease.renew()
            else:
                there.close()

        clock = set_clock(monkeypatch, VirtualTime(live))
        lease = there.enter_context(hold(tmp_path, THERE, []))
        said: list[str] = []
        with hold(tmp_path, HERE, said, "elsewhere"):
            assert hour <= clock.now < hour + 1
        assert said == [" on there"]


def test_who_does_not_wait_is_told_on_either_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualTime(lambda _: lease.renew(at_once=True))
    set_clock(monkeypatch, clock)
    with hold(tmp_path, THERE, []) as lease:
        for host, lock in ((HERE, "elsewhere"), (THERE, "lock")):
            with (
                pytest.raises(leases.HeldError, match="held by another process"),
                hold(tmp_path, host, None, lock),
            ):
                pass
    assert clock.now < leases._DEAD_AFTER_S


def test_after_a_killed_holder_this_host_goes_on_at_once_and_another_once_it_is_silent(
    tmp_path: Path, clock: VirtualTime
) -> None:
    said: list[str] = []
    with holder(tmp_path, HERE) as killed:
        (program,) = psutil.Process(killed.pid).children()
        killed.kill()
        killed.wait()
        program.wait(60)
        assert (tmp_path / "lease.json").exists()
        with hold(tmp_path, HERE, said):
            assert clock.now == 0
        assert said == []
        assert not (tmp_path / "lease.json").exists()
    with holder(tmp_path, HERE) as killed:
        killed.kill()
        killed.wait()
        with hold(tmp_path, THERE, said):
            assert clock.now >= leases._DEAD_AFTER_S
        assert said == [" on here"]


def test_a_program_that_outlives_its_holder_keeps_this_host_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold(tmp_path, HERE, []) as lease:
        words = [sys.executable, "-c", "input()"]
        program = subprocess.Popen(words, pass_fds=[lease.lock], stdin=subprocess.PIPE)
        left = (tmp_path / "lease.json").read_text()
    (tmp_path / "lease.json").write_text(left)  # as after a kill
    long = 2 * leases._DEAD_AFTER_S

    def end_after_long(_: float) -> None:
        if clock.now >= long and program.poll() is None:
            program.communicate(b"\n")

    clock = set_clock(monkeypatch, VirtualTime(end_after_long))
    said: list[str] = []
    with hold(tmp_path, HERE, said):
        assert long <= clock.now < long + 1
    assert said == [""]


def test_a_holder_that_was_stopped_and_wakes_up_ends_its_program(
    tmp_path: Path, clock: VirtualTime
) -> None:
    with holder(tmp_path, THERE) as stopped:
        (program,) = psutil.Process(stopped.pid).children()
        stopped.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(stopped.pid).status() == psutil.STATUS_STOPPED)
        with hold(tmp_path, HERE, [], "elsewhere") as ours:
            assert program.is_running()
            stopped.send_signal(signal.SIGCONT)
            printed, _ = stopped.communicate(timeout=1200)
            assert printed == "True 15 here\n"
            assert not program.is_running()
            assert ours.renew(at_once=True)  # it has left our lease alone


@pytest.mark.parametrize("seed", range(10))
def test_of_those_that_take_over_a_dead_lease_one_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Each write may take nearly as long as the pause after a takeover."""
    (tmp_path / "lease.json").write_text("")  # as a power cut leaves it
    clock = set_clock(monkeypatch, VirtualTime())
    drawn = random.Random(seed)
    write = leases._write

    def write_late(path: Path, content: object) -> None:
        clock.sleep(drawn.uniform(0, 0.9 * leases._SETTLE_S))
        write(path, content)

    monkeypatch.setattr(leases, "_write", write_late)
    at_once: list[int] = []
    most: list[int] = []

    def want(number: int) -> None:
        with hold(tmp_path, Host(f"host-{number}", ""), [], f"lock-{number}") as lease:
            at_once.append(number)
            most.append(len(at_once))
            for _ in range(10):
                clock.sleep(leases._HEARTBEAT_S)
                assert lease.renew()
            at_once.remove(number)

    clock.run(*(functools.partial(want, number) for number in range(4)))
    assert most == [1, 1, 1, 1]


def test_who_takes_over_looks_whether_another_did_so_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lease.json"
    path.write_text("")
    rival = {"token": "x", "host": "rival", "boot": "", "job": "7", "beat": 0}
    slept: list[float] = []

    def interfere(seconds: float) -> None:
        slept.append(seconds)
        if slept.count(leases._SETTLE_S) and rival:
            path.write_text(json.dumps(rival))
            rival.clear()
        elif not rival:
            path.unlink()  # it has done its work

    clock = set_clock(monkeypatch, VirtualTime(interfere))
    said: list[str] = []
    with hold(tmp_path, HERE, said):
        assert clock.now > leases._DEAD_AFTER_S
    assert said == [" on an unknown host"]
    assert slept[-2:] == [leases._SETTLE_S, leases._POLL_S]


def test_a_watch_counts_only_the_time_in_which_it_looked(clock: VirtualTime) -> None:
    watch = leases.Watch()
    assert not watch.is_alive(None)
    assert watch.is_alive({"token": "a", "beat": 1})
    clock.now += 1000  # the file server hung, for the holder as for us
    assert watch.is_alive({"token": "a", "beat": 1})
    for _ in range(4):
        clock.now += 6
        assert watch.is_alive({"token": "a", "beat": 1})
    clock.now += 6
    assert not watch.is_alive({"token": "a", "beat": 1})
    assert watch.is_alive({"token": "a", "beat": 2})


def test_whether_another_hosts_lease_is_held_shows_after_a_while(
    tmp_path: Path, clock: VirtualTime
) -> None:
    paths = tmp_path / "lease.json", tmp_path / "lock"
    assert not leases.is_held(*paths, HERE)
    with hold(tmp_path, HERE, []):
        assert leases.is_held(*paths, HERE)
        left = (tmp_path / "lease.json").read_text()
    assert not leases.is_held(*paths, HERE)
    (tmp_path / "lease.json").write_text(left)
    assert not leases.is_held(*paths, HERE)  # its lock says so
    while leases.is_held(*paths, THERE):
        clock.now += 1
    assert clock.now >= leases._DEAD_AFTER_S


def test_without_locks_the_counter_decides_on_one_host_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: VirtualTime
) -> None:
    """A stand-in for flock: no file system without it can be mounted here."""

    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    with holder(tmp_path, HERE) as killed:
        monkeypatch.setattr(leases.fcntl, "flock", refuse)
        killed.kill()
        killed.wait()
        with hold(tmp_path, HERE, []):
            assert clock.now >= leases._DEAD_AFTER_S


def test_heartbeats_go_on_while_the_holder_is_busy(tmp_path: Path) -> None:
    with hold(tmp_path, HERE, []) as lease:
        lease._next_heartbeat = 0.0  # one is due
        with leases.renewed(lease):
            wait_for(lambda: read_json(tmp_path / "lease.json")["beat"] == 1)
