"""Check what an account may do on a W&B server."""

from caduceus.errors import AccountError
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.answers import Answer
from caduceus.server.client import Server
from caduceus.server.request_errors import unknown_key

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
    viewer = server.query(_VIEWER)["viewer"]
    if viewer.is_null:
        raise unknown_key(server.account)
    user, own = viewer["username"].text(""), viewer["entity"].text("")
    if not path.entity:
        path = ProjectPath(server.account.entity or own, path.project)
    if not path.entity:
        raise AccountError("the account has no default entity; set wandb.entity in config.yaml")
    found = server.query(_PROJECT, **path.variables)["project"]
    if found.is_null:
        known = sorted({own, user, *_teams(viewer)} - {""})
        if path.entity not in known:
            raise AccountError(
                f"wandb.entity: {path.entity!r} is neither {user!r} nor one of its teams "
                f"on {server.account.base_url}, and has no visible project {path.project!r}; "
                f"allowed: {', '.join(known)}"
            )
        if must_write:
            server.query(_CREATE_PROJECT, **path.variables)
    elif must_write and not found["readOnly"].is_null and found["readOnly"].flag():
        raise AccountError(
            f"{user!r} may read {path} on {server.account.base_url}, but "
            "not write to it; ask for write permission, or set another wandb.entity"
        )
    return path


def _teams(viewer: Answer) -> list[str]:
    teams = viewer["teams"]
    edges = [] if teams.is_null else teams["edges"].items()
    return [edge["node"]["name"].text() for edge in edges]
