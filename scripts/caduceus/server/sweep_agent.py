"""Trials that a W&B server chooses: an agent requests one, and sends heartbeats while it runs.

The protocol is that of W&B's own agent (`wandb_agent.py` of the SDK 0.31) with `--count 1`: the
agent registers, then sends every five seconds which of its runs are running. The server answers
with commands.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from caduceus.errors import CaduceusError, ResultError, ServerError
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.files.trial import Assignment, Trial
from caduceus.runs.folder import RunFolder
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.answers import Answer
from caduceus.server.client import Server
from caduceus.server.sweeps import find_or_create_sweep
from caduceus.server.sync_record import read_sync_record
from caduceus.server.uploader import sync_now
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.pruning import Pruner, TrialCriteria
from caduceus.system.wandb_account import find_account

_REGISTER = """
mutation CreateAgent($host: String!, $project: String, $entity: String, $sweep: String!) {
  createAgent(input: {host: $host, projectName: $project, entityName: $entity, sweep: $sweep}) {
    agent { id }
  }
}
"""
_HEARTBEAT = """
mutation Heartbeat($id: ID!, $metrics: JSONString, $running: JSONString) {
  agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $running}) {
    agent { id }
    commands
  }
}
"""
_TRIALS = ("run", "resume")  # the commands with a trial
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Command:
    """A command that a server sends to an agent.

    Attributes:
        kind: run, resume, stop, exit or another one.
        run: the id of the run; empty with exit.
        parameters: of the trial to run; empty with other commands.
    """

    kind: str
    run: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """Times in seconds.

    Attributes:
        heartbeat_s: between two heartbeats.
        patience_s: how long to retry a request to a failing server.
        no_trial_s: how long to wait for a server that sends no trial, as for a paused sweep.
    """

    heartbeat_s: float = 5.0
    patience_s: float = 60.0
    no_trial_s: float = 600.0


def ask_trial(
    folder: SweepFolder,
    number: int,
    project: ProjectPath,
    ended: Sequence[Path],
    timing: Timing = Timing(),
) -> Trial:
    """Request trial `number` from the server, and return the content of its file.

    Args:
        folder: the sweep's folder.
        number: counted from 0.
        project: the project in which the sweep is created if it doesn't exist.
        ended: folders of the runs whose results the server needs; they are uploaded if it lacks
            them.
        timing: of the requests.

    Returns:
        The content that `trials.suggest_trial` describes, and `handed_out`: the server's ids of the
        trial's `run` and of our `agent`, and the `place`, server and project. If the server has no
        more trials, the trial is skipped, and `handed_out` is null.

    Raises:
        AccountError: the key is unknown, or has no permission.
        ServerError: the server can't be reached, sends no trial, or sends one without a parameter
            of the sweep.
        ResultError: the trial has been run already, or another server or project has chosen earlier
            trials of the sweep.
    """
    plan, space = folder.read_plan(), folder.config().space
    for path in folder.run_results(plan, number):
        if read_attempts(RunFolder(path.parent).attempts):
            raise ResultError(
                "has been run, but the sweep's folder lacks its trial's file; delete the run's "
                "folder, and the server chooses a new trial",
                str(path.parent),
            )
    server = Server(find_account())
    project = check_access(server, project)
    where = f"{server.account.base_url} {project}"
    known = [
        assignment
        for path in folder.all_kept_copies()
        if (assignment := Trial.read(path).handed_out)
    ]
    for assignment in known:
        if assignment.place != where:
            raise ResultError(
                f"its trials were chosen by {assignment.place}, not by {where}; set "
                "WANDB_BASE_URL, wandb.entity and wandb.project as they were",
                folder.path.name,
            )
    for path in ended:
        _ensure_synced(RunFolder(path))
    sweep = _retry(lambda: find_or_create_sweep(folder, server, project), timing)
    agent = _retry(lambda: _register(server, project, sweep), timing)
    command = _next_run(server, agent, sweep, {assignment.run for assignment in known}, timing)
    if command is None:
        return Trial(trial=number)
    try:
        space.flat(command.parameters)
    except (KeyError, TypeError) as error:
        raise ServerError(
            f"sent a trial without the parameter {error}", server.account.base_url
        ) from None
    assignment = Assignment(agent=agent, run=command.run, place=where)
    return Trial(trial=number, parameters=command.parameters, handed_out=assignment)


def _ensure_synced(run: RunFolder) -> None:
    """Upload an ended run unless the server has it.

    Raises:
        ServerError: the upload failed.
    """
    if Train.read(run.train_json).state == "skipped":
        return
    message = sync_now(run)
    record = read_sync_record(run)
    if record is None or record.state == "pending":
        raise ServerError(message)


def _retry(request: Callable[[], _Answer], timing: Timing) -> _Answer:
    """Send a request, and retry it if the server fails."""
    deadline = time.monotonic() + timing.patience_s
    while True:
        try:
            return request()
        except ServerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(timing.heartbeat_s)


def _register(server: Server, project: ProjectPath, sweep: str) -> str:
    """Register an agent of a sweep, and return its id."""
    host = socket.gethostname()
    answer = server.query(_REGISTER, host=host, sweep=sweep, **project.variables)
    made = answer["createAgent"]
    if made.is_null or made["agent"].is_null:
        raise ServerError(f"accepts no agent of sweep {sweep}", server.account.base_url)
    return made["agent"]["id"].text()


def _next_run(
    server: Server, agent: str, sweep: str, known: set[str], timing: Timing
) -> Command | None:
    """Return the command to run a trial that isn't known yet; None if there are no more."""
    deadline = time.monotonic() + timing.no_trial_s
    while time.monotonic() < deadline:
        for command in _retry(lambda: _heartbeat(server, agent, None), timing):
            # The server may resume a preempted run, which our own job resumes by itself.
            if command.kind in _TRIALS and command.run not in known:
                return command
            if command.kind == "exit":
                return None
        time.sleep(timing.heartbeat_s)
    raise ServerError(
        f"sends no trial of sweep {sweep}; if the sweep is paused there, resume it, and start "
        "Snakemake again",
        server.account.base_url,
    )


def _heartbeat(server: Server, agent: str, run: str | None) -> list[Command]:
    """Send an agent's heartbeat with the run that is running, and return the server's commands.

    Raises:
        ServerError: the server can't be reached, or its answer has another form.
    """
    running = {run: True} if run else {}
    answer = server.query(_HEARTBEAT, id=agent, metrics="{}", running=json.dumps(running))
    commands = answer["agentHeartbeat"]["commands"].parsed()
    return [] if commands.is_null else [_command(each) for each in commands.items()]


def _command(answer: Answer) -> Command:
    kind = answer["type"].text()
    run = "" if kind == "exit" else answer["run_id"].text()
    given = answer["args"].fields() if kind in _TRIALS else ()
    return Command(kind, run, {name: entry["value"].value for name, entry in given})


class ServerTrialCriteria(TrialCriteria):
    """The criteria of a trial that a W&B server chose, and which only the server may stop."""

    def pruner(self, folder: RunFolder, earlier: Sequence[Attempt], attempt: Attempt) -> Pruner:
        """Return a pruner that asks the server; one that never stops a run if it is offline."""
        if self.assignment is None or Identity.read(folder.run_json).mode != "online":
            return super().pruner(folder, earlier, attempt)
        return ServerPruner(self.assignment.agent, self.assignment.run)


class ServerPruner:
    """Sends the server heartbeats of a running run, and stops the run on the server's command.

    The run continues if the server fails or the sweep is deleted there.
    """

    def __init__(self, agent: str, run: str, timing: Timing = Timing()):
        self._timing = timing
        self._agent = agent
        self._run = run
        self._stop_command = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def has_stopped(self) -> bool:
        """Whether the server has sent the command to stop."""
        return self._stop_command.is_set()

    def should_continue(self) -> bool:
        """Return False once the run is to be stopped."""
        if self._thread is None:  # the program is started first: forking with threads is unsafe
            self._thread = threading.Thread(target=self._send_heartbeats, daemon=True)
            self._thread.start()
        return not self.has_stopped

    def _send_heartbeats(self) -> None:
        server: Server | None = None
        has_warned = False
        while not self.has_stopped:
            try:
                server = server or Server(find_account(), patience_s=0)
                for command in _heartbeat(server, self._agent, self._run):
                    if command.kind == "stop" and command.run == self._run:
                        self._stop_command.set()
            except CaduceusError as error:
                if not has_warned:
                    what = "the sweep's server doesn't answer; the run continues"
                    print(f"caduceus sweep-agent: {what}: {error}", file=sys.stderr)
                has_warned = True
            time.sleep(self._timing.heartbeat_s)
