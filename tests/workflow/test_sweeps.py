"""Sweeps, run by the workflow."""

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from caduceus.exports.sweep_tables import read_trial_table
from caduceus.exports.sweep_trials import read_trials
from caduceus.runs.files.plan import Plan
from caduceus.runs.goal import Goal
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.hyperband import (
    HyperbandSettings,
    RungValue,
    rung_values,
    rungs,
    stopping_rung,
)
from caduceus.sweeps.suggestions import Observation, suggest
from online import account, caduceus
from projects import REPOSITORY, Finished, Project, end_group, start_snakemake, wait_for
from reads import unordered_reads, watched
from wandb_server import WandbServer

# Deterministic; the parameters decide what becomes of a trial.
PROGRAM = """\
import argparse
import os
import time
from pathlib import Path

import wandb

project = Path(os.environ["CADUCEUS_PROJECT_DIR"])
parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="good")
parser.add_argument("--x", type=float)
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--stuck", type=int, default=-1)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

run = wandb.init()
for row in range(options.rows):
    loss = (options.x - 0.3) ** 2 + 1 / (row + 1) + options.seed / 100
    run.log({"val/loss": float("nan") if options.mode == "broken" else loss}, commit=True)
    if options.mode == "crash" and row == 1:
        raise SystemExit("crashed")
    for _ in range(6000):
        is_stuck = row == options.stuck and options.x > 1
        is_held = (project / "hold").exists() or (
            (project / "hold-later").exists() and wandb.run.id[-4:] >= "0004"
        )
        if not (is_stuck or is_held):
            break
        time.sleep(0.05)
run.finish()
"""
# The same, logging its artifacts itself: each of many trials is spared a second wandb for them.
TRACKED = PROGRAM.replace(
    "run = wandb.init()", "from caduceus import tracking\n\nrun = tracking.start()"
).replace("run.log(", "wandb.log(")
GRID = {
    "method": "grid",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"mode": {"values": ["good", "crash", "broken"]}, "x": {"values": [0.2, 0.8]}},
}

SNAKEFILE = """\
from caduceus import SNAKEFILE
configfile: "config.yaml"
module caduceus:
    snakefile: SNAKEFILE
    config: config
use rule * from caduceus
"""
SHOWN = {"figures": {"search": {"kind": "sweep", "panel": "slices", "width": "column"}}}


def create(path: Path, config: Any, program: str = PROGRAM, **sweep: Any) -> Project:
    project = Project.create(path)
    project.write("experiments/train.py", program)
    experiment = {
        "id": "tune",
        "type": "sweep",
        "program": "experiments/train.py",
        "sweep": {"config": config} | sweep,
    }
    project.write_yaml("experiments/tune.yaml", experiment)
    project.write_yaml(
        "config.yaml", {"experiments": ["experiments/tune.yaml"], "wandb": {"project": "tests"}}
    )
    return project


def change_sweep(project: Project, **changes: Any) -> None:
    spec = yaml.safe_load((project.path / "experiments/tune.yaml").read_text())
    project.change("experiments/tune.yaml", sweep=spec["sweep"] | changes)


def sweep_of(project: Project) -> Path:
    (folder,) = (project.path / "results/sweeps").iterdir()
    return folder


def trials_of(project: Project) -> list[dict[str, str]]:
    with (sweep_of(project) / "trials.csv").open() as stream:
        return list(csv.DictReader(stream))


def told(project: Project) -> list[dict[str, Any]]:
    paths = sorted((sweep_of(project) / "trials").glob("[0-9]*.json"))
    return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """A grid of which some trials fail, run in two goes, and its best confirmed."""
    path = tmp_path_factory.mktemp("swept") / "project"
    project = create(path, GRID, TRACKED, count=2, confirm=1)
    project.write("Snakefile", SNAKEFILE)
    first = project.caduceus("sweep", "experiments/tune.yaml", "--cores", "2").check()
    best = "; best: val/loss 0.28, the mean of 3 fresh runs, with mode=good x=0.2"
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
    other = found_elsewhere(project, tmp_path / "other/project", wandb_server)
    assert_same_sweep(project, other)
    failed = other.read_json("results/failures.json")["failed_trials"]
    assert set(failed.values()) == {"it failed where it was run"}


def found_elsewhere(project: Project, path: Path, server: WandbServer) -> Project:
    """The same project where nothing was run, made of what the server has."""
    shutil.copytree(project.path, path, ignore=shutil.ignore_patterns("results", ".snakemake"))
    other = Project(path)
    other.change("config.yaml", export={"source": "api"})
    other.snakemake(**account(server, other) | watched(path.parent / "reads")).check()
    assert not list(path.glob("results/runs/*/train.json"))
    _, unordered = unordered_reads(other, path.parent / "reads")
    assert unordered == set()
    assert other.planned() == {}
    return other


def assert_same_sweep(here: Project, there: Project) -> None:
    """But for the times, which a server counts in its own way."""
    times = ("started_at", "wall_s")
    rows = [
        [{name: value for name, value in row.items() if name not in times} for row in trials]
        for trials in map(trials_of, (here, there))
    ]
    assert rows[0] == rows[1]
    for pattern in ("*.json", "confirmed.csv", "importance.csv", "trials/*.json"):
        for path in sweep_of(there).glob(pattern):
            name = path.relative_to(there.path)
            assert path.read_bytes() == (here.path / name).read_bytes(), name


BAYES: dict[str, Any] = {
    "method": "bayes",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "mode": {"values": ["good", "broken"]}},
}


def kill_midway(project: Project) -> list[str]:
    """Start the sweep and kill all of Snakemake while a later trial is at work; which ones were."""
    hold = project.write("hold-later", "")
    snakemake = start_snakemake(project)

    def at_work() -> list[str]:
        begun = sorted(project.path.glob("results/runs/*/work/attempts/1.json"))
        runs = [path.parents[2] for path in begun]
        return [run.name for run in runs[4:] if not (run / "train.json").exists()]

    wait_for(at_work)
    end_group(snakemake.pid)
    snakemake.wait()
    hold.unlink()
    project.caduceus("unlock").check()
    return at_work()


def test_trials_follow_from_the_results_before_them_alone(tmp_path: Path) -> None:
    """After a kill, with two at a time: each is what the earlier results say it is.

    A trial that was interrupted keeps its parameters and its id.
    """
    project = create(tmp_path / "project", BAYES, TRACKED, count=12, lag=3)
    interrupted = kill_midway(project)
    before = told(project)
    project.snakemake("--rerun-incomplete", "--until", "export_sweep").check()
    assert told(project)[: len(before)] == before

    assert interrupted
    for run in interrupted:
        train = project.read_json(f"results/runs/{run}/train.json")
        assert [attempt["state"] for attempt in train["attempts"]] == ["interrupted", "finished"]
        x = project.read_json(f"results/runs/{run}/run_summary.json")["config"]["x"]
        assert x == before[int(run[-4:])]["parameters"]["x"]

    config = read_config(BAYES, lambda keys: "")
    known: list[Observation] = []
    for number, trial in enumerate(told(project)):
        for before, result in enumerate(known[: max(0, number - 2)]):
            x, mode = (result.parameters[name] for name in ("x", "mode"))
            loss = (x - 0.3) ** 2 + 1 / 4 if mode == "good" else None
            known[before] = Observation(result.parameters, loss, "finished")
        assert trial["parameters"] == suggest(config, "gp", 0, number, known), number
        known.append(Observation(trial["parameters"], None, "running"))
    assert len({result.parameters["x"] for result in known}) == 12

    # What is said of runs is said of all, at once.
    project.change("experiments/tune.yaml", tags=["mine"])
    planned = project.planned("--until", "export_sweep")
    assert (planned["init_run"], planned["export_run"]) == (12, 12)
    assert not {"sweep_agent", "suggest_trial"} & set(planned)


@pytest.mark.soak
def test_the_same_trials_come_on_one_core_and_after_a_kill(tmp_path: Path) -> None:
    first = create(tmp_path / "first/project", BAYES, count=20, lag=3)
    first.snakemake().check()
    second = create(tmp_path / "second/project", BAYES, count=20, lag=3)
    kill_midway(second)
    second.run(*second.command("--cores", "1", "--rerun-incomplete")).check()
    assert sweep_of(first).name == sweep_of(second).name
    assert told(first) == told(second)


def test_a_trial_that_does_badly_is_stopped_early(tmp_path: Path) -> None:
    config = {
        "method": "grid",
        "metric": {"name": "val/loss", "goal": "minimize"},
        "parameters": {
            "x": {"values": [0.3, 0.35, 2.0, 3.0]},
            "rows": {"value": 40},
            "stuck": {"value": 12},
        },
        "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
    }
    project = create(tmp_path / "project", config, lag=1)
    project.snakemake("--until", "export_sweep").check()
    rows = trials_of(project)
    assert [row["stopped_early"] for row in rows] == ["false", "false", "true", "true"]
    assert {row["state"] for row in rows} == {"finished"}

    settings = HyperbandSettings(min_iter=2, eta=2)
    seen: list[dict[int, RungValue]] = []
    for row, x in zip(rows, (0.3, 0.35, 2.0, 3.0), strict=True):
        values = [(x - 0.3) ** 2 + 1 / (n + 1) for n in range(40)]
        own = rung_values(values, rungs(settings), Goal.MINIMIZE)
        stopped_at = stopping_rung(own, seen, settings, Goal.MINIMIZE)
        train = json.loads((project.path / f"results/runs/{row['runs']}/train.json").read_text())
        assert train["trial"]["stopped_at"] == stopped_at
        assert float(row["objective"]) == pytest.approx(min(values[:stopped_at]))
        seen.append({int(k): RungValue(*v) for k, v in train["trial"]["bands"].items()})
    with (project.path / f"results/runs/{rows[3]['runs']}/metrics_history.csv").open() as stream:
        logged = len(list(csv.DictReader(stream)))
    assert 2 <= logged < 40


def test_a_metric_that_is_never_logged_is_said_after_the_first_trial(tmp_path: Path) -> None:
    config = GRID | {"metric": {"name": "val/los", "goal": "minimize"}}
    project = create(tmp_path / "project", "experiments/sweep.yaml", seed=0)
    project.write_yaml("experiments/sweep.yaml", config)
    finished = project.snakemake("--cores", "1")
    assert finished.code == 1
    assert (
        "experiments/sweep.yaml:3: metric.name: experiments/train.py logs no 'val/los', did you "
        "mean 'val/loss'?; it logs val/loss"
    ) in finished.output
    attempts = project.path.glob("results/runs/*/work/attempts/*.json")
    ended = [json.loads(path.read_text())["state"] for path in attempts]
    assert ended.count("finished") == 1  # GRID also has trials that fail by themselves


def test_once_the_target_is_reached_later_trials_are_skipped(
    tmp_path: Path, wandb_server: WandbServer
) -> None:
    config = {
        "method": "grid",
        "metric": {"name": "val/loss", "goal": "minimize", "target": 0.3},
        "parameters": {"x": {"values": [0.2, 0.8, 1.2, 1.6]}},
        "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
    }
    project = create(tmp_path / "project", config, lag=2)
    project.snakemake().check()
    rows = trials_of(project)
    assert [row["state"] for row in rows] == ["finished", "finished", "skipped", "skipped"]
    assert [row["config.x"] for row in rows] == ["0.2", "0.8", "", ""]
    assert project.planned() == {}

    assert "left out" not in caduceus(project, wandb_server, "sync").check().output
    other = found_elsewhere(project, tmp_path / "other/project", wandb_server)
    assert_same_sweep(project, other)
    asked = other.snakemake("refresh", **account(wandb_server, other)).check().output
    assert "not on the server" not in asked
    assert "changed on the server: 0 of 4 runs" in asked


@pytest.mark.soak
def test_what_was_found_elsewhere_is_rebuilt_from_an_archive(
    swept: tuple[Project, Finished], tmp_path: Path, wandb_server: WandbServer
) -> None:
    project = swept[0].copy(tmp_path / "project")
    caduceus(project, wandb_server, "sync").check()
    other = found_elsewhere(project, tmp_path / "other/project", wandb_server)
    other.snakemake("archive").check()
    checked = other.caduceus("check-archive", "results/archive/tests.zip").check().output
    assert "whole, and its paper is rebuilt byte for byte" in checked


def test_the_shipped_sweep_is_planned_whatever_the_paper_shows(tmp_path: Path) -> None:
    """What `caduceus sweep` starts, dry."""
    for name in ("config.yaml", "experiments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    chosen = ("--config", "experiments=experiments/mnist1d_sweep.yaml", "paper=none")
    assert Project(tmp_path).planned(*chosen)["suggest_trial"] == 20


def online(project: Project, server: WandbServer) -> dict[str, str]:
    wandb = {"project": "tests", "mode": "online"}
    project.change("config.yaml", wandb=wandb, paper={})
    return account(server, project)


def handed_out(project: Project) -> list[str]:
    return [trial["handed_out"]["run"] for trial in told(project)]


def test_a_servers_own_engine_chooses_the_trials(tmp_path: Path, wandb_server: WandbServer) -> None:
    # Its choices differ each time: all trials have a value, as one that is left with none fails.
    parameters = BAYES["parameters"] | {"mode": {"values": ["good", "fine"]}}
    config = BAYES | {"parameters": parameters}
    project = create(tmp_path / "project", config, TRACKED, count=4, lag=2, engine="wandb")
    variables = online(project, wandb_server)
    project.run(*project.command("--cores", "2"), **variables).check()

    (sweep,) = wandb_server.sweeps
    assert sorted(handed_out(project)) == [f"{sweep.name}-{number}" for number in range(1, 5)]
    assert sorted(run.name for run in sweep.runs) == sorted(handed_out(project))
    for trial, row in zip(told(project), trials_of(project), strict=True):
        run, there = row["runs"], wandb_server.run(trial["handed_out"]["run"])
        assert (there.state, len(there.history)) == ("finished", 4)
        assert {name: there.config[name] for name in ("x", "mode")} == trial["parameters"]
        assert float(row["config.x"]) == trial["parameters"]["x"]
        url = project.read_json(f"results/runs/{run}/run.json")["url"]
        assert url == f"{wandb_server.url}/alice/tests/runs/{there.name}"
        delivery = project.read_json(f"results/runs/{run}/work/delivery.json")
        assert (delivery["state"], delivery["differences"]) == ("delivered", [])
        equal = caduceus(project, wandb_server, "verify", "--equal", run).check()
        assert equal.output == f"{run}: equal, byte for byte\n"
    assert project.planned() == {}


def test_a_trial_that_a_server_has_handed_out_stays_that_trial(
    tmp_path: Path, wandb_server: WandbServer
) -> None:
    config = {
        "method": "random",
        "metric": {"name": "val/loss", "goal": "minimize"},
        "parameters": {"x": {"min": 0.0, "max": 1.0}},
    }
    project = create(tmp_path / "project", config, TRACKED, count=2, engine="wandb")
    hold = project.write("hold", "")
    variables = online(project, wandb_server)
    snakemake = start_snakemake(project, **variables)
    wait_for(lambda: any(run.history for run in wandb_server.runs))
    end_group(snakemake.pid)
    snakemake.wait()
    hold.unlink()
    before = handed_out(project)
    shutil.rmtree(sweep_of(project) / "trials")
    project.caduceus("unlock").check()
    project.run(*project.command("--cores", "2", "--rerun-incomplete"), **variables).check()
    assert handed_out(project) == before
    assert sorted(run.name for run in wandb_server.runs) == sorted(before)
    assert [len(run.history) for run in wandb_server.runs] == [4, 4]
    # The second attempt's samples of the system stand in place of those that had arrived.
    wandb_server.problems[:] = [p for p in wandb_server.problems if "wandb-events" not in p]

    (sweep,) = wandb_server.sweeps
    sweep.state = "FINISHED"  # as its page there has a button for
    change_sweep(project, count=3)
    project.run(*project.command("--cores", "2"), **variables).check()
    assert [row["state"] for row in trials_of(project)] == ["finished", "finished", "skipped"]
    project.change("config.yaml", wandb={"project": "tests"})  # offline
    change_sweep(project, confirm=1)
    project.snakemake("--until", "export_sweep").check()
    change_sweep(project, count=4)
    assert "config.yaml: wandb.mode: a W&B server chooses the trials of this sweep" in (
        project.snakemake().output
    )
    project.change("config.yaml", wandb={"project": "others", "mode": "online"})
    said = project.run(*project.command("--cores", "2"), **variables).output
    assert f"its trials were chosen by {wandb_server.url} alice/tests, not by" in said
    project.change("config.yaml", wandb={"project": "tests", "mode": "online"})
    shutil.rmtree(sweep_of(project) / "trials")
    shutil.rmtree(sweep_of(project) / "work/chosen")
    said = project.run(*project.command("--cores", "2"), **variables).output
    assert "has been run, but the sweep's folder lacks its trial's file" in said
    assert len(wandb_server.runs) == 2


def test_a_server_stops_a_trial_that_does_badly_and_may_be_gone(
    tmp_path: Path, wandb_server: WandbServer
) -> None:
    config = {
        "method": "grid",
        "metric": {"name": "val/loss", "goal": "minimize"},
        "parameters": {
            "x": {"values": [0.3, 0.35, 3.0]},
            "rows": {"value": 30},
            "stuck": {"value": 12},
        },
        "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
    }
    project = create(tmp_path / "project", config, TRACKED, lag=2, engine="wandb")
    wandb_server.fail("Heartbeat", 500, after=3, times=2)
    project.run(*project.command("--cores", "2"), **online(project, wandb_server)).check()
    rows = trials_of(project)
    assert [row["stopped_early"] for row in rows] == ["false", "false", "true"]
    assert {row["state"] for row in rows} == {"finished"}
    last = project.read_json(f"results/runs/{rows[2]['runs']}/train.json")
    logged = last["trial"]["stopped_at"]
    assert 2 <= logged < 30
    assert float(rows[2]["objective"]) == pytest.approx(2.7**2 + 1 / logged)
    assert len(wandb_server.run(handed_out(project)[2]).history) == logged
