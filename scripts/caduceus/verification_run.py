"""The program of the test run that `caduceus verify --online` makes: it logs some of everything."""

import time

from caduceus import tracking

_STEPS = 4


def main() -> None:
    """Log metrics, a picture, a confusion matrix and a model, for about two seconds."""
    with tracking.start() as run:
        for step in range(_STEPS):
            time.sleep(0.6)  # so that there is a sample of the system metrics
            run.log({"verification/value": step / 7, "verification/loss": 1 / (step + 1)}, step)
        run.log_curves(_STEPS - 1)
        run.log_confusion_matrix([0, 1, 1], [0, 1, 0], ["no", "yes"], _STEPS - 1)
        model = tracking.output_folder() / "model.txt"
        model.write_text("no model, but the file of one\n")
        run.save_model(model, {"verification/value": 1.0})


if __name__ == "__main__":
    main()
