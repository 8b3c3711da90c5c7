"""The names that files and shell scripts of users hold on to: keys of schemas, commands.

`python tests/support/stable_names.py` adds new ones to tests/unit/repository/stable_names.txt; one
that is listed never goes by itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from caduceus.commands import FOR_PEOPLE

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests/unit/repository/stable_names.txt"


def schema_names(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that a schema allows, as `below.key`; those in $defs by their definition."""
    yield from _keys(schema, "")
    for name, below in schema.get("$defs", {}).items():
        yield from _keys(below, f"{name}:")


def _keys(schema: Any, above: str) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _keys(item, above)
    elif isinstance(schema, Mapping):
        for key, below in schema.get("properties", {}).items():
            yield above + key
            yield from _keys(below, f"{above}{key}.")
        for word in ("items", "additionalProperties", "oneOf", "anyOf", "allOf"):
            yield from _keys(schema.get(word), above)


def stable_names(root: Path) -> set[str]:
    """Return all names, each behind its kind."""
    names = set()
    folder = root / "workflow/schemas"
    for path in folder.rglob("*.schema.yaml"):
        file = path.relative_to(folder).as_posix().removesuffix(".schema.yaml")
        schema = yaml.safe_load(path.read_text())
        names |= {f"key {file} {name}" for name in schema_names(schema)}
    return names | {f"command {name}" for name in FOR_PEOPLE}


def listed() -> set[str]:
    """Return the names that the list has."""
    return set(LIST.read_text().splitlines())


if __name__ == "__main__":
    LIST.write_text("\n".join(sorted(listed() | stable_names(ROOT))) + "\n")
