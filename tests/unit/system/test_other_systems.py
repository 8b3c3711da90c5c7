"""What differs between systems lies in one place, and nothing else needs Linux."""

import os
import re
import subprocess
import sys
import time

import psutil
import pytest
from caduceus.system.kernel import linux, others
from projects import REPOSITORY

PACKAGE = REPOSITORY / "scripts/caduceus"
WITHOUT = REPOSITORY / "tests/support/without_linux"
# As a whole for Linux: where `kernel.IS_LINUX` is false, nothing of them is used.
FOR_LINUX = (
    *("system/command_server/", "system/preloading/", "system/kernel/linux.py"),
    "system/gpu_locks.py",  # of GPUs with CUDA
)
ONLY_LINUX = re.compile(
    r"""["'](/proc/|/sys/)|\.(prctl|pidfd_open|sched_getaffinity|waitid|memfd_create)\(|F_OFD_"""
    r"|SOCK_SEQPACKET|SIGRT|sigtimedwait|posix_fadvise|copy_file_range|inotify_|epoll"
)
ASKED_FOR = {  # where it is missing they do without
    "system/file_states.py": '(b"/proc/", b"/sys/")',  # paths that no file system elsewhere has
    "system/recorded_reads.py": 'rb"/proc/',
    "system/stamp.py": 'hasattr(os, "sched_getaffinity")',
    "system/descendants.py": "os.waitid",  # of children that only Linux gives this process
}


def test_only_one_place_of_the_package_needs_linux() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(FOR_LINUX):
            continue
        lines = [line for line in path.read_text().splitlines() if ONLY_LINUX.search(line)]
        without = ASKED_FOR.get(name)
        assert all(without and without in line for line in lines), (name, lines)


@pytest.mark.slow
def test_all_modules_and_the_units_of_processes_do_without_linux() -> None:
    code = (
        "import importlib, pkgutil, caduceus\n"
        "for module in pkgutil.walk_packages(caduceus.__path__, 'caduceus.'):\n"
        f"    name = module.name.replace('.', '/').removeprefix('caduceus/')\n"
        f"    if not f'{{name}}.py'.startswith({FOR_LINUX!r}) and 'template' not in name:\n"
        "        if not name.endswith('__main__') and 'shim' not in name:\n"
        "            importlib.import_module(module.name)\n"
    )
    variables = os.environ | {"PYTHONPATH": str(WITHOUT), "NO_LINUX": "1"}
    subprocess.run([sys.executable, "-c", code], env=variables, check=True)
    tests = [f"tests/unit/system/test_{name}.py" for name in ("processes", "leases")]
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no_linux", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*words, *tests],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(WITHOUT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "promised for Linux only" in done.stdout, "the plugin was there"


@pytest.mark.parametrize("system", [linux, others])
def test_the_end_of_a_process_is_seen_and_not_reaped(system: object) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with system.until_end(child.pid) as has_ended:  # type: ignore[attr-defined]
        assert not has_ended(0.01)
        assert child.stdin
        child.stdin.close()
        assert has_ended(60)
        assert has_ended(0)
    assert os.waitpid(child.pid, os.WNOHANG)[0] == child.pid
    child.returncode = 0


def test_an_earlier_boot_is_another() -> None:
    assert linux.boot_id() == linux.boot_id() != ""
    assert others.boot_id() == str(int(psutil.boot_time()))
    assert float(others.boot_id()) < time.time()


def test_the_processor_has_a_model() -> None:
    assert linux.model_in("processor: 0\nmodel name\t: A  B CPU\n") == "A B CPU"
    assert linux.model_in("") == others.cpu_model() == os.uname().machine


def test_the_gpu_of_macos_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert linux.mps() is None and others.mps() is None
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert others.mps() == "arm64 (MPS)", "sysctl would name the chip"


def test_memory_is_in_the_units_of_each_system(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        ru_maxrss = 7

    assert linux.peak_memory_bytes(Usage) == others.peak_memory_bytes(Usage) == 7 * 1024  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert others.peak_memory_bytes(Usage) == 7  # type: ignore[arg-type]
