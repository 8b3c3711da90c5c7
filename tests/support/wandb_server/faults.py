"""Faults that a test asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Fault:
    """What happens to the requests in which a pattern is found.

    A status answers them, after a delay; a delay alone answers late. `drop` closes the connection
    before the request is taken, or "after". The first `after` requests pass, then `times` don't.
    """

    pattern: str
    status: int | None = None
    message: str = "injected fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: Literal[False, True, "after"] = False
    delay: float = 0
    times: int | None = None
    after: int = 0

    def strikes(self, request: str) -> bool:
        """Whether it is this request's turn; each that is asked about counts."""
        if self.times == 0 or not re.search(self.pattern, request):
            return False
        self.after -= 1
        if self.after >= 0:
            return False
        self.times = self.times and self.times - 1
        return True
