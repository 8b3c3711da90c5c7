"""A user of a throw-away project who is logged in to the tests' W&B server."""

from projects import Finished, Project
from wandb_server import WandbServer


def account(server: WandbServer, project: Project) -> dict[str, str]:
    """The environment of a user who is logged in."""
    variables = server.environment(project.path.parent / "home")
    others = ("PATH", "WANDB_DIR", "PYTEST_CURRENT_TEST")  # the last as in `Project.environment`
    kept = {name: value for name, value in variables.items() if name not in others}
    return kept | {"WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1"}


def caduceus(project: Project, server: WandbServer, *words: str) -> Finished:
    return project.caduceus(*words, **account(server, project))
