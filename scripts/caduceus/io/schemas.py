"""The JSON schemas that Caduceus comes with."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "project" / "pipeline" / "workflow" / "schemas"
_END = ".schema.yaml"


def find_schemas() -> dict[str, Path]:
    """Return the schemas of files that users write, then those of answers, by name."""
    files, answers = (sorted(folder.glob(f"*{_END}")) for folder in (FOLDER, FOLDER / "answers"))
    return {path.name.removesuffix(_END): path for path in (*files, *answers)}


def read_schema(path: Path) -> dict[str, Any]:
    """Return a schema as an object."""
    import yaml  # which `init` needs only for this, after its checks

    found: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return found


def whole_schema(name: str) -> dict[str, Any]:
    """Return a schema as editors need it: with those of the parts that may be files of their own.

    The paper may stand in config.yaml, and a sweep's configuration in an experiment.
    """
    known = find_schemas()
    schema = read_schema(known[name])
    if name == "config":
        _take_in(schema, schema["properties"]["paper"], "paper")
    elif name == "experiment":
        _take_in(schema, schema["properties"]["sweep"]["oneOf"][1]["properties"]["config"], "sweep")
    return schema


def _take_in(schema: dict[str, Any], place: dict[str, Any], name: str) -> None:
    """Give the schema `name` to a property that is a mapping or the path of a file."""
    text = json.dumps(read_schema(find_schemas()[name]))
    part = json.loads(text.replace('"#/$defs/', f'"#/$defs/{name}/$defs/'))
    del part["$schema"], part["$id"]
    schema.setdefault("$defs", {})[name] = part
    del place["type"]
    place["anyOf"] = [{"type": "string"}, {"$ref": f"#/$defs/{name}"}]
