"""Queries whose answer is one run, or a list in pages."""

from collections.abc import Iterator, Sequence
from typing import Any

from caduceus.errors import ServerError
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.answers import Answer
from caduceus.server.client import Server

_PAGE = 100  # runs, artifacts, files


def read_run(server: Server, text: str, path: RunPath, variables: dict[str, Any]) -> Answer:
    """Return the fields of a run for which a query asks.

    Raises:
        ServerError: there is no such run.
    """
    project = server.query(text, **path.variables, **variables)["project"]
    found = project if project.is_null else project["run"]
    if found.is_null:
        raise ServerError(f"no such run on {server.account.base_url}", str(path))
    return found


def read_pages(
    server: Server, text: str, keys: Sequence[str], variables: dict[str, Any]
) -> Iterator[Answer]:
    """Yield the nodes of a paginated list, which stands below `keys` in the answer."""
    after: str | None = None
    known: set[str] = set()
    while True:
        found = server.query(text, **variables, first=_PAGE, after=after)
        for key in keys:
            if not found.is_null:
                found = found[key]
        if found.is_null:
            where = "/".join(filter(None, map(variables.get, ("entity", "project", "run"))))
            raise ServerError(f"not found on {server.account.base_url}", where)
        yield from (edge["node"] for edge in found["edges"].items())
        if not found["pageInfo"]["hasNextPage"].flag():
            return
        after = found["pageInfo"]["endCursor"].text()
        if after in known:
            raise ServerError(f"sends the same page again and again ({keys[-1]})", found.server)
        known.add(after)
