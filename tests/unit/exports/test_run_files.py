"""Files that a program saved: which links are followed."""

import os
from pathlib import Path

import pytest
from caduceus.exports.run_files import export_files, saved_files
from caduceus.wandb_log import Segment


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder of a run's files, below the one in which its program ran."""
    folder = tmp_path / "project/wandb/offline-run-1-a/files"
    folder.mkdir(parents=True)
    return folder


def export(files: Path, *bases: Path) -> tuple[dict[str, str], list[str]]:
    out = files.parents[3] / "out"
    segment = Segment(files.parent / "run-a.wandb")
    messages = list(export_files([segment], out, bases))
    found = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_text() for path in found}, messages


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_a_program_saved_is_copied_and_what_wandb_writes_is_not(
    files: Path, tmp_path: Path
) -> None:
    own = write(files / "own/notes.txt", "notes")
    for name in ("config.yaml", "output.log", "requirements.txt", "media/images/a.png"):
        write(files / name, "wandb's")
    model = write(tmp_path / "project/models/model.h5", "model")
    (files / "models").mkdir()
    (files / "models/model.h5").symlink_to(model)
    found, messages = export(files)
    assert (found, messages) == ({"models/model.h5": "model", "own/notes.txt": "notes"}, [])
    own.write_text("changed since")
    assert (tmp_path / "out" / "own/notes.txt").read_text() == "notes"
    assert not (tmp_path / "out" / "models/model.h5").is_symlink()


def test_a_link_that_leads_elsewhere_is_named_and_not_followed(files: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.txt", "secret")
    hidden = write(tmp_path / "project/.ssh/key", "secret")
    other = write(tmp_path / "project/taxes.pdf", "secret")
    (files / "outside.txt").symlink_to(outside)
    (files / "key").symlink_to(hidden)
    (files / "innocent.txt").symlink_to(other)  # `run.save` keeps the name
    (files / "circle").symlink_to("circle")
    (files / "folder").symlink_to(tmp_path)
    (files / "gone.txt").symlink_to(tmp_path / "project/gone.txt")
    os.mkfifo(files / "pipe")
    found, messages = export(files)
    assert found == {}
    names = ("circle", "folder", "gone.txt", "innocent.txt", "key", "outside.txt", "pipe")
    assert messages == [f"files: '{name}' isn't a file of the run" for name in names]
    assert not (tmp_path / "out").exists()


def test_files_beside_the_program_are_found_if_it_ran_on_this_host(
    files: Path, tmp_path: Path
) -> None:
    program = write(tmp_path / "elsewhere/train.py", "")
    (files / "model.h5").symlink_to(write(tmp_path / "elsewhere/model.h5", "model"))
    here = {"program": str(program), "host": os.uname().nodename}
    for environment, is_followed in ((here, True), (here | {"host": "another"}, False)):
        segment = Segment(files.parent / "run-a.wandb", environment=environment)
        assert (saved_files([segment], [])["model.h5"] is not None) == is_followed


def test_a_run_that_lies_in_no_folder_of_wandb_has_only_its_own_files(tmp_path: Path) -> None:
    files = tmp_path / "some/where/run/files"
    (files / "file.txt").parent.mkdir(parents=True)
    (files / "file.txt").symlink_to(write(tmp_path / "some/file.txt", "secret"))
    write(files / "own.txt", "own")
    segment = Segment(files.parent / "run-a.wandb")
    messages = list(export_files([segment], tmp_path / "out", [tmp_path]))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["own.txt"]
    assert messages == ["files: 'file.txt' isn't a file of the run"]


def test_a_saved_file_is_found_in_a_project_that_was_moved(tmp_path: Path) -> None:
    run = tmp_path / "old/results/runs/a-1"
    files = run / "work/wandb/1/wandb/offline-run-1-a/files"
    files.mkdir(parents=True)
    (files / "model.h5").symlink_to(write(run / "work/code/model.h5", "model"))
    (tmp_path / "old").rename(tmp_path / "new")
    moved = tmp_path / "new" / files.relative_to(tmp_path / "old")
    segment = Segment(moved.parent / "run-a.wandb")
    assert (
        list(export_files([segment], tmp_path / "out", [tmp_path / "new/results/runs/a-1"])) == []
    )
    assert (tmp_path / "out/model.h5").read_text() == "model"
