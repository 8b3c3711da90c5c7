"""Reads W&B's own log, the `.wandb` file of a run: every row, without a server and without wandb.

    from caduceus.wandb_log import read_log

    segment = read_log(path)
    for row in segment.history:   # rows in the order they were written
        row["train/loss"]         # JSON text, exactly as it was logged

One file is one segment: what one process wrote to a run.
"""

from caduceus.wandb_log.framing import Damage, LogError
from caduceus.wandb_log.reading import follow, iter_rows, read_log
from caduceus.wandb_log.records import (
    Artifact,
    ArtifactFile,
    Output,
    Row,
    RunHeader,
    Segment,
    StatsSample,
)
from caduceus.wandb_log.stitching import Part, find_logs, gaps, group_by_run, kept_rows, stitch
from caduceus.wandb_log.writing import write_stitched

__all__ = [
    "Artifact",
    "ArtifactFile",
    "Damage",
    "LogError",
    "Output",
    "Part",
    "Row",
    "RunHeader",
    "Segment",
    "StatsSample",
    "find_logs",
    "follow",
    "gaps",
    "group_by_run",
    "iter_rows",
    "kept_rows",
    "read_log",
    "stitch",
    "write_stitched",
]
