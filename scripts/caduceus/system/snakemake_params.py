"""Have Snakemake compare params without importing pandas, which takes it half a second."""

import importlib
import sys
from typing import Any


def compare_without_pandas() -> None:
    """Change how Snakemake makes texts of params, once.

    It imports pandas to ask whether a param is a table of it. None is before pandas is imported.
    """
    base: Any = importlib.import_module("snakemake.persistence").PersistenceBase
    usual = base._serialize_param_pandas
    if getattr(usual, "is_light", False):
        return

    def serialize(self: Any, value: object) -> object:
        if "pandas" in sys.modules:
            return usual(self, value)
        return self._serialize_param_builtin(value)

    serialize.is_light = True  # type: ignore[attr-defined]
    base._serialize_param_pandas = serialize
