"""The points of a run's curves."""

from caduceus.tracking.curve_points import CurvePoints


def test_what_is_not_drawn_is_not_kept() -> None:
    points = CurvePoints()
    points.add("train/grad_norm", 1, 2.0)
    points.add("train/loss", 1, 0.5)
    assert points.curves == {"train/loss": ([1], [0.5])}


def test_a_long_curve_keeps_every_so_manieth_point() -> None:
    points = CurvePoints()
    for step in range(100_000):
        points.add("train/loss", step, 1 / (step + 1))
    steps, values = points.curves["train/loss"]
    assert 2048 <= len(steps) <= 4096
    assert steps == list(range(0, 100_000, 32))
    assert values == [1 / (step + 1) for step in steps]


def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    whole, first, second = CurvePoints(), CurvePoints(), CurvePoints()
    for step in range(10_000):
        whole.add("val/loss", step, step)
        (first if step < 5000 else second).add("val/loss", step, step)
        if step == 4999:
            second.content = first.content
    assert second.content == whole.content
