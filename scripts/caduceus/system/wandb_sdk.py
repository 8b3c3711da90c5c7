"""The interface to the wandb SDK; no other module but the training shim touches it."""

import asyncio
import contextlib
import functools
import io
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wandb

from caduceus.errors import ServerError
from caduceus.system import wandb_private
from caduceus.system.dataset_artifact import dataset_artifact

Run = wandb.Run

_service_lock = threading.Lock()  # while wandb-core is started
_POLL_S = 0.5
_ANSWER_S = 30.0  # for an answer of wandb-core that doesn't depend on a server
_ERROR = 40  # SEVERITY_ERROR of wandb-core's messages


def start_run(**settings: Any) -> Run:
    """Start the run that the environment describes."""
    return wandb.init(settings=wandb.Settings(**settings)) if settings else wandb.init()


def log_of(run: Run) -> Path | None:
    """Return the run's `.wandb` file; None if wandb is disabled for it."""
    return None if run.disabled else Path(run.dir).parent / f"run-{run.id}.wandb"


@dataclass(frozen=True)
class LoggedRow:
    """The step of a logged row, and whether the row is open: wandb waits for more values of it."""

    step: int
    is_open: bool


def observe_log(run: Run, callback: Callable[[LoggedRow], None]) -> None:
    """Call `callback` after each call of `run.log`, except those by functions of this module."""
    original = run.log

    @functools.wraps(original)
    def log(data: dict[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        original(data, step, commit)
        is_closed = step is None if commit is None else commit
        callback(LoggedRow(wandb_private.step(run) - is_closed, not is_closed))

    run.log = log  # type: ignore[method-assign]  # of this run only, not of its class
    if wandb.run is run:
        wandb.log = log


def log_row(run: Run, row: Mapping[str, Any], step: int) -> None:
    """Log a row; wandb writes it only when a row of a later step comes."""
    type(run).log(run, dict(row), step=step)


def close_row(run: Run, step: int) -> None:
    """Make wandb write the row of `step` now, without waiting for a row of a later step."""
    type(run).log(run, {}, step=step, commit=True)


def set_step(run: Run, step: int) -> None:
    """Set the current step, after which wandb names the media that are logged next."""
    type(run).log(run, {}, step=step)


def limit_size(value: Any, limit_bytes: int) -> Any:
    """Limit the size of media: return a larger image scaled down, and None for other larger media.

    A value that isn't media, or isn't larger, is returned as it is.
    """
    size = wandb_private.media_size(value)
    if size is None or size <= limit_bytes:
        return value
    if not isinstance(value, wandb.Image):
        return None
    from PIL import Image

    path, caption = wandb_private.image_parts(value)
    with Image.open(path) as opened:
        picture = opened.copy()
    while size > limit_bytes and min(picture.size) > 1:
        # Bytes don't shrink in proportion to pixels, hence the loop.
        scale = min(0.7, (limit_bytes / size) ** 0.5)
        width, height = (max(1, int(side * scale)) for side in picture.size)
        picture = picture.resize((width, height))
        value = wandb.Image(picture, caption=caption)
        size = wandb_private.media_size(value) or 0
    return value


def finish_run(run: Run) -> None:
    """End the run, and return when its log is complete; `finish` alone returns a moment earlier."""
    run.finish()
    wandb.teardown()


def image(pixels: Any) -> wandb.Image:
    """Make an image to log from a PIL image, an array or a matplotlib figure."""
    return wandb.Image(pixels)


def confusion_matrix(
    labels: Iterable[int], predictions: Iterable[int], class_names: list[str], title: str
) -> Any:
    """Make W&B's chart of a confusion matrix."""
    return wandb.plot.confusion_matrix(
        y_true=list(labels), preds=list(predictions), class_names=class_names, title=title
    )


def log_files(
    run: Run,
    name: str,
    type: str,
    files: Mapping[str, Path],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Log an artifact with these files, by their names inside it."""
    artifact = wandb.Artifact(name, type=type, metadata=dict(metadata or {}))
    for inside, path in files.items():
        artifact.add_file(str(path), name=inside)
    run.log_artifact(artifact)


def use_dataset(run: Run, record: Mapping[str, Any], base: Path) -> None:
    """Record that `run` uses a dataset, so that W&B's lineage graph connects them.

    Args:
        run: the run.
        record: from `datasets.make_dataset`; its digests are used, so that a large dataset isn't
            read again for every run.
        base: the dataset's file or folder.
    """
    wandb_private.check(wandb_private.DATASETS)
    described = dataset_artifact(record, base)
    artifact = wandb.Artifact(described.name, type=described.type, metadata=described.metadata)
    for name, file in described.files.items():
        entry = wandb_private.manifest_entry(
            path=name,
            digest=file.digest,
            size=file.bytes,
            local_path=str(file.path) if file.path else None,
            ref=file.ref or None,
        )
        artifact.manifest.add_entry(entry)
    wandb_private.use_new_artifact(run, artifact)


def create_sweep(config: Mapping[str, Any], entity: str, project: str) -> str:
    """Create a sweep on the server that the environment names, and return its id.

    Raises:
        ServerError: W&B refuses it; the message is W&B's.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints the id and an address
            return str(wandb.sweep(dict(config), entity=entity, project=project))
    except wandb.Error as error:
        raise ServerError(str(error), f"{entity}/{project}") from None


def sync_log(
    log: Path,
    entity: str,
    project: str,
    patience_s: float,
    is_growing: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Send a `.wandb` file to the server, with its media and artifacts, as `wandb beta sync` does.

    Server and key are taken from the environment. One wandb-core process serves all calls, also
    concurrent ones from several threads. It doesn't report every failure, so callers must compare
    the server's data afterwards.

    Args:
        log: the file; its media are in files/ beside it.
        entity: the owner of the project.
        project: the project of the run.
        patience_s: how long to retry, in seconds, while the server can't be reached or refuses.
        is_growing: whether to wait at the end of the file until it has the record of the run's end.
        is_stopped: is called every half second; True stops the upload at once.

    Raises:
        ServerError: W&B reports a failure, retries for longer than `patience_s`, or was stopped.
        CaduceusError: this wandb lacks what an upload needs.
    """
    wandb_private.check(wandb_private.UPLOAD)
    with _service_lock:
        setup, service = wandb_private.start_service()

    async def send() -> list[str]:
        initialization = await service.init_sync(
            {log},
            setup.settings,
            cwd=None,
            live=is_growing,
            entity=entity,
            project=project,
            run_id="",
            job_type="",
            tag_replacements={},
        )
        sync_id = (await initialization.wait_async(timeout=_ANSWER_S)).id
        handle = await service.sync(sync_id, parallelism=1)
        done = asyncio.ensure_future(handle.wait_async(timeout=None))
        messages: list[Any] = []
        failing_since: float | None = None
        while not (await asyncio.wait({done}, timeout=_POLL_S))[0]:
            status = await (await service.sync_status(sync_id)).wait_async(timeout=_ANSWER_S)
            messages += status.new_messages
            errors = [
                operation.error_status
                for stats in status.stats
                for operation in stats.operations
                if operation.error_status
            ]
            failing_since = (failing_since or time.monotonic()) if errors else None
            waited = time.monotonic() - failing_since if failing_since else 0
            if is_stopped() or waited > patience_s:
                handle.cancel()
                await asyncio.wait({done})
                done.exception()  # retrieved, as asyncio warns of exceptions that nobody retrieves
                what = "; ".join(dict.fromkeys(errors))
                raise ServerError(f"{what} (tried for {waited:.0f} s)" if what else "stopped")
        messages += done.result().messages
        # Only the first sentence: the others give advice that would duplicate rows.
        return [m.content.partition(". ")[0] for m in messages if m.severity >= _ERROR]

    ended: tuple[type[Exception], ...] = (wandb.Error, *wandb_private.service_errors(), OSError)
    try:
        errors = setup.asyncer.run(send)
    except ended as error:
        raise ServerError(f"wandb-core ended: {type(error).__name__}; try again") from None
    if errors:
        raise ServerError("; ".join(dict.fromkeys(errors)))
