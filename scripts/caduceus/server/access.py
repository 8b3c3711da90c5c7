"""Check what an account may do on a W&B server."""

from caduceus.errors import AccountError, ServerError
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server

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
