"""The attempts of a run, one small file each: what was tried, how it ended, what it cost."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from caduceus.io.files import files_below, read_json, write_json
from caduceus.runs.folder import RunFolder

# state: running, finished, failed (the program's own doing), interrupted (asked to stop, or killed
# from outside: no failure). What it cost is null where nobody was left to measure it.
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


def last_sign(folder: RunFolder, attempt: Attempt) -> float:
    """Seconds from an attempt's start to the last time its program wrote anything we know of."""
    number = attempt["attempt"]
    known = [console_path(folder.attempts, number), *files_below(folder.wandb(number))]
    written = [path.stat().st_mtime for path in known if path.exists()]
    started = datetime.fromisoformat(attempt["started_at"]).timestamp()
    return max(0.0, max(written, default=started) - started)


def lost_s(attempt: Attempt, next_from: int | None, saved_at: float | None) -> float | None:
    """How many seconds of an attempt were for nothing.

    Args:
        attempt: one that another one followed.
        next_from: the step which that one went on from; None if it began afresh.
        saved_at: when the checkpoint that it restored was saved, in seconds since 1970.

    Returns:
        All after the checkpoint; None if it isn't known when that was saved.
    """
    wall_s: float = attempt["wall_s"]
    if next_from is None:
        return wall_s
    if saved_at is None:
        return None
    started = datetime.fromisoformat(attempt["started_at"]).timestamp()
    return round(min(wall_s, max(0.0, started + wall_s - saved_at)), 3)


def summarize(run_id: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The run as train.json holds it.

    Returns:
        `run`, `state` (finished or failed), `exit_code`, `error` (one line or null), `output` (the
        files the program left: bytes and sha256), `compute` (sums over all attempts: `wall_s`,
        `cpu_s`, `gpu_s`, the time its GPUs were taken, and `lost_s`, the time that was for nothing,
        in seconds; `peak_memory_gb` in 10^9
        bytes) and `attempts`.
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
            "cpu_s": round(sum(attempt["cpu_s"] or 0 for attempt in attempts), 3),
            "lost_s": round(sum(attempt["lost_s"] or 0 for attempt in attempts), 3),
            "gpu_s": round(sum(gpu_seconds(attempt) for attempt in attempts), 3),
            "peak_memory_gb": max(attempt["peak_memory_gb"] or 0 for attempt in attempts),
        },
        "attempts": list(attempts),
    }


def summarize_nothing(run_id: str) -> dict[str, Any]:
    """The same of a run that was skipped: no attempt was made, and none is needed."""
    compute = {"wall_s": 0.0, "cpu_s": 0.0, "lost_s": 0.0, "gpu_s": 0.0, "peak_memory_gb": 0.0}
    return {
        "run": run_id,
        "state": "skipped",
        "exit_code": None,
        "error": None,
        "output": {},
        "compute": compute,
        "attempts": [],
    }


def gpu_seconds(attempt: Attempt) -> float:
    """The time for which an attempt had its GPUs to itself, summed over them, in seconds."""
    seconds: float = attempt["wall_s"] * len(attempt["gpus"])
    return seconds
