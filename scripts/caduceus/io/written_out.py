"""Write a composed file out in full, each value with the file and line that it came from."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from caduceus.io.composition import leaves
from caduceus.io.yaml_files import Key, Source

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*( [\w./-]+)*", re.ASCII)  # and no word such as `yes`


def written_out(source: Source, root: Path) -> str:
    """Return a file as one that extends nothing and has the same value.

    Args:
        source: the file; one that extends nothing is returned as it is.
        root: the folder that its path starts from.
    """
    if len(source.files) == 1:
        return (root / source.path).read_text()
    return "\n".join(lines_with_places(source)) + "\n"


def placed(source: Source) -> Iterator[tuple[tuple[Key, ...], Any, str]]:
    """Yield the keys that lead to each value of a mapping's file, the value, and its place."""
    for keys, value in leaves(source.value):
        yield keys, value, source.where(keys)


def lines_with_places(source: Source) -> Iterator[str]:
    """Yield the lines of a mapping's file in YAML, each value with the place that it came from."""
    opened: tuple[Key, ...] = ()
    for keys, value, where in placed(source):
        shared = 0
        while shared < min(len(opened), len(keys) - 1) and opened[shared] == keys[shared]:
            shared += 1
        for depth in range(shared, len(keys) - 1):
            yield f"{'  ' * depth}{flow(keys[depth])}:"
        opened = keys[:-1]
        indent = "  " * (len(keys) - 1)
        yield f"{indent}{flow(keys[-1])}: {flow(value)} # {where}"


def flow(value: Any) -> str:
    """Return a value as YAML on one line, as a person would write it."""
    if isinstance(value, dict):
        words = (f"{flow(key)}: {flow(item)}" for key, item in value.items())
        return f"{{ {', '.join(words)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
            return value
        quoted = yaml.safe_dump(value, default_style='"', width=math.inf, allow_unicode=True)
        return str(quoted).strip()
    return json.dumps(value)
