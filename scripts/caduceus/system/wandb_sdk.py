"""The one door to the wandb SDK."""

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
from wandb.sdk import wandb_setup
from wandb.sdk.artifacts.artifact_manifest_entry import ArtifactManifestEntry
from wandb.sdk.data_types.base_types.media import Media
from wandb.sdk.lib import wbauth
from wandb.sdk.mailbox import HandleAbandonedError, MailboxClosedError

from caduceus.errors import ServerError

Run = wandb.Run

# A dataset above this travels as references to its files, each with its digest, not as copies.
_COPIED_DATASET_BYTES = 100_000_000

_starting = threading.Lock()
_POLL_S = 0.5
_ANSWER_S = 30.0  # wandb-core's answer, which waits for no server
_ERROR = 40  # SEVERITY_ERROR of its messages


def start_run(**settings: Any) -> Run:
    """Start the run that the environment describes."""
    return wandb.init(settings=wandb.Settings(**settings)) if settings else wandb.init()


def log_of(run: Run) -> Path | None:
    """The run's `.wandb` file; None if wandb is switched off for it."""
    return None if run.disabled else Path(run.dir).parent / f"run-{run.id}.wandb"


@dataclass(frozen=True)
class Logged:
    """The step of what was logged, and whether wandb holds that row back, as more may come."""

    step: int
    is_open: bool


def hear_log(run: Run, heard: Callable[[Logged], None]) -> None:
    """Hear of everything that is logged to a run, but for what `log_row` and the like log."""
    original = run.log

    @functools.wraps(original)
    def log(data: dict[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        original(data, step, commit)
        is_closed = step is None if commit is None else commit
        heard(Logged(run._local_step - is_closed, not is_closed))

    run.log = log  # type: ignore[method-assign]  # of this run alone, not of its class
    if wandb.run is run:
        wandb.log = log


def log_row(run: Run, row: Mapping[str, Any], step: int) -> None:
    """Log a row; wandb holds it back until one of a later step comes."""
    type(run).log(run, dict(row), step=step)


def close_row(run: Run, step: int) -> None:
    """Let wandb write the row of `step`, which it holds back until one of a later step comes."""
    type(run).log(run, {}, step=step, commit=True)


def begin_row(run: Run, step: int) -> None:
    """Let the media that are logged next be named after `step`, not after the row before it."""
    type(run).log(run, {}, step=step)


def bounded(value: Any, limit_bytes: int) -> Any:
    """A picture scaled down until its file is no larger; other media that are larger as None."""
    size = getattr(value, "_size", None) if isinstance(value, Media) else None
    if size is None or size <= limit_bytes:
        return value
    if not isinstance(value, wandb.Image):
        return None
    from PIL import Image

    with Image.open(str(value._path)) as opened:
        picture = opened.copy()
    while size > limit_bytes and min(picture.size) > 1:
        # How bytes shrink with pixels depends on the picture.
        scale = min(0.7, (limit_bytes / size) ** 0.5)
        width, height = (max(1, int(side * scale)) for side in picture.size)
        picture = picture.resize((width, height))
        value = wandb.Image(picture, caption=value._caption)
        size = value._size or 0
    return value


def set_summary(run: Run, values: Mapping[str, Any]) -> None:
    """Set values of the run's summary."""
    run.summary.update(dict(values))


def finish_run(run: Run) -> None:
    """End the run, and return once its log is whole: `finish` alone returns a moment earlier."""
    run.finish()
    wandb.teardown()


def image(pixels: Any) -> wandb.Image:
    """A picture to log, from a PIL image, an array or a matplotlib figure."""
    return wandb.Image(pixels)


def confusion_matrix(
    labels: Iterable[int], predictions: Iterable[int], class_names: list[str], title: str
) -> Any:
    """W&B's confusion matrix chart."""
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
    """Log an artifact made of `files`, by their names inside it."""
    artifact = wandb.Artifact(name, type=type, metadata=dict(metadata or {}))
    for inside, path in files.items():
        artifact.add_file(str(path), name=inside)
    run.log_artifact(artifact)


def use_dataset(run: Run, record: Mapping[str, Any], base: Path) -> None:
    """Note that `run` uses a dataset, so that W&B draws the line from one to the other.

    Args:
        run: the run.
        record: as `datasets.make_dataset` returns it; its digests are taken as they are, so that a
            large dataset isn't read again for every run.
        base: the dataset's file or folder.
    """
    known = {key: record[key] for key in ("sha256", "version", "bytes")}
    artifact = wandb.Artifact(f"dataset-{record['name']}", type="dataset", metadata=known)
    base = base.absolute()
    copied = record["bytes"] <= _COPIED_DATASET_BYTES
    for name, file in record["files"].items():
        path = base if base.is_file() else base / name
        artifact.manifest.add_entry(
            ArtifactManifestEntry(
                path=name,
                digest=file["md5"],
                size=file["bytes"],
                local_path=str(path) if copied else None,
                ref=None if copied else path.as_uri(),
            )
        )
    # `use_artifact` refuses to work offline; this is what it does online with a new artifact, and
    # a sync marks the dataset as used once it has arrived.
    run._log_artifact(artifact, aliases=["latest"], is_user_created=True, use_after_commit=True)


def create_sweep(config: Mapping[str, Any], entity: str, project: str) -> str:
    """Create a sweep on the server that the environment names; returns its id.

    Raises:
        ServerError: what W&B says is wrong.
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
    """Send a `.wandb` file to the server, as `wandb beta sync` does, with its media and artifacts.

    The environment says which server and which key. One wandb-core serves all calls, also several
    at a time from several threads. That it says nothing proves nothing: ask the server afterwards.

    Args:
        log: the file; its media lie in files/ beside it.
        entity: the owner of the project.
        project: where the run goes.
        patience_s: how long to go on while the server can't be reached or refuses.
        is_growing: whether to wait at the end of the file until it holds the run's end.
        is_stopped: asked every half second; ends it at once.

    Raises:
        ServerError: W&B says that it failed, was still trying again after `patience_s`, or was
            stopped.
    """
    with _starting:
        setup = wandb_setup.singleton()
        wbauth.authenticate_session(host=setup.settings.base_url, source="sync", no_offline=True)
        service = setup.ensure_service()

    async def send() -> list[str]:
        begun = await service.init_sync(
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
        sync_id = (await begun.wait_async(timeout=_ANSWER_S)).id
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
                done.exception()  # that it was cancelled
                raise ServerError("; ".join(dict.fromkeys(errors)) or "stopped")
        messages += done.result().messages
        # Its first sentence; the others advise what would double rows.
        return [m.content.partition(". ")[0] for m in messages if m.severity >= _ERROR]

    try:
        errors = setup.asyncer.run(send)
    except (wandb.Error, HandleAbandonedError, MailboxClosedError, OSError) as error:
        raise ServerError(f"wandb-core ended: {type(error).__name__}; try again") from None
    if errors:
        raise ServerError("; ".join(dict.fromkeys(errors)))
