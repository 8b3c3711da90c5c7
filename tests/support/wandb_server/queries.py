"""GraphQL by the schema: what it doesn't have is an error, and noted."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import graphql
from graphql import DocumentNode, GraphQLError, GraphQLResolveInfo

from . import mutations
from .fields import FIELDS
from .selection import Given, page, snake_case
from .store import RefusalError, Store

SCHEMA = graphql.build_schema(Path(__file__).with_name("schema.graphql").read_text())
_CONCRETE = {"ArtifactCollection": "ArtifactSequence", "ArtifactCreator": "Run"}


def _json_string(value: Any) -> str:
    json.loads(value)
    return value


SCHEMA.type_map["JSONString"].coerce_input_value = _json_string


@lru_cache(maxsize=1000)
def _parsed(query: str) -> DocumentNode:
    return graphql.parse(query)


@lru_cache(maxsize=1000)
def _checked(query: str) -> DocumentNode:
    for error in graphql.validate(SCHEMA, _parsed(query)):
        raise error
    return _parsed(query)


def operation_name(body: dict[str, Any]) -> str:
    """By what the query calls itself: some clients send an empty name."""
    try:
        document = _parsed(body["query"])
    except GraphQLError:
        return ""
    operation = graphql.get_operation_ast(document, body.get("operationName") or None)
    return operation.name.value if operation and operation.name else ""


def execute(store: Store, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the answer to a GraphQL request."""
    try:
        result = graphql.execute(
            SCHEMA,
            _checked(body["query"]),
            variable_values=body.get("variables"),
            operation_name=body.get("operationName") or None,
            context_value=store,
            field_resolver=_resolve,
            type_resolver=lambda value, info, abstract: _CONCRETE[abstract.name],
        )
        errors = result.errors or []
    except GraphQLError as error:
        errors = [error]
    for error in errors:
        refusal = error.original_error
        if isinstance(refusal, RefusalError):
            raise RefusalError(refusal.status, f"{refusal} during {error.nodes[0].name.value}")
        store.problems.append(f"{operation_name(body)}: {error.message}")
        return 400, {"errors": [{"message": error.message}]}
    return 200, {"data": result.data}


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """By a mutation's function, by a field's rule, or else the attribute of the field's name."""
    store, name = info.context, snake_case(info.field_name)
    if info.parent_type.name == "Mutation":
        return getattr(mutations, name)(store, Given.of(arguments["input"]))
    rule = FIELDS.get(f"{info.parent_type.name}.{info.field_name}", name)
    given = Given.of(arguments)
    if callable(rule):
        value = rule(store, source, given)
    elif isinstance(source, dict):
        value = source.get(info.field_name, source.get(name))
    else:
        value = source
        for attribute in rule.split("."):
            value = getattr(value, attribute, None)
    if value is not None and str(info.return_type).endswith("Connection"):
        items = value.values() if isinstance(value, dict) else value
        return page(list(items), given.first, given.after)
    return value
