"""A Gaussian process: its fit, its predictions, and trials that are still running."""

import numpy as np
import pytest
from caduceus.sweeps.gaussian_process import GaussianProcess, _minimize, _Posterior, fit, sample
from scipy.optimize import check_grad
from scipy.spatial.distance import cdist

RNG = np.random.default_rng(0)
POINTS = RNG.random((30, 3))
GROUPS = np.array([0, 1, 1])


def standardized(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values.std())


def matern(one: np.ndarray, other: np.ndarray, model: GaussianProcess) -> np.ndarray:
    """The kernel by its textbook formula."""
    distance = cdist(one * model.scales, other * model.scales)
    root = np.sqrt(5) * distance
    return np.asarray(model.variance * (1 + root + root**2 / 3) * np.exp(-root))


def test_predictions_are_those_of_the_textbook() -> None:
    values = standardized(np.sin(6 * POINTS[:, 0]) + RNG.normal(size=30) / 10)
    model, at = fit(POINTS, GROUPS, values), RNG.random((5, 3))
    noisy = matern(POINTS, POINTS, model) + (model.noise + 1e-6) * np.eye(30)
    across = matern(at, POINTS, model)
    mean, deviation = model.predict(at)
    assert mean == pytest.approx(across @ np.linalg.solve(noisy, values))
    explained = np.diag(across @ np.linalg.solve(noisy, across.T))
    assert deviation**2 == pytest.approx(model.variance - explained)


def test_a_function_without_noise_is_met_at_the_points_and_near_between_them() -> None:
    def function(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(6 * points[:, 0]) + points[:, 1])

    values = function(POINTS)
    model = fit(POINTS, np.arange(3), standardized(values))
    assert model.predict(POINTS)[0] == pytest.approx(standardized(values), abs=0.01)
    at = np.random.default_rng(1).random((100, 3))
    expected = (function(at) - values.mean()) / values.std()
    assert np.sqrt(np.mean((model.predict(at)[0] - expected) ** 2)) < 0.2
    first, second, third = model.scales
    assert first > second > third  # the function changes most with the first, not with the third


def test_noise_is_found() -> None:
    points = np.random.default_rng(2).random((120, 1))
    values = np.sin(6 * points[:, 0]) + 0.5 * np.random.default_rng(3).normal(size=120)
    model = fit(points, np.array([0]), standardized(values))
    assert model.noise == pytest.approx(0.25 / values.var(), rel=0.3)


def test_the_gradient_of_the_fit_is_exact() -> None:
    posterior = _Posterior.of(POINTS, GROUPS, standardized(POINTS[:, 0] ** 2))
    for move in (0.0, 0.7):
        at = posterior.prior[:, 0] + move
        error = check_grad(
            lambda logs: posterior.cost(logs)[0], lambda logs: posterior.cost(logs)[1], at
        )
        assert error < 1e-3


@pytest.mark.slow
def test_processes_are_drawn_from_the_posterior_of_a_length() -> None:
    """That of the length is computed on a grid, with variance and noise at each of many draws."""
    points = np.random.default_rng(4).random((12, 1))
    values = standardized(np.sin(5 * points[:, 0]))
    groups = np.array([0])
    drawn = sample(points, groups, values, 300, np.random.default_rng(5))
    lengths = np.array([-np.log(model.scales[0]) for model in drawn])

    posterior = _Posterior.of(points, groups, values)
    away = np.random.default_rng(6).normal(size=(20_000, 3))
    weights = np.exp([posterior.likelihood(each * posterior.prior[:, 1]) for each in away])
    logs = posterior.prior[0, 0] + posterior.prior[0, 1] * away[:, 0]
    mean = np.average(logs, weights=weights)
    spread = np.sqrt(np.average((logs - mean) ** 2, weights=weights))
    assert lengths.mean() == pytest.approx(mean, abs=0.1)
    assert lengths.std() == pytest.approx(spread, rel=0.25)


def test_a_running_trial_lowers_the_deviation_around_it_and_leaves_the_means() -> None:
    values = standardized(POINTS[:, 0])
    model = fit(POINTS[:20], GROUPS, values[:20])
    running = POINTS[20:]
    after = model.with_running(running)
    at = np.concatenate((running, RNG.random((5, 3))))
    means, deviations = model.predict(at)
    means_after, deviations_after = after.predict(at)
    assert means_after == pytest.approx(means)
    assert (deviations_after < deviations).all()
    assert deviations_after[: len(running)].max() < 0.02 * np.sqrt(model.variance)
    assert model.with_running(np.empty((0, 3))) is model


@pytest.mark.parametrize("values", [np.zeros(8), np.ones(8), np.arange(8.0)])
def test_points_that_coincide_and_values_that_are_equal_can_be_fitted(values: np.ndarray) -> None:
    model = fit(np.full((8, 3), 0.5), GROUPS, values - values.mean())
    mean, deviation = model.predict(POINTS)
    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


def test_the_least_value_of_a_curved_valley_is_found() -> None:
    def rosenbrock(at: np.ndarray) -> tuple[float, np.ndarray]:
        x, y = at
        slope = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
        return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), slope

    assert _minimize(rosenbrock, np.array([-0.5, 0.5])) == pytest.approx([1, 1], abs=0.1)
