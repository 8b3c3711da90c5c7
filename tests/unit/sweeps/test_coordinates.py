"""Configurations as points."""

from typing import Any

import numpy as np
import pytest
from caduceus.sweeps.coordinates import Axis, Coordinates
from told_trials import sweep

RNG = np.random.default_rng(0)


def axis(parameter: dict[str, Any]) -> Axis:
    (found,) = Coordinates.of(sweep("bayes", {"x": parameter}).space).axes
    return found


def test_every_configuration_has_a_point_and_comes_back_from_it() -> None:
    space = sweep("bayes").space
    coordinates = Coordinates.of(space)
    for _ in range(50):
        configuration = space.sample(RNG)
        point = np.array(coordinates.point(configuration))
        again = coordinates.configuration(point)
        assert again["rate"] == pytest.approx(configuration["rate"])
        for key in ("layers", "width", "steps", "kind"):
            assert again[key] == configuration[key]
        assert again["optimizer"]["name"] == configuration["optimizer"]["name"]


def test_a_few_numbers_are_equally_far_apart_and_many_lie_where_they_are_likely() -> None:
    few = axis({"values": [16, 64, 256]})
    assert [few.coordinate(value) for value in (16, 64, 256)] == [0, 0.5, 1]
    many = axis({"distribution": "q_log_uniform_values", "min": 10, "max": 1000, "q": 10})
    assert (many.coordinate(10), many.coordinate(1000)) == (0, 1)
    assert many.coordinate(100) == pytest.approx(0.5, abs=0.05)


def test_two_labels_are_one_apart() -> None:
    columns = axis({"values": ["a", "b", "c"]}).columns(np.array([0.0, 1.0, 1.0]))
    assert columns.shape == (3, 3)
    assert np.linalg.norm(columns[0] - columns[1]) == pytest.approx(1)
    assert (columns[1] == columns[2]).all()


def test_groups_say_which_parameter_a_column_belongs_to() -> None:
    parameters = {"a": {"min": 0.0, "max": 1.0}, "b": {"values": ["x", "y"]}, "c": {"value": 1}}
    coordinates = Coordinates.of(sweep("bayes", parameters).space)
    assert coordinates.groups.tolist() == [0, 1, 1]
    assert coordinates.columns(np.array([[0.3, 1.0]])).shape == (1, 3)
    assert not coordinates.are_listed


@pytest.mark.parametrize(
    "parameter",
    [
        {"min": 0.0, "max": 1.0},
        {"min": 1, "max": 5},
        {"min": 1, "max": 100},
        {"values": ["a", "b", "c"]},
        {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
    ],
)
def test_moved_points_are_points_of_the_space(parameter: dict[str, Any]) -> None:
    coordinates = Coordinates.of(sweep("bayes", {"x": parameter, "y": parameter}).space)
    (one, _) = coordinates.axes
    before = coordinates.at(RNG.random((500, 2)))
    after = coordinates.moved(before, 0.05, RNG)
    places = one.places
    if places is None:
        assert ((after >= 0) & (after <= 1)).all()
        assert (after != before).any(axis=1).all()
        assert np.median(np.abs(after - before)[after != before]) < 0.05
    else:
        assert np.isin(after, places).all()
        assert (after != before).any(axis=1).mean() > 0.5


def test_shares_give_each_level_an_equal_part() -> None:
    found = axis({"values": [1, 2, 4]}).at(np.array([0.0, 0.32, 0.34, 0.99, 1.0]))
    assert found.tolist() == [0, 0, 0.5, 1, 1]


def test_continuous_axes_and_those_of_many_levels_have_a_centre() -> None:
    parameters = {
        "x": {"min": 0.0, "max": 1.0},
        "many": {"min": 0, "max": 100},
        "few": {"min": 1, "max": 4},
        "label": {"values": ["a", "b", "c"]},
    }
    coordinates = Coordinates.of(sweep("bayes", parameters).space)
    points = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 1.0, 2.0], [1.0, 0.0, 1.0, 1.0]])
    assert coordinates.eccentricities(points).tolist() == [0, 0.25, 0.5]
