"""Read and write W&B's log, the `.wandb` file of a run: every row, with neither server nor wandb.

    from caduceus.wandb_log import find_logs, group_by_run, iter_run, read_log, stitch

    segment = read_log(path)
    for row in segment.history:   # rows in the order they were written
        row["train/loss"]         # JSON text, exactly as it was logged

One file is one segment: all that one process wrote to a run. A resumed run has several:

    runs, unreadable = group_by_run(find_logs(Path("wandb")))
    for row in iter_run(stitch(runs["abc123"])):
        ...

| | |
|---|---|
| `read_log` | a file → a `Segment`: rows, summary, config, system metrics, console, artifacts, … |
| `iter_rows` | a file → its rows, one at a time, so that memory holds one row |
| `columns.iter_batches` | a large file → batches of rows in columns, read with numpy |
| `follow` | a file that grows → its rows, as they are written |
| `find_logs`, `group_by_run` | a folder → the logs of each run |
| `stitch`, `iter_run` | the logs of a run → the rows of each that belong to the run |
| `write_stitched` | the logs of a run → one log, which the SDK syncs to exactly these rows |
| `follow_stitched` | the same, while the last log is still being written |

A row maps the name of a metric to JSON text. Times are in seconds since 1970. A file that isn't a
`.wandb` log raises `LogError`; a damaged log is read as far as possible, and `Segment.damage`
counts what is lost.

Formats: the file is W&B's variant of a LevelDB log (core/pkg/leveldb/record.go in
github.com/wandb/wandb), each record a Protocol Buffers message (wandb/proto/wandb_internal.proto).
"""

from caduceus.wandb_log.framing import Damage, LogError, is_empty
from caduceus.wandb_log.reading import RowWatch, follow, iter_rows, read_log
from caduceus.wandb_log.resuming import goes_on_at
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
