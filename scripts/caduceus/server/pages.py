"""Queries whose answer is one run, or a list in pages."""

from collections.abc import Iterator, Sequence
from typing import Any

from caduceus.errors import ServerError
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.client import Server

_PAGE = 100  # runs, artifacts, files


def read_run(server: Server, text: str, path: RunPath, variables: dict[str, Any]) -> Any:
    """Return the fields of a run for which a query asks.

    Raises:
        ServerError: there is no such run.
    """
    found = (server.query(text, **path.variables, **variables)["project"] or {}).get("run")
    if found is None:
        raise ServerError(f"no such run on {server.account.base_url}", str(path))
    return found


def read_pages(
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
