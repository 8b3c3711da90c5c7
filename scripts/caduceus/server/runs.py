"""Queries about runs on a W&B server: their state, and everything they logged."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caduceus.errors import ServerError
from caduceus.io.names import quoted
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.answers import Answer
from caduceus.server.client import Server
from caduceus.server.pages import read_pages, read_run

_ROWS = 5000  # of a history, in one query


def path_on_server(identity: Identity, project: ProjectPath) -> RunPath:
    """Return the path of a run of ours, from its run.json and the project that it is sent to."""
    return project.run(identity.server_id)


@dataclass(frozen=True)
class ServerRun:
    """A run's names, configuration and summary, as a server has them.

    Attributes:
        id: W&B's id of the run.
        name: its display name.
        state: running, finished, failed, crashed, ... as W&B names it.
        config: the values of its configuration, by key.
        summary: the values of its summary, by key.
        summary_text: the same, as the server sends it.
        tags: in the server's order.
        notes: empty if there are none, as are the following texts.
        group: its W&B group.
        job_type: of the run.
        sweep: W&B's id of its sweep.
        host: the host it ran on.
        commit: the git commit of its program.
        created_at: when it was created.
        events: the number of its samples of system metrics.
    """

    id: str
    name: str
    state: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    summary_text: str
    tags: tuple[str, ...]
    notes: str
    group: str
    job_type: str
    sweep: str
    host: str
    commit: str
    created_at: datetime
    events: int


_STATE = (
    "name group state historyLineCount historyKeys createdAt updatedAt heartbeatAt "
    "project { name entity { name } }"
)
_ABOUT = (
    "name displayName state config summaryMetrics tags notes group jobType sweepName host "
    "commit createdAt eventsLineCount"
)
_RUN = """query Run($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) { %s } }
}"""
_RUNS = """query Runs($entity: String!, $project: String!, $filters: JSONString, $first: Int!,
    $after: String) {
  project(name: $project, entityName: $entity) {
    runs(filters: $filters, first: $first, after: $after, order: "+created_at") {
      edges { node { %s } } pageInfo { hasNextPage endCursor }
    }
  }
}"""
_HISTORY = """query History($entity: String!, $project: String!, $run: String!, $min: Int64!,
    $max: Int64!, $rows: Int!) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { history(minStep: $min, maxStep: $max, samples: $rows) }
  }
}"""
_EVENTS = """query Events($entity: String!, $project: String!, $run: String!, $rows: Int!) {
  project(name: $project, entityName: $entity) { run(name: $run) { events(samples: $rows) } }
}"""
_FILES = """query Files($entity: String!, $project: String!, $run: String!, $first: Int!,
    $after: String) {
  project(name: $project, entityName: $entity) { run(name: $run) {
    files(first: $first, after: $after) {
      edges { node { name url } } pageInfo { hasNextPage endCursor }
    }
  } }
}"""


def read_states(
    server: Server,
    path: ProjectPath,
    filters: dict[str, Any],
    unreadable: list[str] | None = None,
) -> Iterator[ServerState]:
    """Yield the state of every run of a project that matches the filters; 100 runs per query.

    A run whose state can't be read is named on stderr, and left out.

    Args:
        server: the server.
        path: the project.
        filters: as in W&B's API: `{"name": {"$in": [ids]}}`, `{"group": name}`; all runs if empty.
        unreadable: takes the names of the runs that are left out.

    Raises:
        ServerError: the project doesn't exist, or isn't visible to the account.
    """
    variables = {**path.variables, "filters": json.dumps(filters)}
    for node in read_pages(server, _RUNS % _STATE, ("project", "runs"), variables):
        try:
            yield _state(node)
        except ServerError as error:
            is_object = isinstance(node.value, dict)
            name = quoted(str(node.value.get("name") if is_object else node.value))
            if unreadable is not None:
                unreadable.append(name)
            print(f"left out, as its state can't be read: {name}: {error}", file=sys.stderr)


def read_state(server: Server, path: RunPath) -> ServerState | None:
    """Return the state of a run; None if the server doesn't have it."""
    project = server.query(_RUN % _STATE, **path.variables)["project"]
    found = project if project.is_null else project["run"]
    return None if found.is_null else _state(found)


def read_about(server: Server, path: RunPath) -> ServerRun:
    """Return a run's names, configuration and summary, as the server has them now.

    Raises:
        ServerError: the server doesn't have it.
    """
    about = read_run(server, _RUN % _ABOUT, path, {})
    return ServerRun(
        id=about["name"].text(),
        name=about["displayName"].text(""),
        state=about["state"].text(),
        config={key: entry["value"].value for key, entry in about["config"].parsed("{}").fields()},
        summary={key: value.value for key, value in about["summaryMetrics"].parsed("{}").fields()},
        summary_text=about["summaryMetrics"].text(""),
        tags=() if about["tags"].is_null else tuple(tag.text() for tag in about["tags"].items()),
        notes=about["notes"].text(""),
        group=about["group"].text(""),
        job_type=about["jobType"].text(""),
        sweep=about["sweepName"].text(""),
        host=about["host"].text(""),
        commit=about["commit"].text(""),
        created_at=about["createdAt"].time(),
        events=about["eventsLineCount"].whole_number(0),
    )


def read_history(
    server: Server, path: RunPath, first: int, last: int, rows: int
) -> Iterator[Answer]:
    """Yield every row from step `first` to `last`, each a text in JSON, in the order of steps.

    A server samples the rows of a range that has more than the query allows, and doesn't say so.
    A query that returns as many rows as it allows is therefore repeated with half the range.

    Args:
        server: the server.
        path: the run.
        first: the first step.
        last: the last step.
        rows: the number of rows in all, from which the first range is estimated.
    """
    steps = max(1, int(0.8 * _ROWS * (last + 1) / max(rows, 1)))  # 0.8: uneven steps still fit
    while first <= last:
        end = min(first + steps, last + 1)
        variables = {"min": first, "max": end, "rows": _ROWS}
        found = read_run(server, _HISTORY, path, variables)["history"].items()
        if len(found) >= _ROWS and end - first > 1:
            steps = max(1, (end - first) // 2)
            continue
        yield from found
        first = end
        if len(found) < _ROWS // 4:  # rows are sparse here
            steps *= 4


def read_events(server: Server, path: RunPath, rows: int) -> list[Answer]:
    """Return W&B's samples of system metrics, each a text in JSON.

    Raises:
        ServerError: the server returned fewer than `rows`, the number that it has.
    """
    if not rows:
        return []
    events = read_run(server, _EVENTS, path, {"rows": rows})["events"]
    found = [] if events.is_null else events.items()
    if len(found) < rows and "events" not in events.unknown:
        raise ServerError(
            f"returned only {len(found)} of {rows} samples of system metrics; try again", str(path)
        )
    return found


def read_files(server: Server, path: RunPath) -> dict[str, str]:
    """Return the URL of each file of a run, by its name."""
    nodes = read_pages(server, _FILES, ("project", "run", "files"), path.variables)
    return {node["name"].text(): node["url"].text() for node in nodes}


def _state(node: Answer) -> ServerState:
    project, keys = node["project"], node["historyKeys"]
    times = [node[name].text("") for name in ("updatedAt", "heartbeatAt", "createdAt")]
    rows = node["historyLineCount"].whole_number(0)
    last_step = -1 if keys.is_null else keys["lastStep"].whole_number(-1)
    if not rows and last_step >= 0:
        raise ServerError(
            f"says that the run has no rows, and that its last step is {last_step}", node.server
        )
    return ServerState(
        path=RunPath(project["entity"]["name"].text(), project["name"].text(), node["name"].text()),
        group=node["group"].text(""),
        state=node["state"].text(),
        rows=rows,
        last_step=last_step,
        updated_at=next(filter(None, times), ""),
    )
