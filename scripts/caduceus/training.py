"""Training: a program is started as its run, and how it ended is kept."""

import fcntl
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus import macros, processes, sources, wandb_environment
from caduceus.accounts import find_account
from caduceus.attempts import Attempt, console_path, read_attempts, summarize, write_attempt
from caduceus.datasets import check_dataset
from caduceus.errors import ProgramError
from caduceus.files import describe, files_below, read_json, write_json
from caduceus.runs import RunFolder

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOG_CLOSES_S = 1.0  # wandb-core outlives a program that is killed by half a second, and writes
_HURRY_S = 5.0  # for the courier, when the program was asked to stop
_DELIVERY_S = 3600.0  # otherwise: a large model takes long, and a failing server it gives up itself
_TAIL_BYTES = 16384  # of the console, in which the last line is looked for


class StoppedError(ProgramError):
    """The program was asked to stop before it had finished; `signal` says by which signal."""

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.signal = number


def train(
    train_json: Path,
    dataset: Path | None,
    log: Path,
    retries_left: int,
    threads: int,
    time_limit_s: float,
) -> dict[str, Any]:
    """Make one attempt at a run, unless it has finished already, and write train.json.

    Args:
        train_json: results/runs/RUN/train.json; params.json and run.json lie beside it.
        dataset: the record of its dataset, or None.
        log: becomes a link to what the program prints, which is kept for each attempt.
        retries_left: how many more attempts Snakemake makes if this one fails.
        threads: processor threads of the program.
        time_limit_s: seconds after which it has failed; 0 for no limit.

    Returns:
        What was written: state finished, or failed with no retry left.

    Raises:
        ProgramError: the attempt failed, and another one is left.
        StoppedError: the program was asked to stop.
        DatasetError: the data aren't the declared ones.
        AccountError: online, and there is no account.
    """
    folder = RunFolder(train_json.parent)
    run_id = folder.path.name
    with _locked(folder) as lock:
        attempts = _settled(folder)
        if attempts and attempts[-1]["state"] == "finished":
            _link(log, console_path(folder.attempts, len(attempts)))
            _say(f"{run_id} has finished already: kept; delete {folder.path} to train it again")
        else:
            if dataset is not None:
                check_dataset(read_json(dataset))
            if read_json(folder.path / "run.json")["mode"] == "online":
                find_account()  # that it is right was seen when the run was planned
            attempt = _attempt(folder, len(attempts) + 1, dataset, log, threads, time_limit_s, lock)
            attempts.append(attempt)
            if attempt["state"] == "interrupted":
                raise StoppedError(f"{run_id}: {attempt['error']}", attempt["interrupted_by"])
            if attempt["state"] == "failed" and retries_left > 0:
                raise ProgramError(f"{run_id}: {attempt['error']}; it will be tried again")
        result = summarize(run_id, attempts)
        write_json(train_json, result)
        return result


def retry(run_folders: Iterable[Path]) -> list[str]:
    """Clear every failed run, so that the next `snakemake` tries it again; returns their ids."""
    cleared = []
    for path in run_folders:
        train_json = path / "train.json"
        if not train_json.is_file() or read_json(train_json)["state"] != "failed":
            continue
        train_json.unlink()
        # The snapshot of the code is taken anew: the mend may lie in what the digest doesn't cover.
        (path / "params.json").unlink(missing_ok=True)
        cleared.append(path.name)
    return cleared


@contextmanager
def _locked(folder: RunFolder) -> Iterator[int]:
    """Hold the run's lock, which its program holds too: after a crash of ours it may still run."""
    folder.work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"{folder.path.name}: an earlier attempt still runs; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _settled(folder: RunFolder) -> list[Attempt]:
    """The run's attempts. One that says it runs was killed, since we hold the lock."""
    attempts = read_attempts(folder.attempts)
    for attempt in attempts:
        if attempt["state"] == "running":
            attempt |= {
                "state": "interrupted",
                "error": "killed together with its supervisor",
                "wall_s": round(_last_sign(folder, attempt), 3),
            }
            write_attempt(folder.attempts, attempt)
    return attempts


def _last_sign(folder: RunFolder, attempt: Attempt) -> float:
    """Seconds from the attempt's start to the last time its program wrote anything we know of."""
    number = attempt["attempt"]
    known = [console_path(folder.attempts, number), *files_below(folder.wandb(number))]
    written = [path.stat().st_mtime for path in known if path.exists()]
    started = datetime.fromisoformat(attempt["started_at"]).timestamp()
    return max(0.0, max(written, default=started) - started)


def _link(log: Path, console: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    log.symlink_to(os.path.relpath(console, log.parent))


def _attempt(
    folder: RunFolder,
    number: int,
    dataset: Path | None,
    log: Path,
    threads: int,
    time_limit_s: float,
    lock: int,
) -> Attempt:
    definition = read_json(folder.path / "params.json")
    identity = read_json(folder.path / "run.json")
    output = folder.work / "output"
    shutil.rmtree(output, ignore_errors=True)
    for needed in (output, folder.checkpoints, folder.wandb(number)):
        needed.mkdir(parents=True, exist_ok=True)
    sources.link_entries(Path(), folder.code)
    environment = wandb_environment.of_run(identity, folder.wandb(number))
    environment |= _environment(folder, output, dataset, threads)
    words = macros.expand(
        definition["command"],
        definition["program"],
        definition["parameters"] | {"seed": definition["seed"]},
        (folder.wandb(number) / "parameters.json").absolute(),
    )
    attempt: Attempt = {
        "attempt": number,
        "state": "running",
        "resumed_from": None,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "exit_code": None,
        "signal": None,
        "interrupted_by": None,
        "error": None,
        "wall_s": 0.0,
        "cpu_s": 0.0,
        "peak_memory_gb": 0.0,
        "output": {},
    }
    write_attempt(folder.attempts, attempt)
    console = console_path(folder.attempts, number)
    _link(log, console)
    with _courier(folder, identity, attempt):
        try:
            with console.open("wb") as stream:
                outcome = processes.run(
                    words, folder.code, os.environ | environment, stream, time_limit_s, [lock]
                )
        except processes.StartError as error:
            attempt |= {"state": "failed", "error": str(error)}
        else:
            attempt |= _ended(outcome)
            if attempt["state"] == "finished":
                shutil.rmtree(folder.output, ignore_errors=True)
                output.rename(folder.output)
                attempt["output"] = describe(folder.output, files_below(folder.output))
            else:
                reason = _reason(definition["program"], outcome, time_limit_s, console)
                attempt["error"] = reason
        write_attempt(folder.attempts, attempt)
    return attempt


def _environment(
    folder: RunFolder, output: Path, dataset: Path | None, threads: int
) -> dict[str, str]:
    """What a program finds in its environment, apart from wandb's."""
    environment = {
        "CADUCEUS_RUN": str((folder.path / "run.json").absolute()),
        "CADUCEUS_EXPERIMENT": str(folder.experiment.absolute()),
        "CADUCEUS_PROJECT_DIR": str(Path().absolute()),
        "CADUCEUS_OUTPUT_DIR": str(output.absolute()),
        "CADUCEUS_CHECKPOINT_DIR": str(folder.checkpoints.absolute()),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    if python_path := os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] = sources.snapshot_path(python_path, Path(), folder.code)
    if dataset is not None:
        environment["CADUCEUS_DATASET"] = str(dataset.absolute())
    return environment


def _ended(outcome: processes.Outcome) -> dict[str, Any]:
    """How an attempt ended, and what it cost."""
    if outcome.signal is not None:
        time.sleep(_LOG_CLOSES_S)
    if outcome.interrupted_by is not None:
        state = "interrupted"
    else:
        is_finished = outcome.exit_code == 0 and not outcome.timed_out
        state = "finished" if is_finished else "failed"
    return {
        "state": state,
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "interrupted_by": outcome.interrupted_by,
        "wall_s": round(outcome.wall_s, 3),
        "cpu_s": round(outcome.cpu_s, 3),
        "peak_memory_gb": round(outcome.peak_memory_bytes / 1e9, 3),
    }


@contextmanager
def _courier(folder: RunFolder, identity: Mapping[str, Any], attempt: Attempt) -> Iterator[None]:
    """Online, bring what the program logs to the server meanwhile.

    It works on the program's log, in a process of its own: whatever becomes of it and the server,
    the program doesn't notice. What it doesn't deliver, a later job or `sync` does.
    """
    if identity["mode"] != "online":
        yield
        return
    folder.delivery.mkdir(parents=True, exist_ok=True)
    results = folder.path.parents[1]
    words = [sys.executable, "-m", "caduceus", "sync", folder.path.name, "--watch"]
    words += ["--results", str(results), "--patience", str(identity["patience_s"])]
    with (folder.delivery / "courier.log").open("ab") as console:
        courier = processes.start(words, console)
        try:
            yield
        finally:
            was_asked_to_stop = attempt["state"] in ("running", "interrupted")
            processes.end(courier, _HURRY_S if was_asked_to_stop else _DELIVERY_S)


def _reason(
    program: str,
    outcome: processes.Outcome,
    time_limit_s: float,
    console: Path,
) -> str:
    """Why a program didn't finish, in one line."""
    if outcome.interrupted_by is not None:
        how = f"stopped by {processes.signal_name(outcome.interrupted_by)}"
    elif outcome.timed_out:
        how = f"ended at its time limit of {time_limit_s / 60:g} minutes (resources.runtime)"
    elif outcome.signal is not None:
        how = f"killed by {processes.signal_name(outcome.signal)}"
        if processes.signal_name(outcome.signal) == "SIGKILL":
            how += ", often for want of memory"
    else:
        how = f"exited with {outcome.exit_code}"
    with console.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, end - _TAIL_BYTES))
        lines = _COLOUR.sub("", stream.read().decode(errors="replace")).splitlines()
    spoken = [line.strip() for line in lines if line.strip() and not line.startswith("wandb:")]
    last = f": {spoken[-1][:300]}" if spoken else ""
    return f"{program} {how}{last}; see {console}"


def _say(message: str) -> None:
    print(f"caduceus train: {message}", file=sys.stderr)
