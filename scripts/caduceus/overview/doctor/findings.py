"""What a look at a set-up has found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["fine", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing: how it is, and what mends it if it isn't fine."""

    level: Level
    name: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<8}{self.name}: {self.text}"
        return f"{line}; {self.mend}" if self.mend else line
