"""The interface to git: the commit of the code, and whether files differ from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json
from caduceus.system import processes
from caduceus.system.processes import StartError

UNKNOWN = {"commit": None, "is_dirty": None}  # outside a repository


def read_commit(files: Sequence[Path], root: Path) -> dict[str, Any]:
    """Return the commit of the working tree, and whether the code may differ from it.

    Args:
        files: the files of the code.
        root: the folder of the project.

    Returns:
        `commit` (its hash) and `is_dirty`: whether any tracked file was changed, or one of `files`
        isn't tracked. Both are None outside a repository, without a commit or without git.
    """
    # Without locks: many jobs may call this at the same time, and git would fail in some.
    status = _git(root, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-uno")
    tracked = _git(root, "ls-files", "-z")
    if status is None or tracked is None:
        return dict(UNKNOWN)
    lines = status.splitlines()
    commit = next(line.split()[-1] for line in lines if line.startswith("# branch.oid "))
    if commit == "(initial)":
        return dict(UNKNOWN)
    known = {(root / name).resolve() for name in tracked.split("\0") if name}
    is_changed = any(not line.startswith("#") for line in lines)
    return {
        "commit": commit,
        "is_dirty": is_changed or not known.issuperset(path.resolve() for path in files),
    }


def changed_files(root: Path) -> list[str] | None:
    """Return changed and untracked files; None without a repository or a commit."""
    if _git(root, "rev-parse", "--verify", "HEAD") is None:
        return None
    status = _git(root, "--no-optional-locks", "status", "--porcelain") or ""
    return [line[3:] for line in status.splitlines()]


def is_tracked(name: str, root: Path) -> bool:
    """Whether git tracks the file `name` below `root`."""
    return bool(_git(root, "ls-files", "--", name))


def repository_of(root: Path) -> str | None:
    """Return the address of a project's repository: the remote `origin`, or the archive's record.

    An unpacked archive of a project has no repository, but a file that names it.
    """
    archive = root / "../caduceus.json"
    if archive.is_file():
        known: str | None = read_json(archive, "unpack the archive again")["repository"]
        return known
    return remote_of(root)


def remote_of(root: Path) -> str | None:
    """Return the address of the remote `origin` without its password; None if there is none."""
    found = _git(root, "remote", "get-url", "origin")
    if not found:
        return None
    scheme, separator, rest = found.strip().partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else scheme


def people_of(root: Path) -> set[tuple[str, str]]:
    """Return name and address of the user, and of all authors, as far as git knows them."""
    settings = {
        key: (_git(root, "config", "--get", key) or "").strip()
        for section in ("user", "author", "committer")
        for key in (f"{section}.name", f"{section}.email")
    }
    found = {
        (settings[f"{section}.name"], settings[f"{section}.email"])
        for section in ("user", "author", "committer")
    }
    trailers = "%(trailers:key=Co-authored-by,key=Signed-off-by,valueonly)"
    lines = _git(root, "log", "--all", f"--format=%an <%ae>%n%cn <%ce>%n{trailers}") or ""
    for line in set(lines.splitlines()):
        name, _, address = line.partition("<")
        found.add((name.strip(), address.partition(">")[0].strip()))
    return found


def remotes_of(root: Path) -> set[str]:
    """Return the addresses of all remotes."""
    lines = _git(root, "config", "--get-regexp", r"^remote\..*\.(url|pushurl)$") or ""
    return {line.partition(" ")[2].strip() for line in lines.splitlines()}


def commits_of(root: Path) -> set[str]:
    """Return the hashes of all commits, also of those that were amended."""
    return set((_git(root, "rev-list", "--all", "--reflog") or "").split())


def _git(root: Path, *words: str) -> str | None:
    """Return the output of a git command; None if it fails."""
    try:
        result = processes.capture(["git", "-C", str(root), *words])
    except (StartError, UnicodeDecodeError):
        return None
    return result.output if result and result.exit_code == 0 else None
