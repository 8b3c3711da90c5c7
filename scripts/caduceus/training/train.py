"""Training: a program is started as its run, and how it ended is kept."""

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus.errors import ProgramError
from caduceus.io.files import read_json, write_json
from caduceus.runs import command_line, source_code
from caduceus.runs.attempts import (
    Attempt,
    console_path,
    last_sign,
    lost_s,
    read_attempts,
    summarize,
    write_attempt,
)
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import lay_out_further_runs
from caduceus.runs.logs import installed_packages, resumed_from, saved_when, stitch_attempts
from caduceus.sweeps import pruning
from caduceus.system import gpus, leases, processes
from caduceus.system.git import UNKNOWN
from caduceus.system.host import describe_machine
from caduceus.system.wandb_account import find_account
from caduceus.training import failure_reason, scratch, wandb_environment
from caduceus.training.datasets import check_dataset
from caduceus.training.outputs import collect

_HURRY_S = 5.0  # for the courier, when the program was asked to stop
_DELIVERY_S = 3600.0  # otherwise: a large model takes long, and a failing server it gives up itself


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
    gpu_count: int,
    criteria: pruning.TrialCriteria | None = None,
) -> dict[str, Any]:
    """Make one attempt at a run, unless it has finished already, and write train.json.

    Args:
        train_json: results/runs/RUN/train.json; params.json and run.json lie beside it.
        dataset: the record of its dataset, or None.
        log: becomes a link to what the program prints, which is kept for each attempt.
        retries_left: how many more attempts Snakemake makes if this one fails.
        threads: processor threads of the program.
        time_limit_s: seconds after which it has failed; 0 for no limit.
        gpu_count: how many GPUs it gets, of the free ones; it sees no others.
        criteria: how its sweep evaluates it; it may be stopped early.

    Returns:
        What was written: state finished, or failed with no retry left. With `criteria` it has the
        outcome under `trial`.

    Raises:
        ProgramError: the attempt failed, and another one is left; or another host took it over.
        StoppedError: the program was asked to stop.
        DatasetError: the data aren't the declared ones.
        AccountError: online, and there is no account.
        ResourceError: this host hasn't got so many GPUs.
    """
    folder = RunFolder(train_json.parent)
    run_id = folder.path.name

    def wait(where: str) -> None:
        _say(f"{run_id}: an earlier attempt still runs{where}; waiting for it")

    with leases.held(folder.lease, folder.lock, wait) as lease:
        attempts = _settled(folder)
        if attempts and attempts[-1]["state"] == "finished":
            _link(log, console_path(folder.attempts, len(attempts)))
            _say(f"{run_id} has finished already: kept; delete {folder.path} to train it again")
        else:
            if dataset is not None:
                check_dataset(read_json(dataset))
            if Identity.read(folder.run_json).mode == "online":
                find_account()  # that it is right was seen when the run was planned
            with gpus.reserved(gpu_count, should_continue=lease.renew) as reservation:
                attempt = _attempt(
                    folder,
                    attempts,
                    dataset,
                    log,
                    threads,
                    time_limit_s,
                    lease,
                    reservation,
                    criteria,
                )
            attempts.append(attempt)
            if attempt["state"] == "interrupted" and lease.lost_to is not None:
                raise ProgramError(f"{run_id}: {attempt['error']}")
            if attempt["state"] == "interrupted":
                raise StoppedError(f"{run_id}: {attempt['error']}", attempt["interrupted_by"])
            if attempt["state"] == "failed" and retries_left > 0:
                raise ProgramError(f"{run_id}: {attempt['error']}; it will be tried again")
        result = summarize(run_id, attempts)
        if criteria is not None:
            parts, last = stitch_attempts(folder, attempts), attempts[-1]
            server_stopped_it = criteria.assignment is not None and last["was_stopped"]
            has_finished = last["state"] == "finished"
            result["trial"] = criteria.outcome(parts, has_finished, server_stopped_it)
        lay_out_further_runs(folder, result)
        if result["state"] == "finished" and not Identity.read(folder.run_json).keep_checkpoints:
            shutil.rmtree(folder.checkpoints, ignore_errors=True)
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


def _settled(folder: RunFolder) -> list[Attempt]:
    """The run's attempts. One that says it runs was killed, since we hold the lock."""
    attempts = read_attempts(folder.attempts)
    if attempts and (last := attempts[-1])["state"] == "running":
        if last["scratch"] and last["host"] == socket.gethostname():
            home = folder.wandb(last["attempt"])
            scratch.rescue(Path(last["scratch"]), home, folder.path.parent)
        last |= {
            "state": "interrupted",
            "error": "killed together with its supervisor",
            "wall_s": round(last_sign(folder, last), 3),
        }
        _settle(folder, attempts)
    return attempts


def _settle(folder: RunFolder, attempts: Sequence[Attempt]) -> None:
    """Keep what the last attempt went on from, and what of the one before was for nothing."""
    *earlier, last = attempts
    last["resumed_from"] = resumed_from(folder, last, stitch_attempts(folder, earlier))
    if earlier:
        saved_at = saved_when(folder, last)
        earlier[-1]["lost_s"] = lost_s(earlier[-1], last["resumed_from"], saved_at)
        write_attempt(folder.attempts, earlier[-1])
    write_attempt(folder.attempts, last)


def _link(log: Path, console: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    log.symlink_to(os.path.relpath(console, log.parent))


def _attempt(
    folder: RunFolder,
    earlier: Sequence[Attempt],
    dataset: Path | None,
    log: Path,
    threads: int,
    time_limit_s: float,
    lease: leases.Lease,
    reservation: gpus.Reservation,
    criteria: pruning.TrialCriteria | None,
) -> Attempt:
    number = len(earlier) + 1
    definition = Params.read(folder.params_json)
    identity = Identity.read(folder.run_json)
    output = folder.work / "output"
    shutil.rmtree(output, ignore_errors=True)
    for needed in (output, folder.checkpoints, folder.wandb(number)):
        needed.mkdir(parents=True, exist_ok=True)
    source_code.link_entries(Path(), folder.code)
    stay = scratch.borrow(identity.scratch, folder.wandb(number), folder.path.parent)
    environment = wandb_environment.of_run(identity, stay.folder)
    environment |= _environment(folder, number, output, dataset, threads) | reservation.environment
    words = command_line.expand(
        definition.command,
        definition.program,
        {**definition.parameters, "seed": definition.seed},
        (folder.wandb(number) / "parameters.json").absolute(),
    )
    attempt: Attempt = {
        "attempt": number,
        "state": "running",
        "resumed_from": None,
        "lost_s": None,
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "machine": describe_machine(),
        "threads": threads,
        "gpus": reservation.uuids,
        "gpu_models": [model and asdict(model) for model in reservation.models],
        **(read_json(folder.commit) if folder.commit.exists() else UNKNOWN),
        "environment": None,
        "scratch": str(stay.private) if stay.private else None,
        "exit_code": None,
        "signal": None,
        "interrupted_by": None,
        "was_stopped": False,
        "error": None,
        "wall_s": 0.0,
        "cpu_s": None,
        "peak_memory_gb": None,
        "energy_j": None,
        "output": {},
    }
    write_attempt(folder.attempts, attempt)
    console = console_path(folder.attempts, number)
    _link(log, console)
    if rank := wandb_environment.rank():
        _say(f"{rank} is set: the program is taken for one of several, and isn't tracked")

    pruner = criteria.pruner(folder, earlier, attempt) if criteria else None

    def should_continue() -> bool:
        stay.step()
        return lease.renew() and (pruner is None or pruner.should_continue())

    with _courier(folder, identity, attempt, lease), processes.signals_deferred():
        try:
            with stay.brought_home(lease.renew), console.open("wb") as stream:
                outcome = processes.run(
                    words,
                    folder.code,
                    os.environ | environment,
                    stream,
                    time_limit_s,
                    [lease.lock, *reservation.locks],
                    should_continue,
                )
        except processes.StartError as error:
            attempt |= {"state": "failed", "error": str(error)}
            attempt |= {"cpu_s": 0.0, "peak_memory_gb": 0.0}
        else:
            was_stopped = outcome.was_cancelled and pruner is not None and pruner.has_stopped
            attempt |= _ended(outcome, lease.renew(at_once=True), was_stopped)
            attempt["energy_j"] = reservation.meter.used_j()
            program = definition.program
            if attempt["state"] == "finished":
                with leases.renewed(lease):  # there may be much to digest
                    attempt |= collect(folder, attempt, output, program, console)
                if not lease.is_ours():
                    attempt["state"] = "interrupted"
            if attempt["state"] != "finished" and attempt["error"] is None:
                attempt["error"] = failure_reason.reason(
                    program, outcome, time_limit_s, console, lease.lost_to
                )
        for name in source_code.written_links(Path(), folder.code, attempt["started_at"]):
            _say(f"{folder.path.name}: {failure_reason.shared(name)}")
        attempt["environment"] = installed_packages(folder, number)
        _settle(folder, [*earlier, attempt])
    return attempt


def _environment(
    folder: RunFolder, number: int, output: Path, dataset: Path | None, threads: int
) -> dict[str, str]:
    """What a program finds in its environment, apart from wandb's."""
    environment = {
        "CADUCEUS_RUN": str((folder.run_json).absolute()),
        "CADUCEUS_EXPERIMENT": str(folder.experiment.absolute()),
        "CADUCEUS_PROJECT_DIR": str(Path().absolute()),
        "CADUCEUS_OUTPUT_DIR": str(output.absolute()),
        "CADUCEUS_CHECKPOINT_DIR": str(folder.checkpoints.absolute()),
        "CADUCEUS_RESTORED": str(folder.restored(number).absolute()),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    python_path = source_code.snapshot_path(os.environ.get("PYTHONPATH", ""), Path(), folder.code)
    environment["PYTHONPATH"] = wandb_environment.with_shim(python_path)
    if dataset is not None:
        environment["CADUCEUS_DATASET"] = str(dataset.absolute())
    return environment


def _ended(outcome: processes.Outcome, is_ours: bool, was_stopped: bool) -> dict[str, Any]:
    """How an attempt ended, and what it cost; `was_stopped` early, and so has finished."""
    if outcome.interrupted_by is not None or not is_ours:
        state = "interrupted"
    else:
        is_finished = outcome.exit_code == 0 and not outcome.timed_out
        state = "finished" if is_finished or was_stopped else "failed"
    return {
        "state": state,
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "interrupted_by": outcome.interrupted_by,
        "was_stopped": was_stopped,
        "wall_s": round(outcome.wall_s, 3),
        "cpu_s": round(outcome.cpu_s, 3),
        "peak_memory_gb": round(outcome.peak_memory_bytes / 1e9, 3),
    }


@contextmanager
def _courier(
    folder: RunFolder, identity: Identity, attempt: Attempt, lease: leases.Lease
) -> Iterator[None]:
    """Online, bring what the program logs to the server meanwhile.

    It works on the program's log, in a process of its own: whatever becomes of it and the server,
    the program doesn't notice. What it doesn't deliver, a later job or `sync` does.
    """
    if identity.mode != "online":
        yield
        return
    folder.delivery.mkdir(parents=True, exist_ok=True)
    results = folder.results
    words = [sys.executable, "-m", "caduceus", "sync", folder.path.name, "--watch"]
    words += ["--results", str(results), "--patience", str(identity.patience_s)]
    with (folder.delivery / "courier.log").open("ab") as console:
        courier = processes.start(words, console)
        try:
            yield
        finally:
            was_asked_to_stop = attempt["state"] in ("running", "interrupted")
            processes.end(courier, _HURRY_S if was_asked_to_stop else _DELIVERY_S, lease.renew)


def _say(message: str) -> None:
    print(f"caduceus train: {message}", file=sys.stderr)
