"""The artifacts of a run's tables on a W&B server, with the ids by which rows refer to them."""

import re
from collections.abc import Iterator, Sequence

from caduceus.runs.wandb_paths import RunPath
from caduceus.server.answers import Answer
from caduceus.server.artifacts import ServerArtifact, logged_artifacts
from caduceus.server.client import Server
from caduceus.wandb_log.segments import TABLE_TYPES

_CLIENT = re.compile(r"wandb-client-artifact://(\w+)/")
_IDS = 100  # in one query
# A table up to this size has no rows that its file of media lacks: that has at least 10,000.
_SMALL = 3 * 10_000  # bytes


def client_ids(text: str) -> list[str]:
    """Return the random ids of artifacts to which a row, as JSON text, refers."""
    return _CLIENT.findall(text) if "wandb-client-artifact" in text else []


def read_tables(
    server: Server, path: RunPath, clients: Sequence[str]
) -> Iterator[tuple[str, ServerArtifact]]:
    """Yield the artifacts of a run's tables that have media or many rows.

    Args:
        server: the server.
        path: the run.
        clients: from `client_ids`, of all rows.

    Yields:
        The random id by which a row refers to the artifact, and the artifact; with an id of its own
        if no row does, as of wandb up to 0.17.
    """
    found = {
        artifact.id: artifact
        for artifact in logged_artifacts(server, path, TABLE_TYPES)
        if artifact.files != 1 or artifact.bytes is None or artifact.bytes > _SMALL
    }
    named: set[str] = set()
    for first in range(0, len(clients) if found else 0, _IDS):
        some = clients[first : first + _IDS]
        wanted = ", ".join(f"$id{index}: ID!" for index in range(len(some)))
        fields = " ".join(
            f"id{index}: clientIDMapping(clientID: $id{index}) {{ serverID }}"
            for index in range(len(some))
        )
        variables = {f"id{index}": client for index, client in enumerate(some)}
        answer = server.query(f"query ClientIDMapping({wanted}) {{ {fields} }}", **variables)
        for name, client in variables.items():
            artifact = found.get(_server_id(answer, name))
            if artifact:
                named.add(artifact.id)
                yield client, artifact
    yield from ((name, artifact) for name, artifact in found.items() if name not in named)


def _server_id(answer: Answer, name: str) -> str:
    if "clientIDMapping" in answer.unknown or answer[name].is_null:
        return ""
    return answer[name]["serverID"].text("")
