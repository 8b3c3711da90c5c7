"""Queries about runs on a W&B server: their state, and everything they logged."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from caduceus.errors import ServerError
from caduceus.io.names import quoted
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.client import Server
from caduceus.server.pages import read_pages, read_run

_ROWS = 5000  # of a history, in one query


def path_on_server(identity: Identity, project: ProjectPath) -> RunPath:
    """Return the path of a run of ours, from its run.json and the project that it is sent to."""
    return project.run(identity.server_id)


_STATE = (
    "name group state historyLineCount historyKeys createdAt updatedAt heartbeatAt "
    "project { name entity { name } }"
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
    server: Server, path: ProjectPath, filters: dict[str, Any]
) -> Iterator[ServerState]:
    """Yield the state of every run of a project that matches the filters; 100 runs per query.

    A run whose state can't be read is named on stderr, and left out.

    Args:
        server: the server.
        path: the project.
        filters: as in W&B's API: `{"name": {"$in": [ids]}}`, `{"group": name}`; all runs if empty.

    Raises:
        ServerError: the project doesn't exist, or isn't visible to the account.
    """
    variables = {**path.variables, "filters": json.dumps(filters)}
    for node in read_pages(server, _RUNS % _STATE, ("project", "runs"), variables):
        try:
            yield _state(node)
        except (LookupError, TypeError, AttributeError) as error:
            name = quoted(str(node.get("name") if isinstance(node, dict) else node))
            print(f"left out, as its state can't be read: {name}: {error!r}", file=sys.stderr)


def read_state(server: Server, path: RunPath) -> ServerState | None:
    """Return the state of a run; None if the server doesn't have it."""
    found = (server.query(_RUN % _STATE, **path.variables)["project"] or {}).get("run")
    return _state(found) if found else None


def read_about(server: Server, path: RunPath) -> dict[str, Any]:
    """Return a run's names, configuration and summary, as the server has them now.

    Raises:
        ServerError: the server doesn't have it.
    """
    fields = (
        "name displayName state config summaryMetrics tags notes group jobType sweepName host "
        "commit createdAt eventsLineCount historyLineCount"
    )
    about: dict[str, Any] = read_run(server, _RUN % fields, path, {})
    return about


def configuration(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the configuration in the result of `read_about`, by key."""
    entries = json.loads(about["config"] or "{}")
    return {key: entry["value"] for key, entry in entries.items() if "value" in entry}


def read_history(server: Server, path: RunPath, first: int, last: int, rows: int) -> Iterator[str]:
    """Yield every row from step `first` to `last`, as JSON text, in the order of steps.

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
        found = read_run(server, _HISTORY, path, variables)["history"]
        if len(found) >= _ROWS and end - first > 1:
            steps = max(1, (end - first) // 2)
            continue
        yield from found
        first = end
        if len(found) < _ROWS // 4:  # rows are sparse here
            steps *= 4


def read_events(server: Server, path: RunPath, rows: int) -> list[str]:
    """Return W&B's samples of system metrics, as JSON text.

    Raises:
        ServerError: the server returned fewer than `rows`, the number that it has.
    """
    if not rows:
        return []
    found: list[str] = read_run(server, _EVENTS, path, {"rows": rows})["events"]
    if len(found) < rows:
        raise ServerError(
            f"returned only {len(found)} of {rows} samples of system metrics; try again", str(path)
        )
    return found


def read_files(server: Server, path: RunPath) -> dict[str, str]:
    """Return the URL of each file of a run, by its name."""
    nodes = read_pages(server, _FILES, ("project", "run", "files"), path.variables)
    return {node["name"]: node["url"] for node in nodes}


def _state(node: dict[str, Any]) -> ServerState:
    project = node["project"]
    last_step = (node["historyKeys"] or {}).get("lastStep")
    return ServerState(
        path=RunPath(project["entity"]["name"], project["name"], node["name"]),
        group=node["group"] or "",
        state=node["state"],
        rows=node["historyLineCount"] or 0,
        last_step=-1 if last_step is None else last_step,
        updated_at=node["updatedAt"] or node["heartbeatAt"] or node["createdAt"],
    )
