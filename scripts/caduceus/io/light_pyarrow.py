"""Import pyarrow without pandas."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoPandas:
    """Answers that pandas isn't installed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None


def import_light_pyarrow() -> None:
    """Import pyarrow for a process that never asks it for pandas objects.

    pyarrow imports pandas when it makes its first array, to see whether that is made of a Series:
    0.25 s of CPU. It does so once, and does without pandas if that fails. A process that has pandas
    already keeps it.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow

        pyarrow.array([0])
    finally:
        sys.meta_path.remove(finder)
