"""The keys of a run's W&B configuration that Caduceus adds to the program's parameters."""

from collections.abc import Mapping
from typing import Any

from caduceus.runs.files.plan import Spec
from caduceus.runs.variants import leaves

_KEYS = ("seed", "experiment", "hypothesis", "baseline")


def is_own_key(name: str, value: Any, row: Mapping[str, Any], specs: Mapping[str, Spec]) -> bool:
    """Whether Caduceus has added a key, rather than the program's parameters of the same name.

    Args:
        name: the key.
        value: its value.
        row: of the run, with its `experiment` and `seed`.
        specs: experiments by id.
    """
    key, _, rest = name.partition(".")
    if key not in _KEYS or value is None:
        return key in _KEYS
    if key in ("seed", "experiment"):
        return not rest and str(value) == str(row[key])
    spec = specs.get(row["experiment"])
    if spec is None:
        return True
    own = spec.hypothesis.strip() if key == "hypothesis" else dict(leaves(spec.baseline or {}))
    return str(own.get(rest) if isinstance(own, dict) else own) == str(value).strip()
