"""The distributions of W&B's sweeps: their values, quantiles (`ppf`) and probabilities (`cdf`).

They are those of W&B's package `sweeps` 0.3.0, `sweeps/params.py`, and return its values. W&B's 18
names are fewer families: `inv_log_uniform_values` equals `log_uniform_values` (the reciprocal of a
log-uniform variable is log-uniform), names without `_values` give the bounds as exponents of e, and
each `q_` is a family rounded to multiples of q.

`ppf(u)` is the least value v with `cdf(v) >= u`. So `ppf` of a uniform random number is a sample,
and `ppf(cdf(v))` is v. Values are plain Python: int, float, or any value that the user listed.
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

# The kind of a parameter's values, for an optimizer:
#   constant     there is one value
#   categorical  `levels` are labels without an order
#   ordinal      `levels` are numbers in ascending order
#   continuous   `levels` is None: use `cdf` and `ppf`, which map to and from [0, 1]
Kind = Literal["constant", "categorical", "ordinal", "continuous"]

# With more integers or multiples of q than this, a range counts as continuous.
MOST_LEVELS = 1000


class Distribution(Protocol):
    """The distribution of one parameter's values."""

    @property
    def kind(self) -> Kind:
        """The kind of the values, for an optimizer."""

    @property
    def levels(self) -> Sequence[Any] | None:
        """Every value once, numbers in ascending order; None if `kind` is "continuous"."""

    @property
    def grid(self) -> Sequence[Any] | None:
        """The values in a grid, in W&B's order; None if W&B supports no grid of them."""

    def ppf(self, u: float) -> Any:
        """Return the quantile: the least value with `cdf(value) >= u`; `u` is in [0, 1]."""

    def cdf(self, value: Any) -> float:
        """Return the probability of `value` and of all values before it in `levels`."""


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
        """Return the value."""
        return self.value

    def cdf(self, value: Any) -> float:
        """Return 1: there is no other value."""
        return 1.0


@dataclass(frozen=True)
class Categorical:
    """W&B's `categorical` and `categorical_w_probabilities`.

    A value that is listed twice is drawn twice as often, in its last spelling; 3 and 3.0 are the
    same value. Numbers are sorted.
    """

    values: tuple[Any, ...]
    probabilities: tuple[float, ...] | None = None

    @cached_property
    def _weights(self) -> dict[str, tuple[Any, float]]:
        """Each value with a probability above 0, and its weight, by `_identity`."""
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
        """The distinct values with a probability above 0."""
        return tuple(value for value, _ in self._weights.values())

    @cached_property
    def grid(self) -> Sequence[Any] | None:
        """The distinct values in the order of the file; None if they have probabilities."""
        if self.probabilities is not None:
            return None
        return tuple({_identity(value): value for value in self.values}.values())

    def ppf(self, u: float) -> Any:
        """Return the first of `levels` whose `cdf` is at least `u`."""
        return self.levels[bisect_left(self._cumulative, u, hi=len(self.levels) - 1)]

    def cdf(self, value: Any) -> float:
        """Return the probability of `value` and of all values before it in `levels`.

        Raises:
            ValueError: `value` is none of the values.
        """
        return self._cumulative[list(self._weights).index(_identity(value))]


@dataclass(frozen=True)
class IntUniform:
    """W&B's `int_uniform`: integers, both bounds included."""

    low: int
    high: int

    @property
    def kind(self) -> Kind:
        """Ordinal up to `MOST_LEVELS` numbers."""
        return _kind(self.levels)

    @property
    def levels(self) -> Sequence[int] | None:
        """The integers; None if there are more than `MOST_LEVELS`."""
        return self.grid if self.high - self.low < MOST_LEVELS else None

    @property
    def grid(self) -> range:
        """All integers."""
        return range(self.low, self.high + 1)

    def ppf(self, u: float) -> int:
        """Return the least integer whose `cdf` is at least `u`."""
        count = self.high - self.low + 1
        index = min(max(math.ceil(u * count) - 1, 0), count - 1)
        # Rounding of the product may push it past a step that `u` reaches exactly.
        if index > 0 and index / count >= u:
            index -= 1
        return self.low + index

    def cdf(self, value: float) -> float:
        """Return the probability of the integers up to `value`."""
        count = self.high - self.low + 1
        return min(max((math.floor(value) - self.low + 1) / count, 0.0), 1.0)


@dataclass(frozen=True)
class Quantized:
    """W&B's `q_...`: a value of `base`, rounded to the nearest multiple of `q`.

    As in W&B, values may exceed the bounds of `base`: between 1 and 11, q = 4 gives 0, 4, 8 and 12.
    Values are integers if `q` is an integer.
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
        """The multiples; None if there are more than `MOST_LEVELS`."""
        first, last = self._steps
        if last - first >= MOST_LEVELS:
            return None
        return tuple(step * self.q for step in range(int(first), int(last) + 1))

    @property
    def grid(self) -> Sequence[float] | None:
        """W&B's grid of `q_uniform`: min, min + q, ... below max; None for other distributions.

        The values needn't be multiples of q.
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
        """Return the least multiple whose `cdf` is at least `u`."""
        first, last = self._steps
        step = round(self.base.ppf(u) / self.q)
        # Rounding may give the step after the one that `u` reaches exactly, or the one before.
        if self.base.cdf((step - 0.5) * self.q) >= u:
            step -= 1
        elif self.base.cdf((step + 0.5) * self.q) < u:
            step += 1
        return int(min(max(step, first), last)) * self.q

    def cdf(self, value: float) -> float:
        """Return the probability of the multiples up to `value`."""
        step = round(value / self.q)
        if step * self.q > value:
            step -= 1
        return self.base.cdf((step + 0.5) * self.q)


def _kind(levels: Sequence[Any] | None) -> Kind:
    if levels is None:
        return "continuous"
    return "constant" if len(levels) == 1 else "ordinal"


def _is_number(value: Any) -> bool:
    """Whether an optimizer can use `value` as a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _identity(value: Any) -> str:
    """Return a text that is equal for values that W&B's grid treats as equal, such as 3 and 3.0."""
    return json.dumps(canonical(value, are_integers_exact=True))
