"""The program of the test run of `caduceus verify`, which logs some of everything."""

import time
from collections.abc import Mapping, Sequence

STEPS = 4
CLASSES = ("no", "yes")
LABELS, PREDICTIONS = (0, 1, 1), (0, 1, 0)
MODEL = "no model, but the file of one\n"


def metrics(step: int) -> dict[str, float]:
    """Return the metrics that are logged at a step."""
    return {"train/loss": 1 / (step + 1), "val/accuracy": step / 7}


def curves() -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """Return the logged steps and values by metric."""
    steps = range(STEPS)
    return {name: (steps, [metrics(step)[name] for step in steps]) for name in metrics(0)}


def main() -> None:
    """Log metrics, a picture, a confusion matrix and a model, for about two seconds."""
    from caduceus import tracking  # imports wandb, which only the program needs, not its checks

    with tracking.start() as run:
        for step in range(STEPS):
            time.sleep(0.6)  # so that there is a sample of the system metrics
            run.log(metrics(step), step)
        run.log_curves(STEPS - 1)
        run.log_confusion_matrix(LABELS, PREDICTIONS, CLASSES, STEPS - 1)
        model = tracking.output_folder() / "model.txt"
        model.write_text(MODEL)
        run.save_model(model, metrics(STEPS - 1))


if __name__ == "__main__":
    main()
