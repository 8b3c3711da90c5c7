"""The distributions of W&B's sweeps: their values, quantiles (`ppf`) and probabilities (`cdf`).

They are those of W&B's package `sweeps` 0.3.0, `sweeps/params.py`, and give its values. W&B's 18
names stand for fewer families: `inv_log_uniform_values` is `log_uniform_values` (the reciprocal of
what is log-uniform is log-uniform), names without `_values` give the bounds as exponents of e, and
every `q_` is a family rounded to multiples of q.

`ppf(u)` is the least value v with `cdf(v) >= u`, so `ppf` of a uniform number is a sample, and
`ppf(cdf(v))` is v again. Values are plain Python: int, float, or what the user listed.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal, Protocol

from caduceus.io.cells import canonical
from caduceus.sweeps.ranges import Range, Uniform

# What an optimiser may know of a parameter:
#   constant     there is one value
#   categorical  `levels` are labels without an order
#   ordinal      `levels` are numbers in ascending order
#   continuous   `levels` is None: use `cdf` and `ppf`, which map to and from [0, 1]
Kind = Literal["constant", "categorical", "ordinal", "continuous"]

# More whole numbers or multiples of q than this are as good as a continuous range.
MOST_LEVELS = 1000


class Distribution(Protocol):
    """How the values of one parameter are spread."""

    @property
    def kind(self) -> Kind:
        """What an optimiser may know of the values."""

    @property
    def levels(self) -> Sequence[Any] | None:
        """Every value once, numbers in ascending order; None if `kind` is "continuous"."""

    @property
    def grid(self) -> Sequence[Any] | None:
        """The values that a grid tries, in W&B's order; None if W&B has no grid of them."""

    def ppf(self, u: float) -> Any:
        """The value below or at which a share `u` of all samples lies; `u` is in [0, 1]."""

    def cdf(self, value: Any) -> float:
        """The share of all samples that come before `value` in `levels`, or are equal to it."""


@dataclass(frozen=True)
class Constant:
    """W&B's `constant`."""

    value: Any

    kind: Kind = "constant"

    @property
    def levels(self) -> Sequence[Any]:
        """The value."""
        return (self.value,)

    @property
    def grid(self) -> Sequence[Any]:
        """The value."""
        return (self.value,)

    def ppf(self, u: float) -> Any:
        """The value."""
        return self.value

    def cdf(self, value: Any) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True)
class Categorical:
    """W&B's `categorical` and `categorical_w_probabilities`.

    A value that is listed twice comes twice as often, and as its last spelling: 3 and 3.0 are one.
    Numbers are put in order.
    """

    values: tuple[Any, ...]
    probabilities: tuple[float, ...] | None = None

    @cached_property
    def _weights(self) -> dict[str, tuple[Any, float]]:
        """Each value that may come, with its probability, by what makes values the same."""
        weights: dict[str, tuple[Any, float]] = {}
        shares = self.probabilities or (1.0,) * len(self.values)
        for value, share in zip(self.values, shares, strict=True):
            if share > 0:
                key = _identity(value)
                weights[key] = (value, weights.get(key, (value, 0.0))[1] + share)
        if all(_is_number(value) for value, _ in weights.values()):
            return dict(sorted(weights.items(), key=lambda item: item[1][0]))
        return weights

    @cached_property
    def _cumulative(self) -> list[float]:
        sums = list(accumulate(share for _, share in self._weights.values()))
        return [part / sums[-1] for part in sums]

    @property
    def kind(self) -> Kind:
        """Ordinal if all values are numbers."""
        if len(self.levels) == 1:
            return "constant"
        return "ordinal" if all(map(_is_number, self.levels)) else "categorical"

    @cached_property
    def levels(self) -> Sequence[Any]:
        """The different values with a probability above 0."""
        return tuple(value for value, _ in self._weights.values())

    @cached_property
    def grid(self) -> Sequence[Any] | None:
        """The different values in the order of the file; None if they have probabilities."""
        if self.probabilities is not None:
            return None
        return tuple({_identity(value): value for value in self.values}.values())

    def ppf(self, u: float) -> Any:
        """The first of `levels` whose `cdf` is at least `u`."""
        return self.levels[bisect_left(self._cumulative, u, hi=len(self.levels) - 1)]

    def cdf(self, value: Any) -> float:
        """The share of `value` and what stands before it in `levels`.

        Raises:
            ValueError: it is none of the values.
        """
        return self._cumulative[list(self._weights).index(_identity(value))]


@dataclass(frozen=True)
class IntUniform:
    """W&B's `int_uniform`: whole numbers, both bounds included."""

    low: int
    high: int

    @property
    def kind(self) -> Kind:
        """Ordinal up to `MOST_LEVELS` numbers."""
        return _kind(self.levels)

    @property
    def levels(self) -> Sequence[int] | None:
        """The numbers, if they aren't too many."""
        return self.grid if self.high - self.low < MOST_LEVELS else None

    @property
    def grid(self) -> range:
        """All numbers."""
        return range(self.low, self.high + 1)

    def ppf(self, u: float) -> int:
        """The least number whose `cdf` is at least `u`."""
        count = self.high - self.low + 1
        index = min(max(math.ceil(u * count) - 1, 0), count - 1)
        # The product is rounded, so that it may lie beyond a step that `u` only reaches.
        if index > 0 and index / count >= u:
            index -= 1
        return self.low + index

    def cdf(self, value: float) -> float:
        """The share of numbers up to `value`."""
        count = self.high - self.low + 1
        return min(max((math.floor(value) - self.low + 1) / count, 0.0), 1.0)


@dataclass(frozen=True)
class Quantized:
    """W&B's `q_...`: a value of `base`, rounded to the nearest multiple of `q`.

    As with W&B, the bounds of `base` aren't kept to: between 1 and 11, q = 4 gives 0, 4, 8 and 12.
    Values are whole if `q` was written as a whole number.
    """

    base: Range
    q: float

    @cached_property
    def _steps(self) -> tuple[float, float]:
        """The least and the greatest multiple with a probability above 0, in units of q."""
        low, high = self.base.support
        return (
            low if math.isinf(low) else math.floor(low / self.q + 0.5),
            high if math.isinf(high) else math.ceil(high / self.q - 0.5),
        )

    @property
    def kind(self) -> Kind:
        """Ordinal up to `MOST_LEVELS` multiples."""
        return _kind(self.levels)

    @cached_property
    def levels(self) -> Sequence[float] | None:
        """The multiples, if they aren't too many."""
        first, last = self._steps
        if last - first >= MOST_LEVELS:
            return None
        return tuple(step * self.q for step in range(int(first), int(last) + 1))

    @property
    def grid(self) -> Sequence[float] | None:
        """What W&B tries of `q_uniform`: min, min + q, ... below max; of others there is no grid.

        They needn't be multiples of q.
        """
        if not isinstance(self.base, Uniform):
            return None
        low, high, q = self.base.low, self.base.high, self.q
        if all(isinstance(number, int) for number in (low, high, q)):
            return range(int(low), int(high), int(q))
        low, q = float(low), float(q)
        step = (low + q) - low  # as numpy.arange computes it
        count = math.ceil((high - low) / q)
        return (low, low + q, *(low + index * step for index in range(2, count)))[:count]

    def ppf(self, u: float) -> float:
        """The least multiple whose `cdf` is at least `u`."""
        first, last = self._steps
        step = round(self.base.ppf(u) / self.q)
        # Rounding may end beyond a step that `u` only reaches, or just before it.
        if self.base.cdf((step - 0.5) * self.q) >= u:
            step -= 1
        elif self.base.cdf((step + 0.5) * self.q) < u:
            step += 1
        return int(min(max(step, first), last)) * self.q

    def cdf(self, value: float) -> float:
        """The probability of the multiples up to `value`."""
        step = round(value / self.q)
        if step * self.q > value:
            step -= 1
        return self.base.cdf((step + 0.5) * self.q)


def _kind(levels: Sequence[Any] | None) -> Kind:
    if levels is None:
        return "continuous"
    return "constant" if len(levels) == 1 else "ordinal"


def _is_number(value: Any) -> bool:
    """Whether an optimiser can take `value` for a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _identity(value: Any) -> str:
    """Text that is the same for values which W&B's grid takes for the same, such as 3 and 3.0."""
    return json.dumps(canonical(value))
