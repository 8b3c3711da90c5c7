"""Programs that tests need, installed from Debian where they are missing and may be."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

PATH = f"{os.environ['PATH']}:/usr/sbin"
_LOCK = Path(tempfile.gettempdir()) / "caduceus-tests-apt.lock"


class UnavailableError(Exception):
    """Why there can't be such programs here."""


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """Install `packages` if one of `programs` is missing.

    Raises:
        UnavailableError: it can't be done here.
    """
    if _are_here(programs):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise UnavailableError(f"neither installed ({' '.join(packages)}) nor root on Debian")
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # apt-get refuses to wait for that of another test
        if _are_here(programs):
            return
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            finished = subprocess.run(
                ["apt-get", *words], env=environment, capture_output=True, text=True, timeout=600
            )
            if finished.returncode:
                raise UnavailableError(f"apt-get {words[0]} failed: {finished.stderr[-300:]}")


def _are_here(programs: Sequence[str]) -> bool:
    return all(shutil.which(program, path=PATH) for program in programs)
