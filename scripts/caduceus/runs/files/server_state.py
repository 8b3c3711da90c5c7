"""server.json: how far a run has come on a W&B server."""

from dataclasses import dataclass

from caduceus.io.json_records import Record
from caduceus.runs.wandb_paths import RunPath

SKIPPED = "skipped"  # a state that W&B doesn't have: its sweep doesn't need the run


@dataclass(frozen=True, kw_only=True)
class ServerState(Record):
    """The content of server.json. It is written only when it changes, as exports depend on it.

    Attributes:
        path: the run.
        group: its W&B group; empty if it has none.
        state: running, finished, failed, crashed, ... as W&B names it, or `SKIPPED`.
        rows: the number of rows in its history.
        last_step: the step of the last row; -1 before the first.
        updated_at: the server's time of the last change; that of the last heartbeat on a server
            that doesn't report it.
    """

    path: RunPath
    group: str
    state: str
    rows: int
    last_step: int
    updated_at: str

    mend = "delete it, and `snakemake --cores 1 refresh` asks the server again"
