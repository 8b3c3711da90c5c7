"""The private names of wandb that Caduceus uses, and the features that need them.

They differ between minor versions. A name that this wandb lacks switches its feature off, with a
message that says so; the rest works.
"""

import inspect
from collections.abc import Iterator
from importlib import import_module, metadata
from typing import Any

from caduceus.errors import CaduceusError

TESTED = ("0.30", "0.31")  # minor versions that a test runs an export and a sync with
LOSES_ROWS = (
    "with a version before 0.31, kill -9, the kernel out of memory or a lost node take all rows "
    "since the last 32 KiB of the log; SIGTERM takes none"
)
UPLOAD = "the upload to a W&B server"
DATASETS = "the lineage of datasets"
MEDIA = "the limit on the size of media"
_CONNECTION = "wandb.sdk.lib.service.service_connection:ServiceConnection"
_NAMES = {  # of each feature: MODULE:NAME, where a method's name has that of its class
    UPLOAD: (
        "wandb.sdk.wandb_setup:singleton",
        "wandb.sdk.lib.wbauth:authenticate_session",
        "wandb.sdk.mailbox:HandleAbandonedError",
        "wandb.sdk.mailbox:MailboxClosedError",
        f"{_CONNECTION}.init_sync",
        f"{_CONNECTION}.sync",
        f"{_CONNECTION}.sync_status",
    ),
    DATASETS: (
        "wandb.sdk.artifacts.artifact_manifest_entry:ArtifactManifestEntry",
        "wandb.sdk.wandb_run:Run._log_artifact",
    ),
    MEDIA: ("wandb.sdk.data_types.base_types.media:Media",),
}
_SYNC_ARGUMENTS = {"cwd", "live", "entity", "project", "run_id", "job_type", "tag_replacements"}


def check(feature: str) -> None:
    """Check that wandb has all names of a feature.

    Raises:
        CaduceusError: it lacks one.
    """
    for place in _missing(feature):
        raise CaduceusError(_off(feature, place))


def step(run: Any) -> int:
    """Return the step of the row that a run's next `log` starts or continues."""
    found: int = getattr(run, "_local_step", None) or run.step
    return found


def media_size(value: Any) -> int | None:
    """Return the bytes of media that are to be logged; None of other values."""
    media = _lookup(_NAMES[MEDIA][0])
    return getattr(value, "_size", None) if media and isinstance(value, media) else None


def image_parts(image: Any) -> tuple[str, str | None]:
    """Return the file and the caption of an image that is to be logged."""
    return str(image._path), image._caption


def manifest_entry(**values: Any) -> Any:
    """Make an entry of an artifact's manifest."""
    return _lookup(_NAMES[DATASETS][0])(**values)


def use_new_artifact(run: Any, artifact: Any) -> None:
    """Record that a run uses an artifact that isn't on the server yet.

    `use_artifact` doesn't work offline. This is what it does online with a new artifact; a sync
    marks the artifact as used once it is uploaded.
    """
    run._log_artifact(artifact, aliases=["latest"], is_user_created=True, use_after_commit=True)


def start_service() -> tuple[Any, Any]:
    """Return wandb's set-up of this process, and the connection to its service, wandb-core."""
    setup = _lookup("wandb.sdk.wandb_setup:singleton")()
    authenticate = _lookup("wandb.sdk.lib.wbauth:authenticate_session")
    authenticate(host=setup.settings.base_url, source="sync", no_offline=True)
    return setup, setup.ensure_service()


def service_errors() -> tuple[type[Exception], ...]:
    """Return the errors that the connection to wandb-core raises when that has ended."""
    names = ("HandleAbandonedError", "MailboxClosedError")
    return tuple(_lookup(f"wandb.sdk.mailbox:{name}") for name in names)


def missing_features() -> list[str]:
    """Return a line for each feature that is off, since wandb lacks a name that it needs."""
    return [_off(feature, place) for feature in _NAMES for place in list(_missing(feature))[:1]]


def version() -> str:
    """Return the version of wandb that is installed here."""
    return metadata.version("wandb")


def _missing(feature: str) -> Iterator[str]:
    for place in _NAMES[feature]:
        found = _lookup(place)
        if found is None:
            yield place
        elif place.endswith(".init_sync"):
            lacking = _SYNC_ARGUMENTS - inspect.signature(found).parameters.keys()
            if lacking:
                yield f"{place}({', '.join(sorted(lacking))})"


def _lookup(place: str) -> Any:
    module, _, names = place.partition(":")
    try:
        found: Any = import_module(module)
    except ImportError:
        return None
    for name in names.split("."):
        found = getattr(found, name, None)
    return found


def _off(feature: str, place: str) -> str:
    tested = " or ".join(f"{minor}.*" for minor in TESTED)
    return f"wandb {version()} lacks {place}, so that {feature} is off; install wandb {tested}"
