"""Answers of the board as JSON, without secrets and without numbers that JSON lacks."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.runs.files.plan import Plan
from caduceus.runs.hidden_settings import hide, secrets_of
from caduceus.system.known_secrets import known_secrets


class Packed(str):
    """Numbers as text, in which there is nothing to hide."""

    __slots__ = ()


class Writer:
    """Writes answers.

    Attributes:
        error: why the user's secrets can't be known; None if they are.
        secrets: the name of each known secret, by its value.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self._plans: Sequence[Plan] | None = None
        self.secrets: Mapping[str, str] = {}

    def refresh(self, plans: Sequence[Plan]) -> None:
        """Find the secrets anew if the plans are others."""
        if plans is self._plans:
            return
        self._plans = plans
        self.error = None
        known: Mapping[str, str] = {}
        try:
            known = known_secrets()
        except CaduceusError as error:
            self.error = str(error)
        self.secrets = {**known, **secrets_of(plans)}

    def text(self, value: Any) -> str:
        """Return a value as JSON."""
        return json.dumps(self.plain(value), ensure_ascii=False, separators=(",", ":"))

    def plain(self, value: Any) -> Any:
        """Return a value for JSON: known secrets replaced, non-finite numbers as words."""
        if isinstance(value, str):
            return value if isinstance(value, Packed) else self._shown(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else _word(value)
        if isinstance(value, Mapping):
            return {self._shown(str(key)): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(item) for item in value]
        return value

    def _shown(self, text: str) -> str:
        text = hide(text, self.secrets)
        # Half of a surrogate pair isn't UTF-8, and no page shows it.
        return text if text.isascii() else text.encode(errors="replace").decode()


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
