"""The result of one check."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["fine", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """The result of a check, and how to fix it if it isn't fine."""

    level: Level
    name: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<8}{self.name}: {self.text}"
        return f"{line}; {self.mend}" if self.mend else line
