"""Trials that a W&B server chooses: an agent asks for one, and minds the run that it becomes.

The protocol is that of W&B's own agent (`wandb_agent.py` of the SDK 0.31) with `--count 1`: it
registers, and then says every five seconds which of its runs are at work. The answers are commands.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from caduceus.accounts import find_account
from caduceus.errors import CaduceusError, ServerError
from caduceus.files import read_json, write_json
from caduceus.server import Server
from caduceus.server_runs import RunPath
from caduceus.server_sweeps import sweep_on_server
from caduceus.sweeps.folders import SweepFolder, Trial

_BEATS_S = 5.0
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


def ask_trial(folder: SweepFolder, number: int, server: Server, place: RunPath) -> Trial:
    """What the file of trial `number` is to hold if a server chooses it.

    A trial that was handed out once is that trial for ever: the server waits for its run.

    Args:
        folder: the sweep's.
        number: counted from 0.
        server: the server, on which the sweep is made if it isn't there.
        place: any run of the project it belongs to.

    Returns:
        As `trials.suggest_trial`, with `handed_out`: the server's ids of its `run`, and of the
        `agent` that asked. It is skipped, and `handed_out` null, if the server has no more trials.

    Raises:
        AccountError: the key isn't known, or may not do this.
        ServerError: the server can't be reached, or has chosen what the sweep doesn't search.
    """
    asked = folder.asked(number)
    if asked.exists():
        return dict(read_json(asked))
    sweep = sweep_on_server(folder, server, place)
    answer = server.query(
        _REGISTER,
        host=socket.gethostname(),
        entity=place.entity,
        project=place.project,
        sweep=sweep,
    )
    agent = str(answer["createAgent"]["agent"]["id"])
    trial: Trial = {"trial": number, "parameters": None, "told": None, "handed_out": None}
    command = _next_run(server, agent, sweep)
    if command is None:
        return trial
    trial["parameters"] = {name: given["value"] for name, given in command["args"].items()}
    trial["handed_out"] = {"agent": agent, "run": command["run_id"]}
    try:
        folder.config().space.flat(trial["parameters"])
    except KeyError as error:
        raise ServerError(f"chose a trial without {error}", server.account.base_url) from None
    write_json(asked, trial)
    return trial


def _next_run(server: Server, agent: str, sweep: str) -> dict[str, Any] | None:
    """The command to run a trial; None if there are no more. A paused sweep is waited for."""
    has_waited = False
    while True:
        for command in _beat(server, agent, None):
            if command["type"] in ("run", "resume"):
                return command
            if command["type"] == "exit":
                return None
        if not has_waited:
            where = f"sweep {sweep} on {server.account.base_url}"
            print(f"caduceus ask-trial: {where} hands out no trial yet; waiting", file=sys.stderr)
        has_waited = True
        time.sleep(_BEATS_S)


def _beat(server: Server, agent: str, run: str | None) -> list[dict[str, Any]]:
    """Say what an agent's run is at work, and return what the server wants."""
    running = {run: True} if run else {}
    answer = server.query(_BEAT, id=agent, metrics="{}", running=json.dumps(running))
    try:
        commands: list[dict[str, Any]] = json.loads(answer["agentHeartbeat"]["commands"])
    except (KeyError, TypeError, ValueError):
        raise ServerError("doesn't answer an agent as W&B does", server.account.base_url) from None
    return commands


class Minder:
    """Tells the server of a run while it is at work, and stops it where the server says so.

    Whatever happens to the server, the run goes on.
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
                if any(map(self._is_stop, _beat(server, self._agent, self._run))):
                    self._told_to_stop.set()
            except CaduceusError as error:
                if not has_complained:
                    what = "no word from the sweep's server, and the run goes on"
                    print(f"caduceus sweep-agent: {what}: {error}", file=sys.stderr)
                has_complained = True
            time.sleep(_BEATS_S)

    def _is_stop(self, command: Mapping[str, Any]) -> bool:
        kind = command["type"]
        return bool(kind == "exit" or (kind == "stop" and command["run_id"] == self._run))
