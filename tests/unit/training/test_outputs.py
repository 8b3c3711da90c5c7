"""What a program may leave in its output folder."""

import os
from pathlib import Path

from caduceus.training.outputs import keep_output


def test_whatever_lies_there_is_kept_and_files_are_listed(tmp_path: Path) -> None:
    left, kept = tmp_path / "work/output", tmp_path / "output"
    (left / "models").mkdir(parents=True)
    (left / "models/1.pt").write_text("one")
    (left / "latest.pt").symlink_to((left / "models/1.pt").absolute())
    (left / "last").symlink_to((left / "models").absolute())
    (left / "gone.txt").symlink_to("nowhere.txt")
    (left / "self").symlink_to(".")
    os.mkfifo(left / "pipe")
    kept.mkdir()
    (kept / "old.txt").write_text("of an earlier attempt")

    described = keep_output(left, kept)
    assert sorted(described) == ["last/1.pt", "latest.pt", "models/1.pt"]
    assert {file.bytes for file in described.values()} == {3}
    assert (kept / "latest.pt").readlink() == Path("models/1.pt")
    assert (kept / "gone.txt").is_symlink()
    assert not (kept / "old.txt").exists()


def test_a_program_may_remove_its_output_folder(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert keep_output(tmp_path / "work/output", tmp_path / "output") == {}
    assert (tmp_path / "output").is_dir()
