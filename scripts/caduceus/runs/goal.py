"""Which values of a metric are better."""

from collections.abc import Iterable
from enum import StrEnum


class Goal(StrEnum):
    """Whether high or low values of a metric are better; its value is the word that files have."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    @property
    def sign(self) -> int:
        """-1 to maximize, 1 to minimize: the less `sign * value`, the better the value."""
        return 1 if self is Goal.MINIMIZE else -1

    def better(self, one: float, other: float) -> float:
        """Return the better of two values, `one` if they are equal."""
        return self.best((one, other))

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values, of equal ones the first.

        Raises:
            ValueError: there are none.
        """
        return min(values) if self is Goal.MINIMIZE else max(values)
