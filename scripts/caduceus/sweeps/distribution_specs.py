"""Parse one parameter of a sweep's configuration, a mapping, as a distribution.

The keys of each distribution, and the one that is meant where none is named, are those of W&B's
package `sweeps` 0.3.0, `sweeps/config/schema.json`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.validation import Where, brief, dotted, suggestion
from caduceus.io.yaml_files import Key
from caduceus.sweeps.distributions import (
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Quantized,
)
from caduceus.sweeps.ranges import Beta, LogNormal, LogUniform, Normal, Uniform

# By distribution: the required keys, and the optional ones with their defaults.
_RANGE = ("min", "max")
_DISTRIBUTIONS: dict[str, tuple[tuple[str, ...], dict[str, float]]] = {
    "constant": (("value",), {}),
    "categorical": (("values",), {}),
    "categorical_w_probabilities": (("values", "probabilities"), {}),
    "int_uniform": (_RANGE, {}),
    "uniform": (_RANGE, {}),
    "q_uniform": (_RANGE, {"q": 1.0}),
    "log_uniform": (_RANGE, {}),
    "log_uniform_values": (_RANGE, {}),
    "q_log_uniform": (_RANGE, {"q": 1.0}),
    "q_log_uniform_values": (_RANGE, {"q": 1.0}),
    "inv_log_uniform": (_RANGE, {}),
    "inv_log_uniform_values": (_RANGE, {}),
    "normal": ((), {"mu": 0.0, "sigma": 1.0}),
    "q_normal": ((), {"mu": 0.0, "sigma": 1.0, "q": 1.0}),
    "log_normal": ((), {"mu": 0.0, "sigma": 1.0}),
    "q_log_normal": ((), {"mu": 0.0, "sigma": 1.0, "q": 1.0}),
    "beta": ((), {"a": 1.0, "b": 1.0}),
    "q_beta": ((), {"a": 1.0, "b": 1.0, "q": 1.0}),
}
_MEANINGS = {
    "value": "the one value",
    "values": "a list of values",
    "probabilities": "a list with a probability for each value",
    "min": "the lower bound",
    "max": "the upper bound",
}
# Nobody names a parameter so: such a key with a plain value belongs to a parameter.
CLEAR_KEYS = ("distribution", *_MEANINGS, "parameters")
KEYS = (*CLEAR_KEYS, "mu", "sigma", "a", "b", "q")
EXAMPLE = "{value: 1}, {values: [1, 2]} or {min: 0.0, max: 1.0}"
_MOST_GRID_VALUES = 10**6  # of one parameter; more would exhaust memory
_MOST_EXPONENT = 700  # the largest float is about e**709
_MOST = 1e300  # the difference of two such numbers is still finite


def error_at(keys: Sequence[Key], message: str, where: Where) -> SpecError:
    """Return an error about the key at the path `keys`."""
    return SpecError(f"{dotted(keys)}: {message}", where(keys))


def read_distribution(spec: dict[Any, Any], keys: list[Key], where: Where) -> Distribution:
    """Parse one parameter's mapping.

    Args:
        spec: the mapping.
        keys: its path in the configuration.
        where: finds the file and line of a key, for the message.

    Raises:
        SpecError: the first thing that is wrong.
    """
    _check_known(spec, keys, where)
    name = _distribution_name(spec, keys, where)
    _check_fitting(spec, name, keys, where)
    if name == "constant":
        _check_plain(spec["value"], [*keys, "value"], where)
        return Constant(spec["value"])
    if name in ("categorical", "categorical_w_probabilities"):
        return _read_categorical(spec, keys, where)
    needed, optional = _DISTRIBUTIONS[name]
    given = optional | {key: spec[key] for key in (*needed, *optional) if key in spec}
    for key, value in given.items():
        _check_number(value, name, [*keys, key], where)
    base = name.removeprefix("q_")
    distribution: Any
    if "min" in given:
        _check_range(given["min"], given["max"], name, keys, where)
        distribution = _range(base, given["min"], given["max"])
    elif base == "beta":
        distribution = Beta(given["a"], given["b"])
    elif base == "normal":
        distribution = Normal(given["mu"], given["sigma"])
    else:
        if abs(given["mu"]) + 9 * given["sigma"] > _MOST_EXPONENT:
            raise error_at(
                keys,
                f"found mu {given['mu']} and sigma {given['sigma']} of the logarithm: values "
                f"would exceed e**{_MOST_EXPONENT}; choose smaller ones",
                where,
            )
        distribution = LogNormal(given["mu"], given["sigma"])
    return Quantized(distribution, given["q"]) if "q" in given else distribution


def _check_known(spec: dict[Any, Any], keys: list[Key], where: Where) -> None:
    """Refuse keys that no parameter has."""
    # A nested parameter may have the name `a`; the key `a` has a number.
    known = [
        key
        for key, value in spec.items()
        if key in CLEAR_KEYS or (key in KEYS and not isinstance(value, dict))
    ]
    unknown = next((key for key in spec if key not in known), None)
    if unknown is None:
        return
    hint = suggestion(unknown, KEYS)
    if isinstance(spec[unknown], dict) and not hint.startswith(", did you mean 'parameters'"):
        if known:
            message = (
                f"is indented below {keys[-1]!r}, which has {', '.join(known)}: give it the "
                f"indentation of {keys[-1]!r}"
            )
        else:
            message = (
                "nested parameters need a key `parameters` above them: write "
                f"{keys[-1]}: {{parameters: {{{unknown}: ...}}}}"
            )
        raise error_at([*keys, unknown], message, where)
    place = [*keys, unknown]
    raise SpecError(
        f"unknown key {dotted(place)!r}{hint}; allowed: {', '.join(KEYS)}", where(place)
    )


def _distribution_name(spec: dict[str, Any], keys: list[Key], where: Where) -> str:
    """Return the name of the distribution: the given one, or W&B's default for these keys."""
    if "distribution" in spec:
        name = spec["distribution"]
        if not isinstance(name, str) or name not in _DISTRIBUTIONS:
            hint = suggestion(name, _DISTRIBUTIONS)
            raise error_at(
                [*keys, "distribution"],
                f"found {brief(name)}{hint}{';' if hint else ','} allowed: "
                f"{', '.join(_DISTRIBUTIONS)}",
                where,
            )
        return name
    if not spec:
        raise error_at(keys, f"found {{}}, allowed: a mapping such as {EXAMPLE}", where)
    default = default_distribution(spec)
    if default is not None:
        return default
    if list(spec) == ["probabilities"]:
        raise _missing("values", keys, where)
    raise SpecError(
        f"missing key 'distribution' in {dotted(keys)!r}: add it; {_which_fit(spec)}", where(keys)
    )


def default_distribution(spec: Mapping[str, Any]) -> str | None:
    """Return W&B's distribution for these keys where none is named; None if it has none."""
    if "value" in spec:
        return "constant"
    if "values" in spec:
        return "categorical_w_probabilities" if "probabilities" in spec else "categorical"
    if "min" in spec or "max" in spec:
        bounds = (spec.get("min", 0), spec.get("max", 0))
        return "int_uniform" if all(isinstance(bound, int) for bound in bounds) else "uniform"
    return None


def _which_fit(spec: Mapping[str, Any]) -> str:
    """Say which distributions have all keys of `spec`."""
    found = [key for key in spec if key != "distribution"]
    fitting = [
        name
        for name, (needed, optional) in _DISTRIBUTIONS.items()
        if set(found) <= {*needed, *optional}
    ]
    keys = ", ".join(found)
    if not fitting:
        return f"no distribution has all of {keys}: remove one"
    return f"{keys} {'is a key' if len(found) == 1 else 'are keys'} of {', '.join(fitting)}"


def _check_fitting(spec: dict[str, Any], name: str, keys: list[Key], where: Where) -> None:
    """Refuse keys that the distribution doesn't have, and missing required ones."""
    needed, optional = _DISTRIBUTIONS[name]
    for key in spec:
        if key not in (*needed, *optional, "distribution"):
            by = "" if "distribution" in spec else ", the default for these keys,"
            raise error_at(
                [*keys, key],
                f"distribution {name}{by} has only {', '.join((*needed, *optional))}; "
                f"{_which_fit(spec)}",
                where,
            )
    for key in needed:
        if key not in spec:
            raise _missing(key, keys, where)


def _missing(key: str, keys: list[Key], where: Where) -> SpecError:
    return SpecError(
        f"missing key {key!r} in {dotted(keys)!r}: add it, {_MEANINGS[key]}", where(keys)
    )


def _check_plain(value: Any, keys: list[Key], where: Where) -> None:
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        key = next(key for key in value if not isinstance(key, str))
        raise error_at(keys, f"found the key {brief(key)}; put it in quotes", where)
    for inside in value.values() if isinstance(value, dict) else ():
        _check_plain(inside, keys, where)
    for inside in value if isinstance(value, list) else ():
        _check_plain(inside, keys, where)
    if not isinstance(value, dict | list | str | int | float | None):
        kind = type(value).__name__
        raise error_at(keys, f"found a {kind}; put it in quotes", where)


def _read_categorical(spec: dict[str, Any], keys: list[Key], where: Where) -> Categorical:
    values = spec["values"]
    if not isinstance(values, list) or not values:
        mend = "" if isinstance(values, list | dict | None) else f"; write [{brief(values)}]"
        raise error_at(
            [*keys, "values"], f"found {brief(values)}, allowed: a list of values{mend}", where
        )
    for index, value in enumerate(values):
        _check_plain(value, [*keys, "values", index], where)
    if "probabilities" not in spec:
        return Categorical(tuple(values))
    probabilities, place = spec["probabilities"], [*keys, "probabilities"]
    if not isinstance(probabilities, list):
        raise error_at(place, f"found {brief(probabilities)}, allowed: a list of numbers", where)
    for index, share in enumerate(probabilities):
        if not _is_number(share) or not 0 <= share <= 1:
            message = f"found {brief(share)}, allowed: a number from 0 to 1"
            raise error_at([*place, index], message, where)
    if len(probabilities) != len(values):
        message = f"found {len(probabilities)} for {len(values)} values; write one for each"
        raise error_at(place, message, where)
    # The tolerance is W&B's.
    if not math.isclose(sum(probabilities), 1, rel_tol=0, abs_tol=1.001e-5):
        raise error_at(
            place, f"found a sum of {sum(probabilities):.6g}, allowed: a sum of 1", where
        )
    return Categorical(tuple(values), tuple(probabilities))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_number(value: Any, name: str, keys: list[Key], where: Where) -> None:
    """Refuse a value that isn't an allowed number for this key of distribution `name`."""
    allowed = None
    key = keys[-1]
    positive = key in ("sigma", "a", "b", "q") or (key == "min" and name.endswith("_values"))
    if not _is_number(value):
        allowed = "a number"
    elif not -_MOST <= value <= _MOST:
        allowed = f"a number between -{_MOST:g} and {_MOST:g}"
    elif positive and value <= 0:
        allowed = "a number above 0"
    elif name == "int_uniform" and not isinstance(value, int):
        allowed = "a whole number (distribution uniform takes any number)"
    if allowed:
        raise error_at(keys, f"found {brief(value)}, allowed: {allowed}", where)


def _check_range(low: float, high: float, name: str, keys: list[Key], where: Where) -> None:
    """Refuse bounds of an empty range, and values in place of exponents."""
    if low == high:
        raise error_at(keys, f"found min and max {low}; write {{value: {low}}}", where)
    if low > high:
        raise error_at(keys, f"found min {low} above max {high}; exchange them", where)
    if name in ("log_uniform", "inv_log_uniform", "q_log_uniform"):
        is_too_large = max(-low, high) > _MOST_EXPONENT
        if is_too_large or (low > 0 and high < 1):
            raise error_at(
                keys,
                f"{name} takes exponents of e, and would give e**{low} to e**{high}; for values "
                f"from {low} to {high} write distribution: {name}_values",
                where,
            )


def _range(base: str, low: float, high: float) -> Distribution:
    match base:
        case "int_uniform":
            return IntUniform(int(low), int(high))
        case "uniform":
            return Uniform(low, high)
        case "log_uniform":
            return LogUniform(math.exp(low), math.exp(high))
        case "inv_log_uniform":
            return LogUniform(math.exp(-high), math.exp(-low))
        case _:
            return LogUniform(low, high)


def check_grid(
    distribution: Distribution, spec: dict[str, Any], keys: list[Key], where: Where
) -> None:
    """Refuse a parameter whose values a grid can't list."""
    if "probabilities" in spec:
        raise error_at(
            [*keys, "probabilities"],
            "a grid runs every value once; remove them, or write method: random",
            where,
        )
    if "min" in spec and isinstance(distribution, IntUniform | Quantized):
        count = (spec["max"] - spec["min"]) / spec.get("q", 1)
        if count > _MOST_GRID_VALUES:
            raise error_at(
                keys, f"a grid of {count:.0f} values; list fewer, or write method: random", where
            )
    if distribution.grid is None:
        raise error_at(
            keys,
            "a grid can't run all values of a range; list some (values: [...]), use q_uniform with "
            "a step q, or write method: random",
            where,
        )
