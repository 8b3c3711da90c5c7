"""Reads W&B's own log, the `.wandb` file of a run: every row, without a server and without wandb.

    from caduceus.wandb_log import read_log

    segment = read_log(path)
    for row in segment.history:   # rows in the order they were written
        row["train/loss"]         # JSON text, exactly as it was logged

One file is one segment: what one process wrote to a run.
"""

from caduceus.wandb_log.framing import Damage, LogError
from caduceus.wandb_log.segment import (
    Artifact,
    ArtifactFile,
    RunHeader,
    Segment,
    StatsSample,
    read_log,
)

__all__ = [
    "Artifact",
    "ArtifactFile",
    "Damage",
    "LogError",
    "RunHeader",
    "Segment",
    "StatsSample",
    "read_log",
]
