"""An archive a year later: whole, unpacked anywhere, its paper made again and nothing trained."""

import hashlib
import os
import random
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from caduceus.paper.archive.check import rebuild
from caduceus.paper.archive.zips import unpack
from caduceus.runs.files.train import Train
from projects import Project

OF_RUNS = {"make_dataset", "plan_run", "init_run", "train", "upload_artifacts", "export_run"}


@pytest.fixture(scope="module")
def archive(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the trained project, which then is gone."""
    project = Project(tmp_path_factory.mktemp("archived") / "project")
    shutil.copytree(trained.path, project.path, symlinks=True)
    printed = project.snakemake("archive").check().output
    assert "results/archive/tests.zip: " in printed
    archive = (project.path / "results/archive/tests.zip").rename(project.path.with_suffix(".zip"))
    shutil.rmtree(project.path)
    return archive


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Project:
    """The archive, unpacked by a program that doesn't keep the times of files."""
    with zipfile.ZipFile(archive) as source:
        source.extractall(tmp_path)
    return Project(tmp_path / "tests")


def planned(unpacked: Project) -> Counter[str]:
    """The jobs that a dry run lists, with the Snakefile of the archive."""
    return unpacked.snakemake("--snakefile", "Snakefile", "--dry-run", "--quiet", "rules").jobs


def test_nothing_is_trained_where_it_is_unpacked_whatever_the_times_of_files(
    unpacked: Project,
) -> None:
    pick = random.Random(0)
    for folder, _, names in os.walk(unpacked.path / "project"):
        for name in names:
            when = pick.randrange(10**9)
            os.utime(Path(folder) / name, (when, when))
    jobs = planned(unpacked)
    assert {"make_table", "measure_figure", "draw_figure", "export_group"} <= jobs.keys()
    assert not OF_RUNS & jobs.keys()


def test_a_seed_that_is_added_there_is_late_as_it_would_be_here(
    unpacked: Project, trained: Project
) -> None:
    """A look at the archive's paper is one at these results, before anything is made again."""
    project = Project(unpacked.path / "project")
    shutil.copytree(trained.path / "data", project.path / "data", dirs_exist_ok=True)
    before = project.runs
    project.change("experiments/toy.yaml", seeds=[0, 1, 2])
    unpacked.snakemake("--snakefile", "Snakefile", "--until", "train").check()
    added = [run for run in project.runs if run not in before]
    assert len(added) == 2
    for run in added:
        [attempt] = Train.read(run / "train.json").attempts
        assert attempt.shown_before == ("tables/accuracy",)


def test_a_run_that_was_deleted_or_cleared_there_is_trained_again(unpacked: Project) -> None:
    deleted, cleared, *_ = Project(unpacked.path / "project").runs
    shutil.rmtree(deleted)
    for name in ("train.json", "params.json"):  # as `caduceus retry` does
        (cleared / name).unlink()
    jobs = planned(unpacked)
    assert jobs["train"] == jobs["export_run"] == 2


def test_what_is_derived_is_made_again_and_a_difference_is_named(
    archive: Path, tmp_path: Path
) -> None:
    folder, expected, problems = unpack(archive, tmp_path)
    assert problems == []
    found = list(rebuild(folder, expected, 2))
    assert all(is_same for is_same, _ in found)
    lines = [line for _, line in found]
    for name in (
        "paper/tables/accuracy.tex",
        "paper/figures/curves.pdf",
        "groups/baseline/runs.csv",
    ):
        assert f"the same: derived/{name}" in lines

    # Nothing is due any more: what was published is made to differ.
    table = folder / "derived/paper/tables/accuracy.csv"
    heading, *rest = table.read_text().splitlines()
    table.write_text("\n".join([heading, "0.1,1.0", *rest[1:]]) + "\n")
    expected |= {"derived/paper/tables/accuracy.csv": "0" * 64}
    wrong = [line for is_same, line in rebuild(folder, expected, 2) if not is_same]
    assert wrong == ["different: derived/paper/tables/accuracy.csv, from line 2 on"]


def test_an_archive_whose_runs_would_be_trained_again_is_refused(
    archive: Path, tmp_path: Path
) -> None:
    """Its program isn't the one that ran, though every digest is right."""
    program, manifest = "tests/project/experiments/curve.py", "tests/manifest.sha256"
    with zipfile.ZipFile(archive) as source:
        files = {name: source.read(name) for name in source.namelist()}
    digest = hashlib.sha256(files[program]).hexdigest()
    files[program] = files[program].replace(b"1000", b"999")
    new = hashlib.sha256(files[program]).hexdigest()
    files[manifest] = files[manifest].replace(
        f"{digest}  project/".encode(), f"{new}  project/".encode()
    )
    with zipfile.ZipFile(tmp_path / "forged.zip", "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    finished = Project(tmp_path).caduceus("check-archive", "forged.zip", "--cores", "1")
    assert finished.code == 1
    assert "Snakemake would start train, 4 times" in finished.line("caduceus check-archive: ")
    assert "Traceback" not in finished.output
