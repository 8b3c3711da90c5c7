"""The JSON objects that commands print with --json."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any

from caduceus.errors import CaduceusError

VERSION = 1  # of all answers: a key that is taken away or gets another meaning raises it


def answer_text(value: Mapping[str, Any]) -> str:
    """Return an answer as a JSON object in ASCII, with its version,.

    Args:
        value: the answer; dataclasses become objects, and numbers that JSON lacks become the words
            NaN, Infinity and -Infinity.
    """
    return json.dumps({"version": VERSION} | _plain(value), indent=2, allow_nan=False)


def error_text(error: str, where: str, mend: str) -> str:
    """Return the answer of a command that failed: what is wrong, where, and what to do."""
    return answer_text({"error": error, "where": where, "mend": mend})


def text_of_error(error: CaduceusError) -> str:
    """Return the answer of a command that ended with an error."""
    return error_text(error.message, error.where, error.mend)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
