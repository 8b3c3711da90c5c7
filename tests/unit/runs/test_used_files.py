"""Which of the files that a run used have changed since it ran."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.files import sha256
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.train import Train
from caduceus.runs.files.usage import Usage, UsedFile
from caduceus.runs.folder import RunFolder
from caduceus.runs.used_files import Changes, changes_since, stale_files, tree_digest
from run_files import identity, params


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two files that a run uses."""
    (tmp_path / "model.py").write_text("depth = 3\n")
    (tmp_path / "settings.yaml").write_text("depth: 3\n")
    return tmp_path


def used(root: Path, name: str) -> UsedFile:
    status = (root / name).stat()
    tree = tree_digest([root / name], root) if name.endswith(".py") else None
    return UsedFile(status.st_mtime_ns, status.st_size, sha256(root / name), tree)


def attempt(root: Path, number: int = 1, **values: Any) -> Attempt:
    usage = Usage(files={name: used(root, name) for name in ("model.py", "settings.yaml")})
    given = {"state": "finished", "started_at": None, "wall_s": 1.0, "usage": usage}
    return Attempt(attempt=number, **given | values)


def unread(found: Attempt) -> Attempt:
    """An attempt whose files changed before it ended."""
    assert found.usage
    files = {name: replace(file, sha256=None) for name, file in found.usage.files.items()}
    return replace(found, usage=replace(found.usage, files=files))


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda root: None, Changes()),
        (lambda root: os.utime(root / "model.py", (1, 1)), Changes()),
        (lambda root: rewrite(root / "model.py", "# three\ndepth  =  3\n"), Changes()),
        (lambda root: rewrite(root / "model.py", "depth = 4\n"), Changes(("model.py",))),
        (lambda root: rewrite(root / "model.py", "depth =\n"), Changes(("model.py",))),
        (
            lambda root: rewrite(root / "settings.yaml", "depth:  3\n"),
            Changes(("settings.yaml",)),
        ),
        (lambda root: (root / "settings.yaml").unlink(), Changes(missing=("settings.yaml",))),
    ],
)
def test_content_decides(root: Path, edit: Callable[[Path], None], expected: Changes) -> None:
    attempts = [attempt(root)]
    edit(root)
    assert changes_since(attempts, root) == expected


def test_of_what_changed_while_it_ran_only_code_counts_as_changed(root: Path) -> None:
    """Other files may have been written by the program itself, as its own checkpoint."""
    attempts = [unread(attempt(root))]
    assert changes_since(attempts, root) == Changes()
    for name in ("model.py", "settings.yaml"):
        rewrite(root / name, "")
    assert changes_since(attempts, root) == Changes(("model.py",), unknown=("settings.yaml",))


def test_attempts_before_a_fresh_start_do_not_count(root: Path) -> None:
    before = attempt(root)
    rewrite(root / "model.py", "depth = 4\n")
    fresh = attempt(root, 2)
    assert changes_since([before, fresh], root) == Changes()
    assert changes_since([before, replace(fresh, resumed_from=3)], root) == Changes(("model.py",))


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, ("model.py",)),
        ({"state": "failed"}, ()),
        ({"sweep": "s"}, ()),
        ({"code": "version 1"}, ()),
    ],
)
def test_a_finished_run_is_stale_if_its_files_changed(
    root: Path, about: dict[str, Any], expected: tuple[str, ...]
) -> None:
    folder = RunFolder(root / "results/runs/r")
    made = attempt(root, state=about.get("state", "finished"))
    rewrite(root / "model.py", "depth = 4\n")
    assert stale_files(folder, root) == ()
    Train.of("r", [made]).write(folder.train_json)
    identity("r", sweep=about.get("sweep")).write(folder.run_json)
    params(code=about.get("code", "c0de")).write(folder.params_json)
    assert stale_files(folder, root) == ()  # its logs are gone, as in an unpacked archive
    folder.code.mkdir(parents=True)
    assert stale_files(folder, root) == expected


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"attempts": [3]}'])
def test_a_damaged_record_makes_no_run_stale(root: Path, text: str) -> None:
    folder = RunFolder(root)
    folder.code.mkdir(parents=True)
    folder.train_json.write_text(text)
    assert stale_files(folder, root) == ()
