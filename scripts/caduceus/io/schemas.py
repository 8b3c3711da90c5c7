"""The JSON schemas that Caduceus comes with."""

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "project" / "pipeline" / "workflow" / "schemas"
_END = ".schema.yaml"


def find_schemas() -> dict[str, Path]:
    """Return the schemas of files that users write, then those of answers, by name."""
    files, answers = (sorted(folder.glob(f"*{_END}")) for folder in (FOLDER, FOLDER / "answers"))
    return {path.name.removesuffix(_END): path for path in (*files, *answers)}


def read_schema(path: Path) -> dict[str, Any]:
    """Return a schema as an object."""
    found: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return found
