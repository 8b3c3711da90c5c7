"""The continuous distributions of W&B's sweeps."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

_LEAST = 2.0**-53  # the distance between random floats below 1
_STANDARD = NormalDist()


def _inner(u: float) -> float:
    """Clip `u` away from 0 and 1, where quantiles may be infinite or, in scipy, NaN."""
    return min(max(u, _LEAST), 1 - _LEAST)


class Range:
    """Base class of continuous distributions; see `caduceus.sweeps.distributions.Distribution`."""

    kind: Literal["continuous"] = "continuous"
    levels: None = None
    grid: None = None

    @property
    def support(self) -> tuple[float, float]:
        """The bounds, which may be infinite."""
        raise NotImplementedError

    def ppf(self, u: float) -> float:
        """Return the quantile of the probability `u`; always finite."""
        raise NotImplementedError

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Bounded(Range):
    low: float
    high: float

    @property
    def support(self) -> tuple[float, float]:
        """The bounds."""
        return self.low, self.high


class Uniform(_Bounded):
    """W&B's `uniform`."""

    def ppf(self, u: float) -> float:
        """Return the quantile."""
        return float(min(self.low + u * (self.high - self.low), self.high))

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


class LogUniform(_Bounded):
    """W&B's `log_uniform`, `inv_log_uniform` and both with `_values`, by the bounds as values."""

    def ppf(self, u: float) -> float:
        """Return the quantile, clipped to the bounds."""
        low, high = math.log(self.low), math.log(self.high)
        return float(min(max(math.exp(low + u * (high - low)), self.low), self.high))

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        if value <= self.low:
            return 0.0
        low, high = math.log(self.low), math.log(self.high)
        return min((math.log(value) - low) / (high - low), 1.0)


@dataclass(frozen=True)
class Normal(Range):
    """W&B's `normal`."""

    mu: float
    sigma: float

    @property
    def support(self) -> tuple[float, float]:
        """All numbers."""
        return -math.inf, math.inf

    def ppf(self, u: float) -> float:
        """Return the quantile; finite for 0 and 1 too."""
        return self.mu + self.sigma * _STANDARD.inv_cdf(_inner(u))

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        return _STANDARD.cdf((value - self.mu) / self.sigma)


@dataclass(frozen=True)
class LogNormal(Range):
    """W&B's `log_normal`; `mu` and `sigma` are those of the logarithm."""

    mu: float
    sigma: float

    @property
    def support(self) -> tuple[float, float]:
        """All numbers above 0."""
        return 0.0, math.inf

    def ppf(self, u: float) -> float:
        """Return the quantile; finite for 0 and 1 too."""
        return math.exp(Normal(self.mu, self.sigma).ppf(u))

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        return Normal(self.mu, self.sigma).cdf(math.log(value)) if value > 0 else 0.0


@dataclass(frozen=True)
class Beta(Range):
    """W&B's `beta`."""

    a: float
    b: float

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0

    def ppf(self, u: float) -> float:
        """Return the quantile."""
        from scipy.special import betaincinv  # Snakemake loads this module at each parse

        return float(betaincinv(self.a, self.b, _inner(u)))

    def cdf(self, value: float) -> float:
        """Return the probability of the values up to `value`."""
        from scipy.special import betainc

        return float(betainc(self.a, self.b, min(max(value, 0.0), 1.0)))
