"""A group's variants as tables and figures read them: parameters, results, what is published."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.rendering import parse
from caduceus.variants import matches, variant_name

Aggregate = Mapping[str, Any]  # a row of variants.csv, its cells parsed


@dataclass(frozen=True)
class Published:
    """A value somebody else published, with half the width of its interval, if it has one."""

    value: float
    half_width: float | None


def read_rows(paths: Sequence[Path], experiments: Sequence[str]) -> list[Aggregate]:
    """The rows of several groups' CSV files that belong to `experiments`; all if that is empty."""
    found: list[Aggregate] = []
    for path in paths:
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                if not experiments or row["experiment"] in experiments:
                    found.append({name: parse(text) for name, text in row.items() if text})
    return found


def variants_of(aggregates: Sequence[Aggregate]) -> dict[tuple[str, str], list[Aggregate]]:
    """The aggregates of each variant, in the order of the experiments' files."""
    variants: dict[tuple[str, str], list[Aggregate]] = {}
    for aggregate in aggregates:
        key = (aggregate["experiment"], aggregate["variant"])
        variants.setdefault(key, []).append(aggregate)
    return variants


def parameters_of(aggregate: Aggregate) -> dict[str, Any]:
    """A variant's parameters by name."""
    prefix = "config."
    return {
        name.removeprefix(prefix): value
        for name, value in aggregate.items()
        if name.startswith(prefix)
    }


def varying_parameters(variants: Mapping[tuple[str, str], Sequence[Aggregate]]) -> tuple[str, ...]:
    """The parameters that tell the variants apart, in the order of the experiments' files."""
    found = [parameters_of(members[0]) for members in variants.values()]
    names = dict.fromkeys(name for parameters in found for name in parameters)
    return tuple(
        name
        for name in names
        if len({word(parameters.get(name)) for parameters in found}) > 1
        and name.partition(".")[0] not in ("hypothesis", "baseline")
    )


def result_names(aggregates: Sequence[Aggregate]) -> list[str]:
    """The results that any variant has."""
    return list(dict.fromkeys(a["metric"] for a in aggregates if "metric" in a))


def check_metrics(spec: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    """Refuse a table or figure of a metric that isn't among `names`, unless there are none at all.

    Raises:
        SpecError: the first such metric.
    """
    for heading, metric in spec["metrics"].items():
        if names and metric not in names:
            raise SpecError(
                f"metrics.{heading}: no run has {metric!r}; there are {', '.join(names)}",
                f"paper.{where}",
            )


def variant_label(key: tuple[str, str], aggregate: Aggregate, names: Sequence[str]) -> str:
    """What to call a variant (experiment, name) among others that differ in `names`."""
    parameters = parameters_of(aggregate)
    words = (
        parameters[name]
        if isinstance(parameters[name], str)
        else variant_name({name: parameters[name]})
        for name in names
        if name in parameters
    )
    return " ".join(words) or key[1]


def published_value(
    published: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Published | None:
    """The published value that belongs to a variant with these parameters."""
    for entry in published:
        if entry["parameters"] and matches(parameters, entry["parameters"]):
            return Published(entry["value"], entry["interval"])
    return None


def word(value: Any) -> str:
    """A parameter's value as a table shows it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
