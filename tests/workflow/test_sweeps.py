"""Sweeps, run by the workflow: one with failed trials, from its start to its report."""

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from caduceus.exports.sweep_tables import read_trial_table
from caduceus.exports.sweep_trials import read_trials
from caduceus.runs.files.plan import Plan
from caduceus.sweeps.folders import SweepFolder
from online import caduceus
from projects import SNAKEFILE, Finished, Project
from reads import unordered_reads, watched
from sweep_projects import (
    GRID,
    TRACKED,
    assert_same_sweep,
    change_sweep,
    create,
    found_elsewhere,
    sweep_of,
    trials_of,
)
from wandb_server import WandbServer

SHOWN = {"figures": {"search": {"kind": "sweep", "panel": "slices", "width": "column"}}}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """A grid of which some trials fail, run in two goes, and its best confirmed."""
    path = tmp_path_factory.mktemp("swept") / "project"
    project = create(path, GRID, TRACKED, count=2, confirm=1)
    project.write("Snakefile", SNAKEFILE)
    first = project.caduceus("sweep", "experiments/tune.yaml", "--cores", "2").check()
    how = "the mean of the best values that its 3 fresh runs logged"
    best = f"; best: val/loss 0.28, {how}, with mode=good x=0.2"
    assert f"{sweep_of(project).name}: 2 trials{best}" in first.output
    assert not (project.path / "results/report").exists()  # it makes what the sweep needs
    change_sweep(project, count=6)
    project.change("config.yaml", paper=SHOWN)
    planned = project.planned()
    assert planned["suggest_trial"] == 4
    assert planned["sweep_agent"] == 4 + 3  # the best of six is confirmed anew
    assert "start_sweep" not in planned
    return project, project.snakemake(**watched(path.parent / "reads")).check()


def test_every_trial_is_listed_and_failed_ones_block_nothing(
    swept: tuple[Project, Finished],
) -> None:
    project, finished = swept
    rows = trials_of(project)
    assert [(row["config.mode"], row["config.x"]) for row in rows] == [
        (mode, x) for mode in ("good", "crash", "broken") for x in ("0.2", "0.8")
    ]
    assert [row["state"] for row in rows] == ["finished"] * 2 + ["failed"] * 2 + ["finished"] * 2
    assert [row["objective"] for row in rows] == ["0.26", "0.5", "", "", "", ""]
    assert [row["best_so_far"] for row in rows] == ["0.26"] * 6
    assert rows[0]["runs"] == f"{sweep_of(project).name}-t0000"
    assert "; its sweep goes on without it" in finished.output
    assert len(project.read_json("results/failures.json")["failed_trials"]) == 2
    assert project.planned() == {}


def test_a_trial_to_be_retried_is_run_again(
    swept: tuple[Project, Finished], tmp_path: Path
) -> None:
    project = swept[0].copy(tmp_path / "project")
    project.caduceus("retry").check()
    sweep = project.caduceus("sweep", "experiments/tune.yaml", "--", "--dry-run").check()
    assert (sweep.jobs["sweep_agent"], sweep.jobs["export_sweep"]) == (2, 1)
    planned = project.planned()
    assert (planned["sweep_agent"], planned["export_run"]) == (2, 2 + 3)  # and the confirmations'


def test_no_job_of_a_sweep_reads_what_it_does_not_wait_for(
    swept: tuple[Project, Finished],
) -> None:
    project, _ = swept
    rules, unordered = unordered_reads(project, project.path.parent / "reads")
    assert unordered == set()
    assert {"suggest_trial", "confirm_trial", "sweep_agent", "export_sweep"} < rules


def test_the_best_is_confirmed_on_fresh_seeds(swept: tuple[Project, Finished]) -> None:
    project, _ = swept
    with (sweep_of(project) / "confirmed.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert (row["trial"], row["of_trial"]) == ("c6.0", "0")
    assert row["config.x"] == "0.2"
    assert row["n"] == "3"
    assert float(row["mean"]) == pytest.approx(0.26 + 0.02)  # seeds 1, 2, 3
    assert float(row["low"]) < float(row["mean"]) < float(row["high"])


def test_the_sweep_is_exported_as_given_with_figures(swept: tuple[Project, Finished]) -> None:
    project, _ = swept
    folder = sweep_of(project)
    assert yaml.safe_load((folder / "sweep.yaml").read_text()) == GRID
    figures = {path.name for path in (folder / "figures").iterdir() if path.suffix == ".pdf"}
    names = ("history", "parallel_coordinates", "importance", "slices", "expected_best")
    assert figures == {f"{name}.pdf" for name in names}


def test_a_figure_of_the_paper_shows_the_trials_in_its_width(
    swept: tuple[Project, Finished],
) -> None:
    project, _ = swept
    folder = SweepFolder(sweep_of(project))
    space = folder.config().space
    plan = Plan.read(project.path / "results/experiments/tune.json")
    rows, _confirmed = read_trials(folder, plan.runs, space)
    table = read_trial_table(folder.path / "trials.csv", space)
    assert table == [dataclasses.replace(row, objectives=()) for row in rows]

    shown = project.read_json("results/paper/figures/search.json")
    assert shown["runs"] == [run for row in rows for run in row.runs]
    assert [trial["objective"] for trial in shown["numbers"]["trials"]][:2] == [0.26, 0.5]
    pdf = (project.path / "results/paper/figures/search.pdf").read_bytes()
    width = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)
    assert width is not None
    assert float(width[1]) == pytest.approx(2.7 * 72)


def test_the_best_is_an_experiment_that_runs(
    swept: tuple[Project, Finished], tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    shutil.copytree(swept[0].path, project.path, symlinks=True)
    best = (sweep_of(project) / "best.json").relative_to(project.path).as_posix()
    project.change("config.yaml", experiments=[best], paper={})
    project.snakemake().check()
    (run,) = (path for path in project.runs if path.name.startswith("tune-best-"))
    summary = json.loads((run / "run_summary.json").read_text())
    assert summary["config"]["x"] == 0.2
    assert summary["summary"]["val/loss"] == pytest.approx(0.26)


def test_trials_belong_to_their_sweep_on_the_server(
    swept: tuple[Project, Finished], tmp_path: Path, wandb_server: WandbServer
) -> None:
    project = Project(tmp_path / "project")
    shutil.copytree(swept[0].path, project.path, symlinks=True)
    caduceus(project, wandb_server, "sync").check()
    (sweep,) = wandb_server.sweeps
    assert sweep.settings["name"] == sweep_of(project).name
    assert sweep.settings["parameters"] == GRID["parameters"]
    assert sorted(run.name for run in sweep.runs) == sorted(path.name for path in project.runs)
    caduceus(project, wandb_server, "sync").check()
    assert len(wandb_server.sweeps) == 1


@pytest.mark.soak
def test_a_sweep_with_failed_trials_is_found_elsewhere_and_rebuilt_from_an_archive(
    swept: tuple[Project, Finished], tmp_path: Path, wandb_server: WandbServer
) -> None:
    project = swept[0].copy(tmp_path / "project")
    caduceus(project, wandb_server, "sync").check()
    other = found_elsewhere(project, tmp_path / "other/project", wandb_server)
    assert_same_sweep(project, other)
    failed = other.read_json("results/failures.json")["failed_trials"]
    assert set(failed.values()) == {"it failed where it was run"}
    other.snakemake("archive").check()
    checked = other.caduceus("check-archive", "results/archive/tests.zip").check().output
    assert "whole, and its paper is rebuilt byte for byte" in checked
