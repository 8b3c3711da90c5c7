"""Reads W&B's own log, the `.wandb` file of a run: every row, without a server and without wandb.

    from caduceus.wandb_log import find_logs, group_by_run, iter_run, read_log, stitch

    segment = read_log(path)
    for row in segment.history:   # rows in the order they were written
        row["train/loss"]         # JSON text, exactly as it was logged

One file is one segment: what one process wrote to a run. A run has several if it was resumed:

    runs, unreadable = group_by_run(find_logs(Path("wandb")))
    for row in iter_run(stitch(runs["abc123"])):
        ...

| | |
|---|---|
| `read_log` | a file → a `Segment`: rows, summary, config, system metrics, console, artifacts, … |
| `iter_rows` | the same, row by row, in the memory of one row |
| `columns.iter_batches` | the same by numpy, for large logs: a `Batch` of many rows, by columns |
| `follow` | rows as they are written |
| `find_logs`, `group_by_run` | the logs of each run |
| `stitch`, `iter_run` | what of each segment belongs to its run |
| `write_stitched` | the segments of a run as one log, which the SDK syncs to exactly its rows |
| `follow_stitched` | the same while the last of them is being written |

A row maps a metric's name to JSON text; times are seconds since 1970. Whatever is wrong with a file
is a `LogError` if it isn't a log at all, and counted in `Segment.damage` otherwise.
"""

from caduceus.wandb_log.framing import Damage, LogError, is_empty
from caduceus.wandb_log.reading import RowWatch, follow, iter_rows, read_log
from caduceus.wandb_log.rewriting import Held, follow_stitched, write_stitched
from caduceus.wandb_log.segments import (
    Artifact,
    ArtifactFile,
    Output,
    Row,
    RunHeader,
    Segment,
    StatsSample,
)
from caduceus.wandb_log.stitching import (
    Part,
    find_logs,
    gaps,
    goes_on_at,
    group_by_run,
    has_ended,
    has_rows,
    iter_run,
    kept_rows,
    read_head,
    stitch,
)
from caduceus.wandb_log.writing import LogWriter

__all__ = [
    "Artifact",
    "ArtifactFile",
    "Damage",
    "Held",
    "LogError",
    "LogWriter",
    "Output",
    "Part",
    "Row",
    "RowWatch",
    "RunHeader",
    "Segment",
    "StatsSample",
    "find_logs",
    "follow",
    "follow_stitched",
    "gaps",
    "goes_on_at",
    "group_by_run",
    "has_ended",
    "has_rows",
    "is_empty",
    "iter_rows",
    "iter_run",
    "kept_rows",
    "read_head",
    "read_log",
    "stitch",
    "write_stitched",
]
