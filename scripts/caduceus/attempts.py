"""The attempts of a run, one small file each: what was tried, how it ended, what it cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caduceus.files import read_json, write_json

# state: running, finished, failed (the program's own doing), interrupted (asked to stop, or killed
# from outside: no failure).
Attempt = dict[str, Any]


def read_attempts(folder: Path) -> list[Attempt]:
    """Every attempt, oldest first."""
    if not folder.is_dir():
        return []
    paths = sorted(folder.glob("[0-9]*.json"), key=lambda path: int(path.stem))
    return [read_json(path) for path in paths]


def console_path(folder: Path, number: int) -> Path:
    """What the program printed in an attempt."""
    return folder / f"{number}.log"


def write_attempt(folder: Path, attempt: Attempt) -> None:
    """Write an attempt under its number."""
    write_json(folder / f"{attempt['attempt']}.json", attempt)


def summarize(run_id: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The run as train.json holds it.

    Returns:
        `run`, `state` (finished or failed), `exit_code`, `error` (one line or null), `output` (the
        files the program left: bytes and sha256), `compute` (sums over all attempts: `wall_s` and
        `cpu_s` in seconds, `peak_memory_gb` in 10^9 bytes) and `attempts`.
    """
    last = attempts[-1]
    return {
        "run": run_id,
        "state": last["state"],
        "exit_code": last["exit_code"],
        "error": last["error"],
        "output": last["output"],
        "compute": {
            "wall_s": round(sum(attempt["wall_s"] for attempt in attempts), 3),
            "cpu_s": round(sum(attempt["cpu_s"] for attempt in attempts), 3),
            "peak_memory_gb": max(attempt["peak_memory_gb"] for attempt in attempts),
        },
        "attempts": list(attempts),
    }
