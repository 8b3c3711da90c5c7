"""`absent` of an experiment: the values that runs had before their parameters existed."""

from collections.abc import Iterator, Mapping

from caduceus.io.files import Json, canonical_json


def without_absent(parameters: Mapping[str, Json], absent: Mapping[str, Json]) -> dict[str, Json]:
    """Return the parameters without those that have the value of `absent`.

    Args:
        parameters: by name, perhaps nested.
        absent: values by name, nested alike or by names such as `optimizer.nesterov`.
    """
    found: dict[str, Json] = {}
    for name, value in parameters.items():
        below = absent.get(name)
        if name in absent and _is_same(value, below):
            continue
        if isinstance(value, Mapping):
            nested = dict(below) if isinstance(below, Mapping) else {}
            start = f"{name}."
            nested |= {
                key.removeprefix(start): each
                for key, each in absent.items()
                if key.startswith(start)
            }
            left = without_absent(value, nested)
            if left or not value:
                found[name] = left
        else:
            found[name] = value
    return found


def _is_same(value: Json, other: Json) -> bool:
    """Whether two values are the same for a program: 0 and 0.0 are, 1 and true aren't."""
    numbers = [
        isinstance(each, int | float) and not isinstance(each, bool) for each in (value, other)
    ]
    if all(numbers):
        return value == other
    return canonical_json(value) == canonical_json(other)


def names_in(parameters: Mapping[str, Json], above: str = "") -> Iterator[str]:
    """Yield the names of parameters, and of nested ones such as `optimizer.nesterov`."""
    for name, value in parameters.items():
        yield above + name
        if isinstance(value, Mapping):
            yield from names_in(value, f"{above}{name}.")
