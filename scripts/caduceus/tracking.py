"""For training programs that want more than `wandb.log`: start, log, save, in a line each.

    from caduceus import tracking

    with tracking.start() as run:
        run.log({"train/loss": loss}, step=step)
        run.save_model(path, {"test/accuracy": accuracy})

Under Caduceus the run has its identity, parameters, dataset and folders; started by hand, the same
program is a plain wandb run with its files in ./output.
"""

import atexit
import gc
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from caduceus import wandb_sdk
from caduceus.files import read_json
from caduceus.system_metrics import Sampler


class DivergedError(ArithmeticError):
    """A loss is no longer a number: nothing that follows would mean anything."""


def start() -> "TrackedRun":
    """Start the run, note the experiment and the dataset it uses, and sample system metrics."""
    # Python ends with a collection that walks all of torch, for 0.3 s and nothing.
    atexit.register(gc.freeze)
    run = wandb_sdk.start_run()
    identity = _described_by("CADUCEUS_RUN")
    if identity:
        spec = Path(os.environ["CADUCEUS_EXPERIMENT"])
        name = f"spec-{identity['experiment']}"
        wandb_sdk.log_files(run, name, "experiment-spec", {spec.name: spec})
    dataset = _described_by("CADUCEUS_DATASET")
    if dataset:
        wandb_sdk.use_dataset(run, dataset, _in_project(dataset))
    return TrackedRun(run, Sampler())


def dataset_path() -> Path | None:
    """Where the experiment's dataset lies; None if the program was started by hand."""
    dataset = _described_by("CADUCEUS_DATASET")
    return _in_project(dataset) if dataset else None


def output_folder() -> Path:
    """Where the program leaves its files."""
    folder = Path(os.environ.get("CADUCEUS_OUTPUT_DIR", "output"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class TrackedRun:
    """A wandb run that logs system metrics along and knows how to log what most runs log.

    `wandb` is the run itself, for everything else.
    """

    def __init__(self, run: wandb_sdk.Run, sampler: Sampler):
        self.wandb = run
        self._sampler = sampler
        self._curves: dict[str, tuple[list[float], list[float]]] = {}

    def __enter__(self) -> "TrackedRun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish(exit_code=0 if error is None else 1)

    def log(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log a row of metrics at `step`; the system metrics since the last row join it.

        Raises:
            DivergedError: a metric whose name ends in "loss" isn't finite. The row is logged first.
        """
        self.wandb.log(dict(metrics) | self._sampler.collect(), step=step)
        for name, logged in metrics.items():
            value = _number(logged)
            if value is not None:
                steps, values = self._curves.setdefault(name, ([], []))
                steps.append(step)
                values.append(value)
                if name.endswith("loss") and not math.isfinite(value):
                    raise DivergedError(
                        f"{name} is {value} at step {step}: lower the learning rate"
                    )

    def log_curves(self, step: int) -> None:
        """Log four panels of what was logged so far as visualizations/loss_curves."""
        from caduceus.curves import draw_curves  # matplotlib takes 0.4 s to import

        picture = wandb_sdk.image(draw_curves(self._curves))
        self.wandb.log({"visualizations/loss_curves": picture}, step=step)

    def log_confusion_matrix(
        self,
        labels: Iterable[int],
        predictions: Iterable[int],
        class_names: Sequence[str],
        step: int,
    ) -> None:
        """Log a confusion matrix of class indices as visualizations/confusion_matrix."""
        chart = wandb_sdk.confusion_matrix(
            labels, predictions, list(class_names), title="Confusion matrix"
        )
        self.wandb.log({"visualizations/confusion_matrix": chart}, step=step)

    def save_model(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Log the file of a trained model as artifact model-RUN, with `metrics` as metadata."""
        files = {path.name: path}
        wandb_sdk.log_files(self.wandb, f"model-{self.wandb.id}", "model", files, metrics)

    def save_predictions(self, path: Path) -> None:
        """Log the file of predictions, example by example, as artifact results-RUN."""
        files = {path.name: path}
        wandb_sdk.log_files(self.wandb, f"results-{self.wandb.id}", "results", files)

    def finish(self, exit_code: int = 0) -> None:
        """End the run."""
        self._sampler.stop()
        self.wandb.finish(exit_code=exit_code)


def _number(value: Any) -> float | None:
    """`value` if it is one number, of numpy's and torch's too."""
    if not isinstance(value, int | float) and hasattr(value, "item"):
        try:
            value = value.item()
        except (RuntimeError, TypeError, ValueError):  # it is several
            return None
    return value if isinstance(value, int | float) else None


def _in_project(dataset: Mapping[str, Any]) -> Path:
    """Where a dataset lies, whose path starts from the project's folder."""
    return Path(os.environ.get("CADUCEUS_PROJECT_DIR", ""), dataset["path"])


def _described_by(variable: str) -> dict[str, Any] | None:
    path = os.environ.get(variable)
    if not path:
        return None
    described: dict[str, Any] = read_json(Path(path))
    return described
