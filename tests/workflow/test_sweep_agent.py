"""Trials that a W&B server hands out, asked for directly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from caduceus.errors import ServerError
from caduceus.runs.files.trial import Assignment, Trial
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server import sweep_agent
from caduceus.server.answers import Answer
from caduceus.server.sweep_agent import ServerPruner, Timing, ask_trial
from caduceus.sweeps.folders import SweepFolder
from projects import wait_for
from run_files import sweep_plan
from wandb_server import WandbServer

CONFIG = {"method": "grid", "parameters": {"x": {"values": [1, 2]}}}

QUICK = Timing(heartbeat_s=0.05, patience_s=0.2, no_trial_s=300)


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer
) -> SweepFolder:
    """The folder of a sweep that was started, for a user who is logged in."""
    monkeypatch.setenv("WANDB_API_KEY", wandb_server.key)
    monkeypatch.setenv("WANDB_BASE_URL", wandb_server.url)
    found = SweepFolder(tmp_path / "results/sweeps/tune-1")
    sweep_plan(CONFIG, engine="wandb").write(found.plan)
    return found


def ask(folder: SweepFolder, number: int, timing: Timing = QUICK) -> Trial:
    trial = ask_trial(folder, number, ProjectPath("", "tests"), [], timing)
    trial.write(folder.kept_copy(f"{number:04d}"))
    return trial


def assignment(trial: Trial) -> Assignment:
    assert trial.handed_out
    return trial.handed_out


def test_trials_are_handed_out_until_there_are_no_more(
    folder: SweepFolder, wandb_server: WandbServer
) -> None:
    trials = [ask(folder, number) for number in range(3)]
    (sweep,) = wandb_server.sweeps
    assert [trial.parameters for trial in trials] == [{"x": 1}, {"x": 2}, None]
    assert assignment(trials[1]).run == f"{sweep.name}-2"
    assert assignment(trials[1]).place == f"{wandb_server.url} alice/tests"
    assert trials[2] == Trial(trial=2)


def test_a_sweep_that_is_paused_is_waited_for_but_not_for_ever(
    folder: SweepFolder, wandb_server: WandbServer
) -> None:
    ask(folder, 0)
    (sweep,) = wandb_server.sweeps
    sweep.state = "PAUSED"
    with pytest.raises(ServerError, match=r"sends no trial .*; if the sweep is paused there"):
        ask(folder, 1, replace(QUICK, no_trial_s=0.3))


def test_a_run_that_is_another_trial_already_is_not_taken_again(
    folder: SweepFolder, wandb_server: WandbServer
) -> None:
    """A server hands a run that was preempted out again; here it goes on by itself."""
    first = assignment(ask(folder, 0)).run
    (sweep,) = wandb_server.sweeps
    sweep.trials = 0  # it hands the first one out again, and then the second
    second = ask(folder, 1)
    assert (first, assignment(second).run) == (f"{sweep.name}-1", f"{sweep.name}-2")
    assert second.parameters == {"x": 2}


def test_a_server_that_fails_for_a_moment_is_asked_again(
    folder: SweepFolder, wandb_server: WandbServer
) -> None:
    wandb_server.fail("Heartbeat", 404, times=2)
    assert ask(folder, 0, replace(QUICK, patience_s=30.0)).parameters == {"x": 1}
    wandb_server.fail("Heartbeat", 404)
    with pytest.raises(ServerError, match="404"):
        ask(folder, 1)


def test_what_is_no_answer_is_refused(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for commands in (None, "x", "[{}]", '[{"type": "run", "run_id": "a"}]', "{}x"):
        data = {"agentHeartbeat": {"commands": commands}}
        answer = Answer(data, "http://server", "the query Heartbeat")
        monkeypatch.setattr(sweep_agent.Server, "query", lambda *_, answer=answer, **__: answer)
        with pytest.raises(
            ServerError,
            match=r"its answer to the query Heartbeat (has|lacks) .*agentHeartbeat\.commands",
        ):
            sweep_agent._heartbeat(sweep_agent.Server(sweep_agent.find_account()), "agent", None)


def test_only_the_servers_word_stops_a_run(
    folder: SweepFolder, wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = assignment(ask(folder, 0))
    pruner = ServerPruner(given.agent, given.run, QUICK)
    (sweep,) = wandb_server.sweeps
    wandb_server.fail("Heartbeat", 500, times=1)
    for commands in ([], [{"type": "exit"}], [{"type": "stop", "run_id": "another"}]):
        monkeypatch.setattr(sweep, "commands", lambda *_, commands=commands: commands)
        assert pruner.should_continue()
        wait_for_heartbeats(wandb_server, 2)  # the answer to the first has been read then
        assert pruner.should_continue(), json.dumps(commands)
    monkeypatch.setattr(sweep, "commands", lambda *_: [{"type": "stop", "run_id": given.run}])
    wait_for(lambda: not pruner.should_continue())
    assert pruner.has_stopped


def wait_for_heartbeats(server: WandbServer, more: int) -> None:
    before = server.requests.count("POST /graphql Heartbeat")
    wait_for(lambda: server.requests.count("POST /graphql Heartbeat") >= before + more)
