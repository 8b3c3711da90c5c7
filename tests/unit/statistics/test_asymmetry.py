"""Asymmetric values are seen, and normal ones are seldom taken for such."""

import numpy as np
import pytest
from caduceus.statistics.asymmetry import asymmetries
from scipy import stats


@pytest.mark.parametrize(
    ("values", "bounds", "found"),
    [
        ([1, 2, 3, 4, 5, 6], None, []),
        ([0.01, 0.02, 0.0, 0.01, 0.02, 0.03, 0.0, 0.9], None, ["1 of 8 lies far from the others"]),
        ([0, 1, 2, 3, 4, 5, 6, 9, 16, 30], None, ["they are skewed"]),
        ([0.99, 0.97, 0.98, 0.96, 0.995, 0.985], (0, 1), ["a bound of the metric is within reach"]),
        ([0.99, 0.97, 0.98, 0.96, 0.995, 0.985], (0, None), []),
        ([0, 0, 0, 0, 9], None, []),  # too few to say
        ([2, 2, 2, 2, 2, 2], None, []),
    ],
)
def test_what_speaks_against_symmetry_is_named(
    values: list[float], bounds: tuple[float | None, ...] | None, found: list[str]
) -> None:
    assert [name for name in asymmetries(values, bounds) if name in found] == found
    assert bool(asymmetries(values, bounds)) == bool(found)


def test_the_skewness_is_scipys() -> None:
    """Two standard errors of it are the limit."""
    values = np.random.default_rng(3).normal(size=10)
    error = (6 * 10 * 9 / (8 * 11 * 13)) ** 0.5
    for power in (1.0, 3.0):
        changed = np.sign(values) * np.abs(values) ** power + (power > 1) * np.exp(values)
        is_skewed = abs(stats.skew(changed, bias=False)) > 2 * error
        assert ("they are skewed" in asymmetries(changed)) == is_skewed


def test_normal_values_are_seldom_called_asymmetric() -> None:
    generator, said, samples = np.random.default_rng(1), {8: 0, 20: 0}, 1000
    for n in said:
        said[n] = sum(bool(asymmetries(generator.normal(size=n))) for _ in range(samples))
    assert max(said.values()) / samples < 0.1
    skewed = sum(bool(asymmetries(generator.lognormal(size=10))) for _ in range(samples))
    assert skewed / samples > 0.5
