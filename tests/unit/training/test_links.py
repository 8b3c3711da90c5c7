"""No link in results/ leads out of it when a run is done."""

import os
import shutil
from pathlib import Path

import pytest
from caduceus.runs.folder import RunFolder
from caduceus.training.links import remove_outward_links


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "project/results/runs/RUN")
    for place in (folder.code, folder.output / "deep", folder.wandb(1) / "files"):
        place.mkdir(parents=True)
    for name in ("project/.env", "project/data/x.csv", "elsewhere/model.pt", "elsewhere/a/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return folder


def links_below(folder: Path) -> set[str]:
    found = (Path(base, name) for base, fs, ns in os.walk(folder) for name in [*fs, *ns])
    return {path.relative_to(folder).as_posix() for path in found if path.is_symlink()}


def test_links_of_the_working_folder_are_removed_and_the_project_keeps_its_files(
    folder: RunFolder, tmp_path: Path
) -> None:
    (folder.code / "train.py").write_text("code")
    (folder.code / "own").mkdir()
    up = "../../../../.."
    (tmp_path / "project/results/groups").mkdir()
    (folder.code / "results").mkdir()
    targets = {"data": f"{up}/data", "gone": f"{up}/gone", "results/groups": f"{up}/../groups"}
    targets |= {"results/runs": f"{up}/../runs", "other": f"{up}/results"}
    targets |= {".env": f"{up}/.env", "here": ".", "own/far": str(tmp_path / "elsewhere")}
    for name, target in {**targets, "own/last": "../train.py", "loop": "loop"}.items():
        (folder.code / name).symlink_to(target)
    remove_outward_links(folder)
    assert links_below(folder.path) - {"work/code/loop"} == {"work/code/own/last"}
    assert (folder.code / "own/last").read_text() == "code"
    assert (tmp_path / "project/data/x.csv").exists()
    assert (tmp_path / "elsewhere/a/b.txt").exists()


def test_what_a_link_of_the_output_or_of_wandb_leads_to_is_copied(
    folder: RunFolder, tmp_path: Path
) -> None:
    (folder.code / "data").symlink_to("../../../../../data")
    (folder.wandb(1) / "files/x.csv").symlink_to(folder.code / "data/x.csv")  # by wandb.save
    (folder.output / "best.pt").symlink_to(tmp_path / "elsewhere/model.pt")
    (folder.output / "deep/all").symlink_to(tmp_path / "elsewhere")
    (folder.output / "same.pt").symlink_to("best.pt")
    (folder.output / "gone.pt").symlink_to(tmp_path / "gone.pt")
    (folder.output / "up").symlink_to("..")
    remove_outward_links(folder)
    assert links_below(folder.path) == set()
    assert (folder.wandb(1) / "files/x.csv").read_text() == "project/data/x.csv"
    for name in ("best.pt", "same.pt", "deep/all/model.pt"):
        assert (folder.output / name).read_text() == "elsewhere/model.pt"
    assert (folder.output / "deep/all/a/b.txt").read_text() == "elsewhere/a/b.txt"
    assert not (folder.output / "gone.pt").exists()
    assert [path.name for path in folder.output.rglob(".*")] == []


def test_links_inside_results_stay(folder: RunFolder) -> None:
    other = folder.results / "runs/OTHER/output"
    other.mkdir(parents=True)
    (other / "model.pt").write_text("other")
    (folder.output / "from.pt").symlink_to(other / "model.pt")
    (folder.wandb(1) / "latest").symlink_to("files")
    (folder.wandb(1) / "first").symlink_to(folder.wandb(1).absolute() / "files")
    remove_outward_links(folder)
    names = {"output/from.pt", "work/wandb/1/latest", "work/wandb/1/first"}
    assert links_below(folder.path) == names

    # They are relative, and lead to the copy's own files in a copy.
    shutil.copytree(folder.results, folder.results.with_name("copy"), symlinks=True)
    shutil.rmtree(folder.results)
    copy = RunFolder(folder.results.with_name("copy") / "runs/RUN")
    assert (copy.output / "from.pt").read_text() == "other"
    assert (copy.wandb(1) / "first").readlink() == Path("files")
    assert (copy.wandb(1) / "first").is_dir()
