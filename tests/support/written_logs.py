"""Logs of attempts at a run, whole ones and those that were damaged later."""

from pathlib import Path

from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import left_logs
from run_files import attempt
from wandb_logs import field, framed, history, record

ROW = {("_step",): "0", ("loss",): "0.5"}
HEADER = 7  # bytes of a log before its first record


def content(rows: int, has_end: bool = True, run: str = "RUN") -> bytes:
    """A log with this number of rows."""
    records = [record(1, 17, field(1, run))]
    records += [history(2 + n, ROW | {("_step",): str(n)}) for n in range(rows)]
    return framed([*records, record(2 + rows, 18, field(1, 0))] if has_end else records)


def log(folder: RunFolder, number: int | str, data: bytes, run: str = "RUN") -> Path:
    """Write a log of an attempt."""
    path = folder.wandb(number) / f"wandb/offline-run-{number}-{run}/run-{run}.wandb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def ended(folder: RunFolder, number: int, state: str) -> Attempt:
    """An attempt that has left the logs that are there."""
    return attempt(number, state=state, logs=left_logs(folder, number))


WHOLE = content(4)
CHANGED = {  # other contents, by how they differ from WHOLE
    "a hundred bytes": WHOLE[:100],
    "at the border of a record": content(2, has_end=False),
    "inside a record": content(2, has_end=False)[:-5],
    "the last rows": content(3, has_end=False),
    "the end alone": content(4, has_end=False),
    "the header": WHOLE[:HEADER],
    "nothing": b"",
    "zeros at the end": WHOLE[:-40] + bytes(40),
    "zeros behind the end": WHOLE + bytes(40),
    "another byte": WHOLE[:60] + bytes([WHOLE[60] ^ 1]) + WHOLE[61:],
    "another run": content(4, run="RUM"),
    "a row more": content(5),
}
