"""A zip writes nothing outside the folder that it is unpacked to."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.paper.archive.contents import Contents
from caduceus.paper.archive.zips import MANIFEST, unpack

BAD_FILES = ["../up", "/abs", "a/../../up", ".", "a//b", "a/./b", "x" * 300, "a\x1b[2Jb", "nul"]


def pack(path: Path, folder: str, name: str) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    with zipfile.ZipFile(path, "w") as target:
        target.writestr(f"{folder}/{name}", b"x")
        target.writestr(f"{folder}/{MANIFEST}", f"{digest}  {name}\n")


@pytest.mark.parametrize("name", BAD_FILES)
def test_an_entry_that_leads_elsewhere_is_refused_by_name(tmp_path: Path, name: str) -> None:
    pack(tmp_path / "a.zip", "archive", name)
    (tmp_path / "into").mkdir()
    with pytest.raises(ResultError) as error:
        unpack(tmp_path / "a.zip", tmp_path / "into")
    shown = ascii(name if len(name) < 60 else f"{name[:60]}...")
    assert str(error.value).endswith(f"is damaged: {shown} can't name a file in the folder")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip", "into"]


@pytest.mark.parametrize("folder", ["", ".", "..", "x" * 300, "con"])
def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    outside = f"{tmp_path}/outside"[1:]
    pack(tmp_path / "a.zip", folder, outside)
    (tmp_path / "into").mkdir()
    with pytest.raises(ResultError, match="it isn't an archive of Caduceus"):
        unpack(tmp_path / "a.zip", tmp_path / "into")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "into"]


def test_a_safe_entry_is_unpacked(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", "archive", "a/b c.txt")
    folder, expected, problems = unpack(tmp_path / "a.zip", tmp_path)
    assert (folder, list(expected), problems) == (tmp_path / "archive", ["a/b c.txt"], [])
    assert (folder / "a/b c.txt").read_bytes() == b"x"


def test_a_file_of_a_name_that_no_zip_may_have_is_listed_as_left_out(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_text("x")
    contents = Contents()
    contents.add("project/a\nb", tmp_path / "a\nb")
    contents.add("project/good", b"x")
    assert list(contents.entries) == ["project/good"]
    assert contents.left_out == [
        (r"'project/a\nb'", 1, "", "its name can't be a file's on every system")
    ]
