"""Leases: one holder at a time, on whatever host. Two hosts are two names here, on one disk."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from caduceus.io.files import read_json
from caduceus.system import leases
from caduceus.system.leases import Host

HERE, THERE = Host("here", "boot-1"), Host("there", "boot-2")
QUICK = {"_HEARTBEAT_S": 0.2, "_DEAD_AFTER_S": 2.0, "_POLL_S": 0.05, "_SETTLE_S": 0.3}
# Holds a lease, and meanwhile runs a program, as a supervisor does.
HOLDER = f"""
import os, sys
from pathlib import Path
from caduceus.system import leases
from caduceus.system import processes
for name, value in {QUICK!r}.items():
    setattr(leases, name, value)
processes._POLL_S = 0.1
host = leases.Host(*sys.argv[1:3])
with leases.held(Path("lease.json"), Path("lock"), lambda where: None, host) as lease:
    words = [sys.executable, "-c", "import time; print('on', flush=True); time.sleep(600)"]
    with open("console", "wb") as stream:
        outcome = processes.run(
            words, Path(), os.environ, stream, inherited=[lease.lock], should_continue=lease.renew
        )
    print(outcome.was_cancelled, outcome.signal, lease.lost_to)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUICK.items():
        monkeypatch.setattr(leases, name, value)


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


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def hold(folder: Path, host: Host, said: list[str] | None) -> Iterator[leases.Lease]:
    waits = None if said is None else said.append
    with leases.held(folder / "lease.json", folder / "lock", waits, host) as lease:
        yield lease


def seconds_to_hold(folder: Path, host: Host) -> tuple[float, list[str]]:
    said: list[str] = []
    started = time.monotonic()
    with hold(folder, host, said):
        return time.monotonic() - started, said


def test_a_lease_that_nobody_holds_is_taken_at_once_and_released(tmp_path: Path) -> None:
    for host in (HERE, THERE):
        with hold(tmp_path, host, []) as lease:
            written = read_json(tmp_path / "lease.json")
            assert (written["host"], written["pid"]) == (host.name, os.getpid())
            assert lease.renew(at_once=True)
            assert read_json(tmp_path / "lease.json")["beat"] == written["beat"] + 1
            assert lease.renew()  # too soon for another beat
            assert read_json(tmp_path / "lease.json")["beat"] == written["beat"] + 1
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_another_host_waits_as_long_as_the_holder_lives(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    with holder(tmp_path, THERE) as living:
        said: list[str] = []
        has_it = threading.Event()

        def want() -> None:
            # Its lock doesn't reach us, as between hosts.
            waits = said.append
            with leases.held(tmp_path / "lease.json", tmp_path / "elsewhere", waits, HERE):
                has_it.set()

        waiting = threading.Thread(target=want)
        waiting.start()
        assert not has_it.wait(2 * QUICK["_DEAD_AFTER_S"])
        assert said == [" on there"]
        living.terminate()
        assert has_it.wait(30)
        waiting.join()


def test_who_does_not_wait_is_told_on_either_host(tmp_path: Path) -> None:
    with (
        holder(tmp_path, THERE),
        pytest.raises(leases.HeldError, match="held by another process"),
        leases.held(tmp_path / "lease.json", tmp_path / "elsewhere", None, HERE),
    ):
        pass
    with (
        holder(tmp_path, THERE),
        pytest.raises(leases.HeldError, match="held by another process"),
        hold(tmp_path, THERE, None),
    ):
        pass


def test_after_a_killed_holder_this_host_goes_on_at_once_and_another_once_it_is_silent(
    tmp_path: Path,
) -> None:
    with holder(tmp_path, HERE) as killed:
        (program,) = psutil.Process(killed.pid).children()
        killed.kill()
        killed.wait()
        program.wait(10)
        assert (tmp_path / "lease.json").exists()
        elsewhere = tmp_path / "lease.json"
        took, said = seconds_to_hold(tmp_path, HERE)
        assert took < 1.0
        assert said == []
        assert not elsewhere.exists()
    with holder(tmp_path, HERE) as killed:
        killed.kill()
        killed.wait()
        took, said = seconds_to_hold(tmp_path, THERE)
        assert took >= QUICK["_DEAD_AFTER_S"]
        assert said == [" on here"]


def test_a_program_that_outlives_its_holder_keeps_this_host_waiting(tmp_path: Path) -> None:
    with hold(tmp_path, HERE, []) as lease:
        words = [sys.executable, "-c", "input()"]
        program = subprocess.Popen(words, pass_fds=[lease.lock], stdin=subprocess.PIPE)
        left = (tmp_path / "lease.json").read_text()
    (tmp_path / "lease.json").write_text(left)  # as after a kill
    time.sleep(0.1)
    timer = threading.Timer(1.5 * QUICK["_DEAD_AFTER_S"], program.communicate, [b"\n"])
    timer.start()
    took, said = seconds_to_hold(tmp_path, HERE)
    timer.join()
    assert took > 1.4 * QUICK["_DEAD_AFTER_S"]
    assert said == [""]


def test_a_holder_that_was_stopped_and_wakes_up_ends_its_program(tmp_path: Path) -> None:
    with holder(tmp_path, THERE) as stopped:
        (program,) = psutil.Process(stopped.pid).children()
        stopped.send_signal(signal.SIGSTOP)
        said: list[str] = []
        with leases.held(
            tmp_path / "lease.json", tmp_path / "elsewhere", said.append, HERE
        ) as ours:
            assert program.is_running()
            stopped.send_signal(signal.SIGCONT)
            printed, _ = stopped.communicate(timeout=30)
            assert printed == "True 15 here\n"
            assert not program.is_running()
            assert ours.renew(at_once=True)  # it has left our lease alone


def test_of_two_that_take_over_a_dead_lease_one_wins(tmp_path: Path) -> None:
    (tmp_path / "lease.json").write_text("")  # as a power cut leaves it
    at_once: list[int] = []
    most: list[int] = []

    def want(number: int) -> None:
        path, lock = tmp_path / "lease.json", tmp_path / f"lock-{number}"
        host = Host(f"host-{number}", "")
        with leases.held(path, lock, lambda where: None, host) as lease, leases.renewed(lease):
            at_once.append(number)
            most.append(len(at_once))
            time.sleep(0.5)
            assert lease.renew(at_once=True)
            at_once.remove(number)

    threads = [threading.Thread(target=want, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1, 1, 1, 1]


def test_who_takes_over_looks_whether_another_did_so_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lease.json"
    path.write_text("")
    rival = {"token": "x", "host": "rival", "boot": "", "job": "7", "beat": 0}
    sleep = time.sleep
    slept: list[float] = []

    def interfere(seconds: float) -> None:
        slept.append(seconds)
        if slept.count(QUICK["_SETTLE_S"]) and rival:
            path.write_text(json.dumps(rival))
            rival.clear()
        elif not rival:
            path.unlink()  # it has done its work
        else:
            sleep(seconds)

    monkeypatch.setattr(leases.time, "sleep", interfere)
    took, said = seconds_to_hold(tmp_path, HERE)
    assert said == [" on an unknown host"]
    assert slept[-2:] == [QUICK["_SETTLE_S"], QUICK["_POLL_S"]]
    assert took > QUICK["_DEAD_AFTER_S"]


def test_a_watch_counts_only_the_time_in_which_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    watch = leases.Watch()
    assert not watch.is_alive(None)
    assert watch.is_alive({"token": "a", "beat": 1})
    now[0] += 1000  # the file server hung, for the holder as for us
    assert watch.is_alive({"token": "a", "beat": 1})
    for _ in range(9):
        now[0] += 0.2
        assert watch.is_alive({"token": "a", "beat": 1})
    now[0] += 0.2
    assert not watch.is_alive({"token": "a", "beat": 1})
    assert watch.is_alive({"token": "a", "beat": 2})


def test_whether_another_hosts_lease_is_held_shows_after_a_while(tmp_path: Path) -> None:
    paths = tmp_path / "lease.json", tmp_path / "lock"
    assert not leases.is_held(*paths, HERE)
    with hold(tmp_path, HERE, []):
        assert leases.is_held(*paths, HERE)
        left = (tmp_path / "lease.json").read_text()
    assert not leases.is_held(*paths, HERE)
    (tmp_path / "lease.json").write_text(left)
    assert not leases.is_held(*paths, HERE)  # its lock says so
    assert leases.is_held(*paths, THERE)
    wait_for(lambda: not leases.is_held(*paths, THERE))


def test_without_locks_the_counter_decides_on_one_host_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for flock: no file system without it can be mounted here."""

    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    with holder(tmp_path, HERE) as killed:
        monkeypatch.setattr(leases.fcntl, "flock", refuse)
        killed.kill()
        killed.wait()
        took, _ = seconds_to_hold(tmp_path, HERE)
        assert took >= QUICK["_DEAD_AFTER_S"]
