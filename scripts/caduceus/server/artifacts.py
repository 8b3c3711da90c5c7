"""Queries about the artifacts of a run on a W&B server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caduceus.runs.wandb_paths import RunPath
from caduceus.server.answers import Answer
from caduceus.server.client import Server
from caduceus.server.pages import read_pages
from caduceus.wandb_log.segments import WANDBS_OWN_TYPES


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
    files: int | None
    bytes: int | None


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


def read_entries(server: Server, artifact: ServerArtifact) -> dict[str, Answer]:
    """Return `digest`, `size` or `ref` of each file in the manifest of an artifact's version."""
    return dict(server.read_json(artifact.manifest_url)["contents"].fields())


def read_urls(server: Server, artifact: ServerArtifact) -> dict[str, str]:
    """Return the URL of each file of an artifact's version, by its path in the artifact."""
    nodes = read_pages(server, _URLS, ("artifact", "files"), {"id": artifact.id})
    return {node["name"].text(): node["directUrl"].text() for node in nodes}


def _artifacts(
    server: Server, path: RunPath, kind: str, is_used: bool, wanted: Callable[[str], bool]
) -> Iterator[ServerArtifact]:
    for node in read_pages(server, _ARTIFACTS % kind, ("project", "run", kind), path.variables):
        type_name = node["artifactType"]["name"].text()
        if node["state"].text() != "COMMITTED" or not wanted(type_name):
            continue
        yield ServerArtifact(
            id=node["id"].text(),
            name=node["artifactSequence"]["name"].text(),
            type=type_name,
            digest=node["digest"].text(),
            aliases=tuple(alias["alias"].text() for alias in node["aliases"].items()),
            metadata=node["metadata"].parsed("null").value,
            is_used=is_used,
            manifest_url=node["currentManifest"]["file"]["directUrl"].text(),
            description=node["description"].text(""),
            files=None if node["fileCount"].is_null else node["fileCount"].whole_number(),
            bytes=None if node["size"].is_null else node["size"].whole_number(),
        )
