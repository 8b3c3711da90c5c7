"""Sweeps, run by the workflow: how their trials are chosen, stopped, skipped and handed out."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from caduceus.runs.goal import Goal
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.hyperband import (
    HyperbandSettings,
    RungValue,
    rung_values,
    rungs,
    stopping_rung,
)
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import suggest
from online import account, caduceus
from program_forks import MODULES
from projects import REPOSITORY, Project, end_group, start_snakemake, wait_for
from sweep_projects import (
    BAYES,
    GRID,
    TRACKED,
    assert_same_sweep,
    change_sweep,
    create,
    found_elsewhere,
    sweep_of,
    told,
    trials_of,
)
from wandb_server import WandbServer


def kill_midway(project: Project) -> list[str]:
    """Start the sweep and kill all of Snakemake while a later trial is at work; which ones were."""
    hold = project.write("hold-later", "")
    project.change("experiments/tune.yaml", preload=[*MODULES])
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
    project = create(tmp_path / "project", BAYES, TRACKED, count=9, lag=3)
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
    assert len({result.parameters["x"] for result in known}) == 9

    # What is said of runs is said of all, at once.
    project.change("experiments/tune.yaml", tags=["mine"])
    planned = project.planned("--until", "export_sweep")
    assert (planned["init_run"], planned["export_run"]) == (9, 9)
    assert not {"sweep_agent", "suggest_trial"} & set(planned)


@pytest.mark.soak
def test_the_same_trials_come_on_one_core_and_after_a_kill(tmp_path: Path) -> None:
    first = create(tmp_path / "first/project", BAYES, count=20, lag=3)
    first.snakemake().check()
    second = create(tmp_path / "second/project", BAYES, count=20, lag=3)
    kill_midway(second)
    second.snakemake("--cores", "1", "--rerun-incomplete").check()
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
        "experiments/sweep.yaml:3: metric.name: no run logged metric 'val/los'; logged are: "
        "val/loss; did you mean 'val/loss'?"
    ) in finished.output
    attempts = project.path.glob("results/runs/*/work/attempts/*.json")
    ended = [json.loads(path.read_text())["state"] for path in attempts]
    assert ended.count("finished") == 1  # GRID also has trials that fail by themselves


def test_once_the_target_is_reached_later_trials_are_skipped_here_and_elsewhere(
    tmp_path: Path, wandb_server: WandbServer
) -> None:
    """So it is where another project reads the runs; there a failed trial stays failed, too."""
    config = {
        "method": "grid",
        "metric": {"name": "val/loss", "goal": "minimize", "target": 0.3},
        "parameters": {
            "mode": {"values": ["good", "crash", "broken", "fine"]},
            "x": {"value": 0.2},
        },
        "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2},
    }
    project = create(tmp_path / "project", config, lag=2)
    project.snakemake().check()
    rows = trials_of(project)
    assert [row["state"] for row in rows] == ["finished", "failed", "skipped", "skipped"]
    assert [row["config.mode"] for row in rows] == ["good", "crash", "", ""]
    assert project.planned() == {}

    assert "left out" not in caduceus(project, wandb_server, "sync").check().output
    other = found_elsewhere(project, tmp_path / "other/project", wandb_server)
    assert_same_sweep(project, other)
    failed = other.read_json("results/failures.json")["failed_trials"]
    assert failed == {rows[1]["runs"]: "it failed where it was run"}
    asked = other.snakemake("refresh", **account(wandb_server, other)).check().output
    assert "not on the server" not in asked
    assert "changed on the server: 0 of 4 runs" in asked


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
    project.snakemake(**variables).check()

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
    runs = [run.name for run in project.runs]
    equal = caduceus(project, wandb_server, "verify", "--equal", *runs).check()
    assert equal.output.splitlines() == [f"{run}: equal, byte for byte" for run in runs]
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
    wait_for(
        lambda: any(run.history for run in wandb_server.runs) and len(handed_out(project)) == 2
    )
    end_group(snakemake.pid)
    snakemake.wait()
    hold.unlink()
    before = handed_out(project)
    shutil.rmtree(sweep_of(project) / "trials")
    project.caduceus("unlock").check()
    until = ("--until", "export_sweep")
    project.snakemake("--rerun-incomplete", *until, **variables).check()
    assert handed_out(project) == before
    assert sorted(run.name for run in wandb_server.runs) == sorted(before)
    assert [len(run.history) for run in wandb_server.runs] == [4, 4]
    # The second attempt's samples of the system stand in place of those that had arrived.
    wandb_server.problems[:] = [p for p in wandb_server.problems if "wandb-events" not in p]

    (sweep,) = wandb_server.sweeps
    sweep.state = "FINISHED"  # as its page there has a button for
    change_sweep(project, count=3)
    project.snakemake(*until, **variables).check()
    assert [row["state"] for row in trials_of(project)] == ["finished", "finished", "skipped"]
    project.change("config.yaml", wandb={"project": "tests"})  # offline
    change_sweep(project, confirm=1)
    project.snakemake(*until).check()
    change_sweep(project, count=4)
    assert "config.yaml: wandb.mode: a W&B server chooses the trials of this sweep" in (
        project.snakemake().output
    )
    project.change("config.yaml", wandb={"project": "others", "mode": "online"})
    said = project.snakemake(**variables).output
    assert f"its trials were chosen by {wandb_server.url} alice/tests, not by" in said
    project.change("config.yaml", wandb={"project": "tests", "mode": "online"})
    shutil.rmtree(sweep_of(project) / "trials")
    shutil.rmtree(sweep_of(project) / "work/chosen")
    said = project.snakemake(**variables).output
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
    project.snakemake("--until", "export_sweep", **online(project, wandb_server)).check()
    rows = trials_of(project)
    assert [row["stopped_early"] for row in rows] == ["false", "false", "true"]
    assert {row["state"] for row in rows} == {"finished"}
    last = project.read_json(f"results/runs/{rows[2]['runs']}/train.json")
    logged = last["trial"]["stopped_at"]
    assert 2 <= logged < 30
    assert float(rows[2]["objective"]) == pytest.approx(2.7**2 + 1 / logged)
    assert len(wandb_server.run(handed_out(project)[2]).history) == logged
