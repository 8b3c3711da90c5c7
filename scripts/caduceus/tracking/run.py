"""The run of a training program: it logs, saves and restores."""

import atexit
import gc
import math
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from caduceus.runs.files.attempt import Restored
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.identity import Identity
from caduceus.runs.folder import RunFolder
from caduceus.runs.source_code import snapshot_content
from caduceus.system import wandb_sdk
from caduceus.tracking import checkpoints
from caduceus.tracking.curve_points import CurvePoints
from caduceus.tracking.logged_values import is_plain, number_of
from caduceus.tracking.stop_requests import StopRequest
from caduceus.tracking.system_metrics import Sampler
from caduceus.wandb_log import RowWatch


class DivergedError(ArithmeticError):
    """A loss isn't finite any more, so that further training is useless."""


def start(log_every: int = 1, log_every_s: float = 0, media_limit_mb: float = 0) -> "TrackedRun":
    """Start the run, log the experiment and the dataset it uses, and sample system metrics.

    Logging takes a third of a millisecond a row, and the size of its media. A program that logs
    more than that can thin its rows and limit its media:

    Args:
        log_every: steps between two rows, at least.
        log_every_s: seconds between two rows, at least.
        media_limit_mb: the largest size of a picture, sound, table and so on, in 10^6 bytes. Larger
            pictures are scaled down; anything else that is larger is left out, with one message for
            each metric. 0 for no limit.
    """
    # Python's last garbage collection walks all of torch, which takes 0.3 s and frees nothing.
    atexit.register(gc.freeze)
    run = wandb_sdk.start_run()
    if run_json := _path_in("CADUCEUS_RUN"):
        experiment = Identity.read(run_json).experiment
        spec = Path(os.environ["CADUCEUS_EXPERIMENT"])
        wandb_sdk.log_files(run, f"spec-{experiment}", "experiment-spec", {spec.name: spec})
        code = snapshot_content(RunFolder(run_json.parent).code)
        if code:
            wandb_sdk.log_files(run, f"code-{experiment}", "code", code)
    if dataset := _dataset():
        wandb_sdk.use_dataset(run, dataset.to_json(), _in_project(dataset))
    return TrackedRun(run, Sampler(), log_every, log_every_s, int(media_limit_mb * 1e6))


def dataset_path() -> Path | None:
    """Return the path of the experiment's dataset; None if the program was started by hand."""
    dataset = _dataset()
    return _in_project(dataset) if dataset else None


def output_folder() -> Path:
    """Return the folder for the program's results, which is made."""
    folder = Path(os.environ.get("CADUCEUS_OUTPUT_DIR", "output"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class TrackedRun:
    """A wandb run that adds system metrics to its rows, with a method for what most programs log.

    Attributes:
        wandb: the run itself, for everything else.
        restored: the values that the last checkpoint was given.
    """

    def __init__(
        self,
        run: wandb_sdk.Run,
        sampler: Sampler,
        log_every: int = 1,
        log_every_s: float = 0,
        media_limit_bytes: int = 0,
    ):
        self.wandb = run
        self.restored: dict[str, Any] = {}
        self._sampler = sampler
        self._every = log_every
        self._every_s = log_every_s
        self._media_limit_bytes = media_limit_bytes
        self._left_out: set[str] = set()
        self._curves = CurvePoints()
        self._held: dict[str, Any] = {}  # the last value of each metric since the last row
        self._held_step: int | None = None
        self._row: int | None = None  # the step of the last row
        self._row_at = -math.inf  # when it was logged
        # wandb doesn't write the last row yet, as more may be logged at its step: the row so far.
        self._open: dict[str, Any] = {}
        self._closed_row: int | None = None  # the step of the row before it
        self._objects: dict[str, Any] = {}
        self._saved_at = time.monotonic()
        self._watch: RowWatch | None = None
        self._stop = StopRequest()
        # The last row that the program logged by `wandb.log`, which isn't in `_open`.
        self._direct: wandb_sdk.LoggedRow | None = None
        wandb_sdk.observe_log(run, self._hear)

    def __enter__(self) -> "TrackedRun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        code = error.code if isinstance(error, SystemExit) else error and 1
        self.finish(exit_code=code if isinstance(code, int) else int(bool(code)))

    def log(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log a row of metrics at `step`, with the system metrics since the last row.

        If rows are thinned, the next row takes the values of a skipped one, and the last values are
        logged at the end.

        Raises:
            DivergedError: a metric whose name ends in "loss" isn't finite. The row is logged first.
        """
        for name, logged in metrics.items():
            if (value := number_of(logged)) is not None:
                self._curves.add(name, step, value)
        self._held |= metrics
        self._held_step = step
        diverged = [
            (name, value)
            for name, value in metrics.items()
            if name.endswith("loss") and not math.isfinite(number_of(value) or 0)
        ]
        if diverged or self._is_due(step):
            self._release()
        for name, value in diverged:
            raise DivergedError(f"{name} is {value} at step {step}: lower the learning rate")

    def _hear(self, logged: wandb_sdk.LoggedRow) -> None:
        self._direct = logged

    def _is_due(self, step: int) -> bool:
        if self._row is None or step == self._row:
            return True
        return step - self._row >= self._every and time.monotonic() - self._row_at >= self._every_s

    def _release(self) -> None:
        """Log the values that thinning holds back."""
        if self._held_step is not None:
            self._log(self._held, self._held_step)
            self._held, self._held_step = {}, None

    def _log(self, metrics: Mapping[str, Any], step: int) -> None:
        row = dict(metrics)
        if self._media_limit_bytes:
            row = {name: self._bounded(name, value) for name, value in row.items()}
            row = {name: value for name, value in row.items() if name not in self._left_out}
        if not is_plain(row):
            wandb_sdk.set_step(self.wandb, step)
        row |= self._sampler.collect()
        wandb_sdk.log_row(self.wandb, row, step)
        if step != self._row:
            self._closed_row = self._row if self._open else None
            self._open = {}
        self._open |= row
        self._row = step
        self._row_at = time.monotonic()

    def _bounded(self, name: str, value: Any) -> Any:
        bounded = wandb_sdk.limit_size(value, self._media_limit_bytes)
        if bounded is None and value is not None and name not in self._left_out:
            limit = f"{self._media_limit_bytes / 1e6:g} MB"
            print(f"caduceus: {name} is left out: larger than {limit}", file=sys.stderr)
            self._left_out.add(name)
        return bounded

    def restore(self, first_step: int = 0, /, **objects: Any) -> int:
        """Restore the last checkpoint, if there is one; return the step to start with.

        All random generators are restored too; call it after the model is made.

        Args:
            first_step: the first step of a run without a checkpoint.
            objects: the objects that `checkpoint` saves: anything with a `state_dict`, and
                generators.

        Raises:
            ResultError: the checkpoint doesn't fit the program.
        """
        self._objects = objects
        self._stop.is_awaited = True
        folder = _checkpoint_folder()
        found = checkpoints.load(folder) if folder else None
        restored = Restored(resumed_from=None)
        if found:
            content = found.content
            checkpoints.set_states(objects, content["objects"])
            self._curves.content = content["curves"]
            self._held, self._held_step = content["held"]
            self._row, held_back = content["row"], content["open"]
            self.restored = content["values"]
            first = self._row if held_back else max(found.step, self._row or 0) + 1
            restored = Restored(resumed_from=first, saved_at=found.saved_at)
        if "CADUCEUS_RESTORED" in os.environ and not self.wandb.disabled:
            log = Path(self.wandb.dir).parent.name
            replace(restored, log=log).write(Path(os.environ["CADUCEUS_RESTORED"]))
        if found:
            if held_back:
                self._log(held_back, first)
            checkpoints.set_random_state(found.content["random"])
            print(f"caduceus: resuming after step {found.step}", file=sys.stderr)
            return found.step + 1
        return first_step

    def checkpoint(
        self, step: int, values: Mapping[str, Any] | None = None, every_s: float = 60
    ) -> None:
        """Save a checkpoint after `step`, if the last one is at least `every_s` seconds old.

        Call it once a step, after everything of the step is logged. If the program was asked to
        stop (SIGTERM, SIGUSR1), a checkpoint is saved at once, and the program ends.

        Args:
            step: the last step that is done.
            values: values for `restored`, beside the objects given to `restore`.
            every_s: seconds between two checkpoints.

        Raises:
            ResultError: rows don't reach the log, as on a full disk.
            SystemExit: after a request to stop.
        """
        asked = self._stop.number
        if not asked and time.monotonic() - self._saved_at < every_s:
            return
        folder = _checkpoint_folder()
        if folder and not self.wandb.disabled:
            if not is_plain(self._held):  # media are in a folder that ends with the process
                self._release()
            self._wait_for_rows()
            content = {
                "objects": {name: checkpoints.state_of(o) for name, o in self._objects.items()},
                "values": dict(values or {}),
                "curves": self._curves.content,
                "held": (self._held, self._held_step),
                "row": self._row,
                "open": self._open,
                "random": checkpoints.random_state(),
            }
            checkpoints.save(folder, step, content)
        self._saved_at = time.monotonic()
        if asked:
            raise SystemExit(128 + asked)

    def _wait_for_rows(self) -> None:
        """Wait until all rows are in the log that a resumed program won't log again.

        The last row goes into the checkpoint, if it holds no media and nothing that the program
        logged by `wandb.log`; else wandb has to write it now.
        """
        log = wandb_sdk.log_of(self.wandb)
        last, wanted = (-1 if row is None else row for row in (self._row, self._closed_row))
        direct, self._direct = self._direct, None
        is_open = not is_plain(self._open)
        if direct is not None and direct.step >= last:
            last, is_open = direct.step, direct.is_open
            wanted, self._open, self._row = last, {}, last
        elif direct is not None:
            wanted = max(wanted, direct.step)
        if is_open:
            wandb_sdk.close_row(self.wandb, last)
            wanted, self._open = last, {}
        if wanted < 0 or log is None or not log.exists():
            return
        self._watch = self._watch or RowWatch(log)
        checkpoints.wait_for_row(self._watch, log, wanted)

    def log_curves(self, step: int) -> None:
        """Log a picture of the curves so far as visualizations/loss_curves."""
        from caduceus.tracking.curve_picture import draw_curves  # matplotlib takes 0.4 s to import

        self._release()
        picture = wandb_sdk.image(draw_curves(self._curves.curves))
        self._log({"visualizations/loss_curves": picture}, step)

    def log_confusion_matrix(
        self,
        labels: Iterable[int],
        predictions: Iterable[int],
        class_names: Sequence[str],
        step: int,
    ) -> None:
        """Log a confusion matrix of class indices as visualizations/confusion_matrix."""
        self._release()
        chart = wandb_sdk.confusion_matrix(
            labels, predictions, list(class_names), title="Confusion matrix"
        )
        self._log({"visualizations/confusion_matrix": chart}, step)

    def save_model(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Log the file of a trained model as the artifact model-RUN, with `metrics` as metadata."""
        files = {path.name: path}
        wandb_sdk.log_files(self.wandb, f"model-{self.wandb.id}", "model", files, metrics)

    def save_predictions(self, path: Path) -> None:
        """Log a file with the prediction for each example as the artifact results-RUN."""
        files = {path.name: path}
        wandb_sdk.log_files(self.wandb, f"results-{self.wandb.id}", "results", files)

    def finish(self, exit_code: int = 0) -> None:
        """End the run."""
        self._release()
        self._sampler.stop()
        if self._watch is not None:
            self._watch.close()
        self.wandb.finish(exit_code=exit_code)


def _checkpoint_folder() -> Path | None:
    return _path_in("CADUCEUS_CHECKPOINT_DIR")


def _in_project(dataset: DatasetRecord) -> Path:
    """Return the path of a dataset, which its record gives relative to the project's folder."""
    return Path(os.environ.get("CADUCEUS_PROJECT_DIR", ""), dataset.path)


def _dataset() -> DatasetRecord | None:
    path = _path_in("CADUCEUS_DATASET")
    return DatasetRecord.read(path) if path else None


def _path_in(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
