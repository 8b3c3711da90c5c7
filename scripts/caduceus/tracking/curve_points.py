"""The points of a run's curves, in bounded memory however long it logs."""

# Each panel of the picture: its title, its metrics, and whether its scale is logarithmic.
PANELS = (
    ("loss", ("train/loss", "val/loss"), True),
    ("accuracy", ("train/accuracy", "val/accuracy"), False),
    ("test accuracy", ("test/accuracy",), False),
    ("learning rate", ("learning_rate",), False),
)
_DRAWN = frozenset(metric for _, metrics, _ in PANELS for metric in metrics)
_MOST = 4096  # points of a curve: ten for each pixel of its panel

Curve = tuple[list[float], list[float]]  # steps, values


class CurvePoints:
    """The points of the metrics that are drawn.

    When a curve has too many points, every second one is dropped, and from then on only every
    second new one is kept. The result depends on nothing but the points that were added.

    Attributes:
        content: the points as plain values, for a checkpoint.
    """

    def __init__(self) -> None:
        self.content: dict[str, tuple[Curve, int, int]] = {}  # points, stride, count

    @property
    def curves(self) -> dict[str, Curve]:
        """The points by metric."""
        return {name: curve for name, (curve, _, _) in self.content.items()}

    def add(self, name: str, step: float, value: float) -> None:
        """Add a point of a metric, if the metric is drawn."""
        if name not in _DRAWN:
            return
        (steps, values), stride, count = self.content.get(name, (([], []), 1, 0))
        if count % stride == 0:
            steps.append(step)
            values.append(value)
        if len(steps) > _MOST:
            steps, values, stride = steps[::2], values[::2], 2 * stride
        self.content[name] = (steps, values), stride, count + 1
