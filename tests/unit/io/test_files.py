"""Lists of files."""

import os
from pathlib import Path

import pytest
from caduceus.io.files import files_below


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_below(folder)]


def test_links_are_followed_once_and_never_in_a_circle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    for name in ("here/a/1", "here/b/2", "here/c/3", "elsewhere/deep/4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    links = {"a/to_b": "../b", "b/to_a": "../a", "c/up": "..", "c/self": ".", "c/top": "/"}
    links |= {"out": "../elsewhere", "one": "a/1", "gone": "nothing", "loop": "loop"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    expected = ["a/1", "a/to_b/2", "b/2", "b/to_a/1", "c/3", "one", "out/deep/4"]
    assert names(folder) == expected
    monkeypatch.chdir(folder)
    assert names(Path()) == expected
    assert names(Path("a/to_b")) == ["2", "to_a/1"]
    assert names(tmp_path / "none") == []
