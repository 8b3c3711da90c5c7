"""Trials that a W&B server chooses: an agent asks for one, and minds the run that it becomes.

The protocol is that of W&B's own agent (`wandb_agent.py` of the SDK 0.31) with `--count 1`: it
registers, and then says every five seconds which of its runs are at work. The answers are commands.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from caduceus.errors import CaduceusError, ResultError, ServerError
from caduceus.io.files import read_json
from caduceus.runs.attempts import Attempt, read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.server.runs import check_access
from caduceus.server.sweeps import find_or_create_sweep
from caduceus.server.sync_record import read_sync_record
from caduceus.server.uploader import sync_now
from caduceus.sweeps.folders import SweepFolder, Trial
from caduceus.sweeps.pruning import Rule, Watch
from caduceus.system.wandb_account import find_account

_BEATS_S = 5.0
_PATIENCE_S = 60.0  # with a server that fails
_WAITS_S = 600.0  # for one that hands out nothing, as of a sweep that is paused
_REGISTER = """
mutation CreateAgent($host: String!, $project: String, $entity: String, $sweep: String!) {
  createAgent(input: {host: $host, projectName: $project, entityName: $entity, sweep: $sweep}) {
    agent { id }
  }
}
"""
_BEAT = """
mutation Heartbeat($id: ID!, $metrics: JSONString, $running: JSONString) {
  agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $running}) {
    agent { id }
    commands
  }
}
"""
_TRIALS = ("run", "resume")  # the commands that hand out a run
_Answer = TypeVar("_Answer")


def ask_trial(
    folder: SweepFolder, number: int, project: ProjectPath, ended: Sequence[Path]
) -> Trial:
    """What the file of trial `number` is to hold if a server chooses it.

    Args:
        folder: the sweep's.
        number: counted from 0.
        project: the project in which the sweep is created if it doesn't exist.
        ended: folders of runs that the server is to know before; what it lacks is sent.

    Returns:
        As `trials.suggest_trial`, with `handed_out`: the server's ids of its `run` and of the
        `agent` that asked, and the `place`, server and project. It is skipped, and `handed_out`
        null, if the server has no more trials.

    Raises:
        AccountError: the key isn't known, or may not do this.
        ServerError: the server can't be reached, hands out nothing, or has chosen what the sweep
            doesn't search.
        ResultError: the trial was run already, or earlier ones were handed out elsewhere.
    """
    plan, space = read_json(folder.plan), folder.config().space
    for path in folder.run_results(plan, number):
        if read_attempts(RunFolder(path.parent).attempts):
            raise ResultError(
                "has been run, but what the server chose for it is gone from the sweep's folder; "
                "delete it, and the server chooses anew",
                str(path.parent),
            )
    server = Server(find_account())
    project = check_access(server, project)
    where = f"{server.account.base_url} {project}"
    known = [given for path in folder.all_chosen() if (given := read_json(path).get("handed_out"))]
    for given in known:
        if given["place"] != where:
            raise ResultError(
                f"its trials are handed out by {given['place']}, and not by {where}; go back there",
                folder.path.name,
            )
    for path in ended:
        _ensure_synced(RunFolder(path))
    sweep = _patiently(lambda: find_or_create_sweep(folder, server, project))
    agent = _patiently(lambda: _register(server, project, sweep))
    trial: Trial = {"trial": number, "parameters": None, "told": None, "handed_out": None}
    command = _next_run(server, agent, sweep, {given["run"] for given in known})
    if command is None:
        return trial
    trial["parameters"] = {name: given["value"] for name, given in command["args"].items()}
    trial["handed_out"] = {"agent": agent, "run": command["run_id"], "place": where}
    try:
        space.flat(trial["parameters"])
    except KeyError as error:
        raise ServerError(f"chose a trial without {error}", server.account.base_url) from None
    return trial


def _ensure_synced(run: RunFolder) -> None:
    """Upload an ended run unless the server has it.

    Raises:
        ServerError: the upload failed.
    """
    if read_json(run.path / "train.json")["state"] == "skipped":
        return
    message = sync_now(run)
    record = read_sync_record(run)
    if record is None or record.state == "pending":
        raise ServerError(message)


def _patiently(ask: Callable[[], _Answer]) -> _Answer:
    """The answer of a server that may fail for a while."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except ServerError:
            if time.monotonic() > until:
                raise
            time.sleep(_BEATS_S)


def _register(server: Server, project: ProjectPath, sweep: str) -> str:
    """The id of a new agent of a sweep."""
    host = socket.gethostname()
    answer = server.query(_REGISTER, host=host, sweep=sweep, **project.variables)
    agent = (answer.get("createAgent") or {}).get("agent")
    if not agent:
        raise ServerError(f"takes no agent of sweep {sweep}", server.account.base_url)
    return str(agent["id"])


def _next_run(server: Server, agent: str, sweep: str, known: set[str]) -> dict[str, Any] | None:
    """The command to run a trial that isn't one of those known; None if there are no more."""
    until = time.monotonic() + _WAITS_S
    while time.monotonic() < until:
        for command in _patiently(lambda: _beat(server, agent, None)):
            # What is resumed may be a run that was preempted, and which goes on by itself here.
            if command["type"] in _TRIALS and command["run_id"] not in known:
                return command
            if command["type"] == "exit":
                return None
        time.sleep(_BEATS_S)
    raise ServerError(
        f"hands out no trial of sweep {sweep}; if it is paused there, let it go on, and start "
        "Snakemake again",
        server.account.base_url,
    )


def _beat(server: Server, agent: str, run: str | None) -> list[dict[str, Any]]:
    """Say what an agent's run is at work, and return what the server wants.

    Raises:
        ServerError: the server can't be reached, or wants what is no command.
    """
    running = {run: True} if run else {}
    answer = server.query(_BEAT, id=agent, metrics="{}", running=json.dumps(running))
    try:
        commands: list[dict[str, Any]] = json.loads(answer["agentHeartbeat"]["commands"]) or []
        for command in commands:
            assert command["type"] == "exit" or isinstance(command["run_id"], str)
            assert command["type"] not in _TRIALS or isinstance(command["args"], dict)
    except (AssertionError, KeyError, TypeError, ValueError):
        raise ServerError("doesn't answer an agent as W&B does", server.account.base_url) from None
    return commands


class ServerRule(Rule):
    """The rule of a trial that a W&B server chose: the server says when its runs are stopped."""

    def judge(self, folder: RunFolder, earlier: Sequence[Attempt], attempt: Attempt) -> Watch:
        """Ask the server while an attempt is at work online; offline no one stops it."""
        if self.handed_out is None or Identity.read(folder.run_json).mode != "online":
            return super().judge(folder, earlier, attempt)
        return Minder(self.handed_out["agent"], self.handed_out["run"])


class Minder:
    """Tells the server of a run while it is at work, and stops it where the server says so.

    Whatever happens to the server, and to the sweep there, the run goes on.
    """

    def __init__(self, agent: str, run: str):
        self._agent = agent
        self._run = run
        self._told_to_stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def has_stopped(self) -> bool:
        """Whether the server has stopped the run."""
        return self._told_to_stop.is_set()

    def goes_on(self) -> bool:
        """False once the run is to be stopped."""
        if self._thread is None:  # not before: no program is started by a process of several
            self._thread = threading.Thread(target=self._beat_on, daemon=True)
            self._thread.start()
        return not self.has_stopped

    def _beat_on(self) -> None:
        server: Server | None = None
        has_complained = False
        while not self.has_stopped:
            try:
                server = server or Server(find_account(), patience_s=0)
                for command in _beat(server, self._agent, self._run):
                    if command["type"] == "stop" and command["run_id"] == self._run:
                        self._told_to_stop.set()
            except CaduceusError as error:
                if not has_complained:
                    what = "no word from the sweep's server, and the run goes on"
                    print(f"caduceus sweep-agent: {what}: {error}", file=sys.stderr)
                has_complained = True
            time.sleep(_BEATS_S)
