"""work/delivery.json of a run: whether the server has what the run logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.json_records import Record
from caduceus.runs.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class SyncRecord(Record):
    """How the last upload of a run went.

    Attributes:
        state: `delivered`, `differs` (uploaded, but the server's copy isn't equal) or `pending`.
        server: the server's URL.
        path: the run's path on the server, ENTITY/PROJECT/RUN.
        logs: the bytes of each log that was uploaded, by its path in the run's folder.
        error: why the upload is pending, in one line.
        differences: each difference between the server's copy and the run's logs.
        updated_at: when the server's copy last changed, by the server's clock, as of the comparison
            with the logs.
    """

    state: str
    server: str
    path: str
    logs: Mapping[str, int]
    error: str | None = None
    differences: tuple[str, ...] = ()
    updated_at: str | None = None

    mend = "delete it, and `snakemake --cores 1 sync` writes it again"

    @property
    def is_synced(self) -> bool:
        """Whether the server's copy equalled the run's logs."""
        return self.state == "delivered"


def sync_record_path(folder: RunFolder) -> Path:
    """Return the path of a run's sync record."""
    return folder.work / "delivery.json"


def read_sync_record(folder: RunFolder) -> SyncRecord | None:
    """Read a run's sync record; None if no upload was tried."""
    return SyncRecord.read_if_there(sync_record_path(folder))


def answer_of(synced: tuple[RunFolder, SyncRecord]) -> dict[str, object]:
    """Return how a run stands on the server, for `caduceus sync --json`."""
    folder, record = synced
    names = ("state", "server", "path", "error", "differences")
    return {"run": folder.path.name} | {name: getattr(record, name) for name in names}
