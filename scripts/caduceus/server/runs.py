"""Queries about runs on a W&B server: their state, and everything they logged."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.errors import AccountError, ServerError
from caduceus.io.names import quoted
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.client import Server
from caduceus.wandb_log.segments import WANDBS_OWN_TYPES

_PAGE = 100  # runs, artifacts, files
_ROWS = 5000  # of a history, in one query


def path_on_server(identity: Identity, project: ProjectPath) -> RunPath:
    """Return the path of a run of ours, from its run.json and the project that it is sent to."""
    return project.run(identity.server_id)


@dataclass(frozen=True)
class ServerArtifact:
    """A version of an artifact on a server."""

    id: str
    name: str
    type: str
    digest: str
    aliases: tuple[str, ...]
    metadata: Any
    is_used: bool
    manifest_url: str
    description: str
    files: int
    bytes: int


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
_ARTIFACTS = """query Artifacts($entity: String!, $project: String!, $run: String!, $first: Int!,
    $after: String) {
  project(name: $project, entityName: $entity) { run(name: $run) {
    %s(first: $first, after: $after) {
      edges { node {
        id digest state metadata description fileCount size
        artifactType { name } artifactSequence { name } aliases { alias }
        currentManifest { file { directUrl } }
      } }
      pageInfo { hasNextPage endCursor }
    }
  } }
}"""
_URLS = """query Urls($id: ID!, $first: Int!, $after: String) {
  artifact(id: $id) { files(first: $first, after: $after) {
    edges { node { name directUrl } } pageInfo { hasNextPage endCursor }
  } }
}"""
_VIEWER = "query Viewer { viewer { username entity teams { edges { node { name } } } } }"
_PROJECT = """query Project($entity: String!, $project: String!) {
  project(name: $project, entityName: $entity) { readOnly }
}"""
_CREATE_PROJECT = """mutation UpsertModel($entity: String!, $project: String!) {
  upsertModel(input: {entityName: $entity, name: $project}) { inserted }
}"""


def check_access(server: Server, path: ProjectPath, must_write: bool = True) -> ProjectPath:
    """Check that the account may log to a project, and create the project if it doesn't exist.

    Args:
        server: the server.
        path: the project.
        must_write: False if the project is only read, and not created.

    Returns:
        The path with its entity: the one given, or the account's default one.

    Raises:
        AccountError: the key is wrong, or there is no such entity or no right to write.
        ServerError: the server can't be reached.
    """
    answer = server.query(_VIEWER)
    viewer = answer.get("viewer")
    if "viewer" in answer and viewer is None:
        raise AccountError(
            f"{server.account.base_url} doesn't know the API key from {server.account.key_from}; "
            "copy it again from the server's page /authorize"
        )
    if not viewer or "entity" not in viewer:
        raise ServerError(
            "doesn't say whose the key is; is it a W&B server? see WANDB_BASE_URL",
            server.account.base_url,
        )
    user = viewer.get("username")
    if not path.entity:
        path = ProjectPath(server.account.entity or viewer.get("entity") or "", path.project)
    if not path.entity:
        raise AccountError("the account has no default entity; set wandb.entity in config.yaml")
    found = server.query(_PROJECT, **path.variables).get("project")
    if found is None:
        teams = [edge["node"]["name"] for edge in (viewer.get("teams") or {}).get("edges", [])]
        known = sorted({viewer.get("entity"), user, *teams} - {None})
        if path.entity not in known:
            raise AccountError(
                f"wandb.entity: {path.entity!r} is neither {user!r} nor one of its teams "
                f"on {server.account.base_url}, and has no visible project {path.project!r}; "
                f"allowed: {', '.join(known)}"
            )
        if must_write:
            server.query(_CREATE_PROJECT, **path.variables)
    elif must_write and found["readOnly"]:
        raise AccountError(
            f"{user!r} may read {path} on {server.account.base_url}, but "
            "not write to it; ask for write permission, or set another wandb.entity"
        )
    return path


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
    for node in _pages(server, _RUNS % _STATE, ("project", "runs"), variables):
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
    about: dict[str, Any] = _run(server, _RUN % fields, path, {})
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
        found = _run(server, _HISTORY, path, variables)["history"]
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
    found: list[str] = _run(server, _EVENTS, path, {"rows": rows})["events"]
    if len(found) < rows:
        raise ServerError(
            f"returned only {len(found)} of {rows} samples of system metrics; try again", str(path)
        )
    return found


def read_files(server: Server, path: RunPath) -> dict[str, str]:
    """Return the URL of each file of a run, by its name."""
    nodes = _pages(server, _FILES, ("project", "run", "files"), path.variables)
    return {node["name"]: node["url"] for node in nodes}


def read_artifacts(server: Server, path: RunPath) -> list[ServerArtifact]:
    """Return the artifacts that a run logged or used, without W&B's internal ones.

    They are in the order in which they were last logged, as far as the server knows it: oldest
    first, but if a program went back to an earlier content, that version, which has the alias
    `latest` again, comes after the others.
    """
    used = list(_artifacts(server, path, "inputArtifacts", is_used=True, wanted=_is_users))
    known = {(artifact.name, artifact.digest) for artifact in used}
    logged = _artifacts(server, path, "outputArtifacts", is_used=False, wanted=_is_users)
    new = [artifact for artifact in logged if (artifact.name, artifact.digest) not in known]
    return [*sorted(new, key=lambda artifact: "latest" in artifact.aliases), *used]


def _is_users(type_name: str) -> bool:
    return type_name not in WANDBS_OWN_TYPES


def logged_artifacts(
    server: Server, path: RunPath, types: Sequence[str]
) -> Iterator[ServerArtifact]:
    """Yield the artifacts of these types that a run logged."""
    return _artifacts(server, path, "outputArtifacts", is_used=False, wanted=types.__contains__)


def read_entries(server: Server, artifact: ServerArtifact) -> dict[str, dict[str, Any]]:
    """Return `digest`, `size` or `ref` of each file in the manifest of an artifact's version."""
    manifest = server.read_json(artifact.manifest_url)
    if not isinstance(manifest.get("contents"), dict):
        raise ServerError("its manifest on the server has no `contents`", artifact.name)
    return dict(manifest["contents"])


def read_urls(server: Server, artifact: ServerArtifact) -> dict[str, str]:
    """Return the URL of each file of an artifact's version, by its path in the artifact."""
    nodes = _pages(server, _URLS, ("artifact", "files"), {"id": artifact.id})
    return {node["name"]: node["directUrl"] for node in nodes}


def _artifacts(
    server: Server, path: RunPath, kind: str, is_used: bool, wanted: Callable[[str], bool]
) -> Iterator[ServerArtifact]:
    for node in _pages(server, _ARTIFACTS % kind, ("project", "run", kind), path.variables):
        type_name = node["artifactType"]["name"]
        if node["state"] != "COMMITTED" or not wanted(type_name):
            continue
        yield ServerArtifact(
            id=node["id"],
            name=node["artifactSequence"]["name"],
            type=type_name,
            digest=node["digest"],
            aliases=tuple(alias["alias"] for alias in node["aliases"]),
            metadata=json.loads(node["metadata"]) if node["metadata"] else None,
            is_used=is_used,
            manifest_url=node["currentManifest"]["file"]["directUrl"],
            description=node["description"] or "",
            files=node["fileCount"] or 0,
            bytes=node["size"] or 0,
        )


def _run(server: Server, text: str, path: RunPath, variables: dict[str, Any]) -> Any:
    found = (server.query(text, **path.variables, **variables)["project"] or {}).get("run")
    if found is None:
        raise ServerError(f"no such run on {server.account.base_url}", str(path))
    return found


def _pages(
    server: Server, text: str, keys: Sequence[str], variables: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a paginated list, which stands below `keys` in the answer."""
    after: str | None = None
    while True:
        found: Any = server.query(text, **variables, first=_PAGE, after=after)
        for key in keys:
            found = (found or {}).get(key)
        if found is None:
            where = "/".join(filter(None, map(variables.get, ("entity", "project", "run"))))
            raise ServerError(f"not found on {server.account.base_url}", where)
        yield from (edge["node"] for edge in found["edges"])
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


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
