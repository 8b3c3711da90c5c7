"""The definitions of metrics that a program makes by `define_metric`: each metric's x axis.

Source: core/internal/runmetric in github.com/wandb/wandb.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from caduceus.wandb_log.wire import decode


@dataclass(frozen=True)
class MetricDefinition:
    """The definition of a metric.

    Attributes:
        step_metric: the metric that is its x axis; empty for W&B's own step.
        step_sync: whether wandb wrote the last value of `step_metric` into rows that lack it.
        hidden: whether W&B leaves it out of automatic charts.
    """

    step_metric: str = ""
    step_sync: bool = False
    hidden: bool = False


def define(known: dict[str, MetricDefinition], content: bytes) -> None:
    """Add the definition in the content of a Metric record.

    wandb merges it with an earlier one of the same name, unless the program asked to overwrite it.

    Args:
        known: the definitions so far, by the name of a metric or by a glob that ends with `*`.
        content: the content of the record.

    Raises:
        WireError: the content isn't a Metric record.
    """
    record = decode("Metric", content)
    name = record.name or record.glob_name
    if not name:
        return
    found = MetricDefinition() if record.control.overwrite else known.get(name, MetricDefinition())
    known[name] = replace(
        found,
        step_metric=record.step_metric or found.step_metric,
        step_sync=record.options.step_sync or found.step_sync,
        hidden=record.options.hidden or found.hidden,
    )


def defined_metrics(
    definitions: Mapping[str, MetricDefinition], columns: Iterable[str]
) -> dict[str, MetricDefinition]:
    """Return the definition of each logged metric that has an axis of its own or is hidden.

    A metric's own definition comes first, else the glob with the longest prefix; wandb takes any
    glob that matches. Names that start with `_` match no glob, as in wandb.

    Args:
        definitions: from `define`.
        columns: the logged metrics, as rows name them.

    Returns:
        By column; `step_metric` is a column too if it was logged.
    """
    names = list(columns)
    column_of = {_unescaped(name): name for name in names} | {name: name for name in names}
    found = {}
    for column in names:
        definition = _definition(definitions, column)
        if definition is None:
            continue
        axis = column_of.get(definition.step_metric, definition.step_metric)
        definition = replace(definition, step_metric="" if axis == column else axis)
        if definition.step_metric or definition.hidden:
            found[column] = definition
    return found


def _definition(
    definitions: Mapping[str, MetricDefinition], column: str
) -> MetricDefinition | None:
    for name in (column, _unescaped(column)):
        if name in definitions and not name.endswith("*"):
            return definitions[name]
    name = _unescaped(column)
    globs = [] if name.startswith("_") else list(_matching(definitions, name))
    return definitions[max(globs, key=len)] if globs else None


def _matching(definitions: Iterable[str], name: str) -> Iterator[str]:
    return (each for each in definitions if each.endswith("*") and name.startswith(each[:-1]))


def _unescaped(column: str) -> str:
    r"""Return a column's name as `define_metric` takes it: a dot inside a key isn't `\.` there."""
    return column.replace("\\.", ".")
