"""Answers of commands with --json, held to their schemas."""

from typing import Any

from caduceus.io.schemas import find_schemas, read_schema
from jsonschema import Draft202012Validator


def closed(schema: Any) -> Any:
    """The same schema, which refuses keys that it doesn't describe."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(item) for key, item in schema.items()}
    if "required" in schema:
        found.setdefault("additionalProperties", False)
    return found


def check(name: str, answer: Any) -> Any:
    """Return an answer that fits a schema and has no key that the schema doesn't describe."""
    Draft202012Validator(closed(read_schema(find_schemas()[name]))).validate(answer)
    return answer
