"""Validate the files that users write against closed schemas, and fill in the schemas' defaults.

jsonschema is imported only to validate: it takes 0.13 s of CPU, half of what `caduceus train` needs
to start, and most commands only use the words of messages from here.
"""

import difflib
import json
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from caduceus.errors import SpecError
from caduceus.io.phrases import pasted
from caduceus.io.schemas import FOLDER, read_schema
from caduceus.io.yaml_files import Key, shortened

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Where = Callable[[Sequence[Key]], str]  # from the keys of a value to "file:line"
Schema = dict[str, Any]

_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def validate(
    value: Any, schema_name: str, where: Where, above: Sequence[Key] = ()
) -> dict[str, Any]:
    """Validate `value`, and return it with every default of the schema filled in.

    Args:
        value: the contents of the user's file.
        schema_name: "config", "experiment", "paper" or "sweep".
        where: returns "file:line" of a key, for the message.
        above: the keys in the file that lead to `value`.

    Raises:
        SpecError: the schema doesn't allow the value; names the most relevant problem.
    """
    from jsonschema.exceptions import best_match

    _check_plain(value, where, list(above))
    schema, validator = _load(schema_name)
    error = best_match(validator.iter_errors(value))
    if error is not None:
        raise _spec_error(error, where, above)
    filled: dict[str, Any] = _fill(schema, value, schema)
    return filled


def schema_keys(schema_name: str, section: str | None = None) -> list[str]:
    """Return the keys that a schema allows at the top level, or in the mapping `section`."""
    schema, _ = _load(schema_name)
    return list((schema["properties"][section] if section else schema)["properties"])


def _check_plain(value: Any, where: Where, keys: list[Key]) -> None:
    """Refuse what JSON, and with it W&B, doesn't have: keys and values of other types.

    Raises:
        SpecError: the first one.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise SpecError(
                    f"{dotted(keys) or 'the file'}: the key {brief(key)} isn't text: put it in "
                    "quotes, as it is written in the file",
                    where(keys),
                )
            _check_plain(item, where, [*keys, key])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_plain(item, where, [*keys, index])
    elif not isinstance(value, str | int | float | None):
        message = f"{dotted(keys)}: found a {type(value).__name__}; put it in quotes"
        raise SpecError(message, where(keys))


def _first_repeated(items: Sequence[Any]) -> Any:
    """Return the first item that is equal to one before it; None if there is none.

    JSON Schema takes 1 and 1.0 for equal, and 1 and true for different.
    """
    seen: set[str] = set()
    for item in items:
        text = json.dumps(_with_whole_numbers(item), sort_keys=True)
        if text in seen:
            return item
        seen.add(text)
    return None


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unique_items(
    validator: Any, wanted: bool, found: Any, schema: Schema
) -> Iterable["ValidationError"]:
    """Check `uniqueItems`; the time of jsonschema's own check may grow as the list's square."""
    from jsonschema.exceptions import ValidationError

    if wanted and isinstance(found, list) and _first_repeated(found) is not None:
        yield ValidationError("has a duplicate value")


def _limit(holds: Callable[[float, float], bool]) -> Callable[..., Iterable["ValidationError"]]:
    """Return the check of a number's limit; jsonschema's own lets NaN through all of them."""

    def check(
        validator: Any, limit: float, found: Any, schema: Schema
    ) -> Iterable["ValidationError"]:
        from jsonschema.exceptions import ValidationError

        if validator.is_type(found, "number") and not holds(found, limit):
            yield ValidationError(f"is beyond {limit}")

    return check


_LIMITS = {
    "minimum": _limit(operator.ge),
    "maximum": _limit(operator.le),
    "exclusiveMinimum": _limit(operator.gt),
    "exclusiveMaximum": _limit(operator.lt),
}


@cache
def _load(name: str) -> tuple[Schema, "Draft202012Validator"]:
    from jsonschema import Draft202012Validator, validators

    schema = read_schema(FOLDER / f"{name}.schema.yaml")
    kind = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"uniqueItems": _unique_items, **_LIMITS}
    )
    return schema, kind(schema)


def _fill(schema: Schema, value: Any, root: Schema) -> Any:
    """Return `value` with the defaults of `schema` filled in at every level."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, float) and value.is_integer() and _is_integer(schema):
        return int(value)  # JSON Schema takes 20.0 for an integer
    if isinstance(value, list) and "items" in schema:
        return [_fill(schema["items"], item, root) for item in value]
    for choice in schema.get("oneOf", []):
        # In our schemas the choices differ in type, and only those for mappings have defaults.
        if choice.get("type") == "object" and isinstance(value, dict):
            return _fill(choice, value, root)
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {}
    for key, item in value.items():
        below = known.get(key, rest)
        filled[key] = _fill(below, item, root) if isinstance(below, dict) else item
    for key, below in known.items():
        target = root["$defs"][below["$ref"].rpartition("/")[2]] if "$ref" in below else below
        if key not in value and "default" in target:
            filled[key] = _fill(target, target["default"], root)
    return filled


def _is_integer(schema: Schema) -> bool:
    """Whether 1.0 stands for 1; not in a version such as 1.0, which is also text."""
    if "anyOf" in schema:
        return any(map(_is_integer, schema["anyOf"]))
    return schema.get("type") in ("integer", ["integer", "null"])


def _spec_error(error: "ValidationError", where: Where, above: Sequence[Key]) -> SpecError:
    """Return the error as one line: the key, what was found, what is allowed."""
    keys: list[Key] = [*above, *error.absolute_path]
    name = dotted(keys)
    schema: Schema = error.schema if isinstance(error.schema, dict) else {}
    found: Any = error.instance
    wanted: Any = error.validator_value
    place = where(keys)
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        unknown = next(key for key in found if key not in known)
        message = f"unknown key {pasted(dotted([*keys, unknown]))}{suggestion(unknown, known)}"
        message += f"; allowed: {', '.join(known)}"
        place = where([*keys, unknown])
    elif error.validator == "required":
        missing = next(key for key in wanted if key not in found)
        what = schema.get("properties", {}).get(missing, {}).get("description", "a value")
        message = (
            f"missing key {pasted(missing)}{f' in {pasted(name)}' if keys else ''}: add it, {what}"
        )
    elif error.validator == "uniqueItems":
        message = f"{name}: duplicate value {brief(_first_repeated(found))}; remove one"
    elif "propertyNames" in error.absolute_schema_path:
        message = f"{name}: key {brief(found)}, allowed: {_allowed(error, schema)}"
        place = where([*keys, found])
    elif error.validator == "enum":
        hint = suggestion(found, map(str, wanted))
        message = f"{name}: found {brief(found)}{hint}{';' if hint else ','} allowed: "
        message += _allowed(error, schema)
    elif isinstance(found, dict) and isinstance(wanted, list) and "required" in wanted[0]:
        how_many = "one" if error.validator == "oneOf" else "at least one"
        choices = " and ".join(choice["required"][0] for choice in wanted)
        message = f"{name}: found {', '.join(found)}; needs {how_many} of {choices}"
    else:
        message = f"{name or 'the file'}: found {brief(found)}, allowed: {_allowed(error, schema)}"
    return SpecError(message, place)


def _allowed(error: "ValidationError", schema: Schema) -> str:
    """Return in words what the schema allows in place of the value that it refused."""
    wanted: Any = error.validator_value
    words = str(schema.get("description", ""))
    if error.validator == "enum":
        words_of = (item if isinstance(item, str) else brief(item) for item in wanted)
        return ", ".join(dict.fromkeys(words_of))
    if error.validator == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        kind = " or ".join(_TYPE_NAMES[name] for name in types)
        return words if words.startswith(kind) else f"{kind} ({words})" if words else kind
    if error.validator == "minItems" and not words:
        return f"at least {wanted}"
    if error.validator in ("minimum", "maximum"):
        return f"{error.validator} {wanted} ({words})"
    return words or str(error.message)[:200]


def suggestion(found: Any, known: Iterable[str]) -> str:
    """Return ", did you mean 'X'?" for the most similar of `known`; empty if none is similar."""
    close = difflib.get_close_matches(str(found), list(known), n=1)
    return f", did you mean {pasted(close[0])}?" if close else ""


def dotted(keys: Sequence[Key]) -> str:
    """Return `keys` as one name, such as `matrix.learning_rate` or `seeds[2]`."""
    name = ""
    for key in keys:
        word = f"[{key}]" if isinstance(key, int) else shortened(str(key))
        name += f".{word}" if name and not isinstance(key, int) else word
    return name


def brief(value: Any) -> str:
    """Return a value as JSON for a message, cut to at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return shortened(text)
