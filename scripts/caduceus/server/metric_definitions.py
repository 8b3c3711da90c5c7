"""The definitions of metrics that a W&B server has, as the records that `define_metric` writes.

wandb keeps them in a run's configuration, `_wandb.m`: a list of Metric messages, each a mapping
from the numbers of its fields. The options that are set are a list of their numbers, and the x axis
is the place of its entry in the list, from 1. Source: core/internal/runmetric/runconfigmetrics.go
and core/internal/corelib in github.com/wandb/wandb.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from caduceus.wandb_log.wire import encode

_OPTIONS = {1: "step_sync", 2: "hidden", 3: "defined"}


def metric_records(config: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the content of a Metric record for each definition in a run's configuration.

    Older versions of wandb send a definition for each metric that matches a glob, not the glob.

    Args:
        config: the values by key. An entry of another form is left out.
    """
    own = config.get("_wandb")
    entries = own.get("m") if isinstance(own, Mapping) else None
    entries = entries if isinstance(entries, list) else []
    for entry in entries:
        if isinstance(entry, Mapping):
            fields = {"name": entry.get("1"), "glob_name": entry.get("2"), "step_metric": None}
            place = entry.get("5")
            if isinstance(place, int) and 0 < place <= len(entries):
                axis = entries[place - 1]
                fields["step_metric"] = axis.get("1") if isinstance(axis, Mapping) else None
            texts = {key: value for key, value in fields.items() if isinstance(value, str)}
            numbers = entry.get("6")
            is_set = numbers if isinstance(numbers, list) else []
            options = {name: True for number, name in _OPTIONS.items() if number in is_set}
            yield encode("Metric", texts | {"options": options})
