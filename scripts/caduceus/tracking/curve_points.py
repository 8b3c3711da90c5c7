"""The points of a run's curves, in bounded memory however long it logs."""

# Panel of the picture: title, the metrics in it, whether its scale is logarithmic.
PANELS = (
    ("loss", ("train/loss", "val/loss"), True),
    ("accuracy", ("train/accuracy", "val/accuracy"), False),
    ("test accuracy", ("test/accuracy",), False),
    ("learning rate", ("learning_rate",), False),
)
_DRAWN = frozenset(metric for _, metrics, _ in PANELS for metric in metrics)
_MOST = 4096  # points of a curve, ten for each pixel of its panel

Curve = tuple[list[float], list[float]]  # steps, values


class CurvePoints:
    """The points of the metrics that are drawn.

    Of a curve that has more than is drawn, every second point is left out, and so on again; the
    points depend on what was added alone.

    Attributes:
        content: all of it as plain values, for a checkpoint.
    """

    def __init__(self) -> None:
        self.content: dict[str, tuple[Curve, int, int]] = {}  # the points, each how manieth, of all

    @property
    def curves(self) -> dict[str, Curve]:
        """The points by metric."""
        return {name: curve for name, (curve, _, _) in self.content.items()}

    def add(self, name: str, step: float, value: float) -> None:
        """Take a point of a metric, if it is one of those that are drawn."""
        if name not in _DRAWN:
            return
        (steps, values), stride, count = self.content.get(name, (([], []), 1, 0))
        if count % stride == 0:
            steps.append(step)
            values.append(value)
        if len(steps) > _MOST:
            steps, values, stride = steps[::2], values[::2], 2 * stride
        self.content[name] = (steps, values), stride, count + 1
