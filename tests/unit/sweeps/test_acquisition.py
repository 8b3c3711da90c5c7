"""The expected improvement, also where it is tiny."""

import math

import numpy as np
import pytest
from caduceus.sweeps.acquisition import log_expected_improvement
from scipy.integrate import quad
from scipy.stats import norm


@pytest.mark.parametrize("z", [-4.0, -1.0, -1e-9, 0.0, 0.5, 3.0, 10.0])
def test_it_is_the_mean_of_the_improvement(z: float) -> None:
    mean, deviation = 2.0, 0.5
    best = mean + z * deviation
    expected, _ = quad(
        lambda y: (best - y) * norm.pdf(y, mean, deviation), best - 30, best, points=[mean]
    )
    found = log_expected_improvement(np.array([mean]), np.array([deviation]), best)
    assert found == pytest.approx(math.log(expected), abs=1e-4)


def test_it_grows_with_the_chance_far_below_what_a_float_holds() -> None:
    z = np.linspace(-1000.0, 50.0, 5001)
    found = log_expected_improvement(-z, np.ones_like(z), 0.0)
    assert (np.diff(found) > 0).all()
    # The leading term for z far below 0 is the density divided by the square of z.
    assert found[0] == pytest.approx(norm.logpdf(1000) - 2 * math.log(1000), rel=1e-6)
