"""Files that a program leaves in its working folder."""

import os
from pathlib import Path

import pytest
from caduceus.runs.source_code import link_entries, snapshot
from caduceus.training.working_folder import left_files, logs_elsewhere, written_links


def test_large_files_and_checkpoints_are_found_but_no_code_and_no_linked_data(
    tmp_path: Path,
) -> None:
    project, code = tmp_path / "project", tmp_path / "code"
    (project / "data").mkdir(parents=True)
    for name in ("train.py", "data/model.pt", "start.pt"):
        (project / name).write_text("x")
    snapshot([project / "train.py", project / "start.pt"], project, code)
    link_entries(project, code)
    assert left_files(code) is None
    (code / "out").mkdir()
    for n, size in enumerate((1, 2, 3, 30)):
        (code / f"out/{n}.ckpt").write_bytes(b"x" * size)
    (code / "out/empty.pt").touch()
    with (code / "large.bin").open("wb") as stream:
        stream.truncate(10_000_000)
    with (code / "small.bin").open("wb") as stream:
        stream.truncate(9_999_999)
    left = left_files(code)
    assert left is not None
    assert left.files == ("large.bin", "out/3.ckpt", "out/2.ckpt")
    assert (left.count, left.bytes) == (5, 10_000_036)


def test_logs_are_found_through_links_if_they_are_new(tmp_path: Path) -> None:
    project, code = tmp_path / "project", tmp_path / "code"
    for folder in (project / "own/wandb/offline-run-1", code / "wandb/offline-run-2"):
        folder.mkdir(parents=True)
        (folder / "run-a.wandb").touch()
        (folder.parent / "latest-run").symlink_to(folder.name)
    (project / "old.wandb").touch()
    os.utime(project / "old.wandb", (1000, 1000))
    for name in ("own", "old.wandb"):
        (code / name).symlink_to(project / name)
    (project / "own/up").symlink_to(code)  # a circle
    assert [path.relative_to(code).as_posix() for path in logs_elsewhere(code, 2000, True)] == [
        "wandb/offline-run-2/run-a.wandb",
        "own/wandb/offline-run-1/run-a.wandb",
    ]
    (own,) = logs_elsewhere(code, 2000, follow_links=False)
    assert own == code / "wandb/offline-run-2/run-a.wandb"


def test_results_of_the_program_are_found_and_those_of_other_runs_are_not(tmp_path: Path) -> None:
    code = tmp_path / "results/runs/toy/work/code"
    (tmp_path / "train.py").touch()
    other = tmp_path / "results/runs/other/run-a.wandb"
    other.parent.mkdir(parents=True)
    other.touch()
    snapshot([tmp_path / "train.py"], tmp_path, code)
    link_entries(tmp_path, code)
    (code / "results/own").mkdir()
    (code / "results/own/model.pt").write_text("x")
    left = left_files(code)
    assert left is not None and left.files == ("results/own/model.pt",)
    assert logs_elsewhere(code, 0, follow_links=True) == []


def test_folders_of_the_project_that_were_written_to_are_found(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/results/code"
    for name in ("train.py", "data/x.csv", "checkpoints/last.pt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
        for path in (project / name, (project / name).parent):
            os.utime(path, (1, 1))
    snapshot([project / "train.py"], project, folder)
    link_entries(project, folder)
    since = "2020-01-01T00:00:00+00:00"
    assert written_links(project, folder, since) == []
    (folder / "checkpoints/last.pt").write_text("seed 1")
    (folder / "own").mkdir()
    assert written_links(project, folder, since) == ["checkpoints"]


def test_nested_folders_of_the_project_that_were_written_to_are_found(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/results/code"
    for name in ("code/train.py", "code/outs/old.pt", "code/lib/part/a.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
        for path in (project / name, (project / name).parent):
            os.utime(path, (1, 1))
    snapshot([project / "code/train.py"], project, folder)
    link_entries(project, folder)
    os.utime(project / "code/lib", (1, 1))
    for name in ("code/lib/__pycache__", "code/lib/part/__pycache__"):
        (folder / name).mkdir()
    since = "2020-01-01T00:00:00+00:00"
    assert written_links(project, folder, since) == []
    (folder / "code/outs/last.pt").write_text("seed 1")
    assert written_links(project, folder, since) == ["code/outs"]


@pytest.mark.slow
def test_the_walk_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for n in range(20_001):
        (tmp_path / f"many/{n:05}").touch()
    (tmp_path / "many/z.wandb").touch()
    (tmp_path / "run-a.wandb").touch()
    assert [path.name for path in logs_elsewhere(tmp_path, 0, True)] == ["run-a.wandb"]
