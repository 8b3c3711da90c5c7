"""Commands as another user of one group, which has no account: for tests that are run by root."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from projects import REPOSITORY, Finished, Project, end

GROUP = 60_500
_USERS = {"ann": 60_501, "ben": 60_502}


def words_as(name: str, umask: str, words: list[str]) -> list[str]:
    """The words that start a command as this user.

    Python may lie in a folder that only root may enter. Then the command gets a view of the file
    system in which that folder holds nothing but Python, and may be entered.
    """
    closed = _closed_folder(Path(os.path.realpath(sys.executable)))
    opened = ""
    if closed is not None:
        top, inside = closed
        opened = (
            f"mkdir -p /tmp/caduceus-opened; mount --bind {inside} /tmp/caduceus-opened; "
            f"mount -t tmpfs -o mode=755 tmpfs {top}; mkdir -p {inside}; "
            f"mount --bind /tmp/caduceus-opened {inside}; "
        )
    user = str(_USERS[name])
    script = (
        f"set -e; {opened} umask {umask}; exec setpriv --reuid {user} --regid {GROUP} "
        '--clear-groups "$@"'
    )
    return ["unshare", "--mount", "bash", "-c", script, "bash", *words]


def _closed_folder(python: Path) -> tuple[Path, Path] | None:
    """The first folder on the way that only its owner may enter, and the one of Python in it."""
    for folder in reversed(python.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder, python.parents[1]
    return None


@contextmanager
def shared_project() -> Iterator[Project]:
    """A project in a folder that a group shares, where others may go."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("only root can start commands as other users")
    probe = subprocess.run(words_as("ann", "022", [sys.executable, "-c", ""]), capture_output=True)
    if probe.returncode:
        pytest.skip(f"no commands as other users: {probe.stderr.decode()}")
    assert REPOSITORY.stat().st_mode & stat.S_IXOTH
    top = Path(tempfile.mkdtemp(prefix="caduceus-group-"))
    try:
        top.chmod(0o755)
        project = Project.create(top / "project")
        for name, user in _USERS.items():
            (top / name).mkdir(mode=0o700)
            os.chown(top / name, user, GROUP)
        open_folder(project.path)
        yield project
    finally:
        shutil.rmtree(top)


def open_folder(folder: Path) -> None:
    """As `chgrp -R` and `chmod -R g+rwX,g+s` do."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, _USERS["ann"], GROUP)
        path.chmod(0o2775 if path.is_dir() else 0o664)


def begin_as(project: Project, name: str, umask: str, *words: str) -> "subprocess.Popen[str]":
    """Start a command of the environment as this user."""
    words_here = [sys.executable, "-m", *words]
    home = str(project.path.parent / name)
    return project.begin(*words_as(name, umask, words_here), HOME=home, USER=name, TMPDIR="/tmp")


def run_as(project: Project, name: str, umask: str, *words: str) -> Finished:
    """Run a command of the environment as this user."""
    return end(begin_as(project, name, umask, *words))


def processes_of(name: str) -> list[int]:
    """The ids of all processes of a user, who is the test's own, but for ended ones."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.uids().real == _USERS[name] and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
