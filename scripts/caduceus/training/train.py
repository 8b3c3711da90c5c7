"""Training: the program of a run is started, and how it ended is recorded."""

import shutil
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.errors import ProgramError
from caduceus.io.phrases import listed
from caduceus.runs import source_code
from caduceus.runs.attempts import active_s, console_path, link_log, read_attempts
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.further import lay_out_further_runs
from caduceus.runs.gpu_shares import share_of
from caduceus.runs.left_logs import check_logs
from caduceus.runs.logs import stitch_attempts
from caduceus.runs.training_notes import training_notes
from caduceus.runs.used_files import stale_since
from caduceus.system import gpus, leases
from caduceus.system.shared_folders import open_to_group
from caduceus.system.wandb_account import find_account
from caduceus.training import scratch
from caduceus.training.attempt import Given, make_attempt, say, settle, with_usage
from caduceus.training.datasets import check_dataset
from caduceus.training.environments import ready_environment
from caduceus.training.links import remove_outward_links

if TYPE_CHECKING:
    from caduceus.sweeps.pruning import TrialCriteria

_NAMED = 3  # files in a message


class StoppedError(ProgramError):
    """The program was stopped from outside before it had finished, by the signal `signal`."""

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
    criteria: "TrialCriteria | None" = None,
) -> Train:
    """Make one attempt at a run, unless it has finished already, and write train.json.

    A finished run is trained again if files that it used beyond its code have changed.

    Args:
        train_json: results/runs/RUN/train.json; params.json and run.json are beside it.
        dataset: the record of its dataset, or None.
        log: becomes a link to what the program prints, which is kept for each attempt.
        retries_left: how many more attempts Snakemake makes if this one fails.
        threads: processor threads of the program.
        time_limit_s: seconds after which it has failed; 0 for no limit.
        gpu_count: how many of the free GPUs it gets, and sees no others; with 0 a share of one, if
            its experiment asks for one.
        criteria: how its sweep evaluates it, which may stop it early; None without a sweep.

    Returns:
        What was written: state finished, or failed with no retry left.

    Raises:
        ProgramError: the attempt failed, and another one is left; or another host took it over.
        StoppedError: the program was stopped from outside.
        DatasetError: the data aren't the declared ones.
        AccountError: the run is tracked online, and there is no account.
        ResourceError: this host doesn't have so many GPUs, or the environment of the program isn't
            the one that was made or checked.
        ResultError: the run has finished, and its log isn't what it left.
    """
    folder = RunFolder(train_json.parent)
    run_id = folder.path.name

    def wait(where: str) -> None:
        say(f"{run_id}: an earlier attempt still runs{where}; waiting for it")

    with leases.held(folder.lease, folder.lock, wait) as lease:
        identity = Identity.read(folder.run_json)
        attempts = _read_settled(folder, dataset)
        has_finished = bool(attempts) and attempts[-1].state == "finished"
        if changed := stale_since(folder, attempts):
            say(f"{run_id} is trained again: {listed(changed, _NAMED)} changed since it ran")
            _start_afresh(folder)
        if has_finished and not changed:
            check_logs(folder, attempts)
            link_log(log, console_path(folder.attempts, len(attempts)))
            say(f"{run_id} has finished already: kept; delete {folder.path} to train it again")
        else:
            if dataset is not None:
                check_dataset(DatasetRecord.read(dataset))
            made = ready_environment(identity.experiment, folder.results)
            if identity.mode == "online":
                find_account()  # the key itself was checked when the run was planned
            amount = gpu_count or share_of(identity.experiment)
            with gpus.reserved(amount, should_continue=lease.renew) as reservation:
                given = Given(
                    folder=folder,
                    earlier=attempts,
                    dataset=dataset,
                    log=log,
                    threads=threads,
                    time_limit_s=time_limit_s,
                    lease=lease,
                    reservation=reservation,
                    criteria=criteria,
                    made=made,
                )
                attempts = make_attempt(given)
            for note in training_notes(attempts[-1]):
                say(f"{run_id}: {note}")
            _check_ended(run_id, attempts[-1], lease.lost_to is not None, retries_left)
        result = Train.of(run_id, attempts)
        open_to_group(folder.path)
        if criteria is not None:
            last = attempts[-1]
            outcome = criteria.outcome(
                stitch_attempts(folder, attempts),
                has_finished=last.state == "finished",
                server_stopped_it=criteria.assignment is not None and last.was_stopped,
            )
            result = replace(result, trial=outcome)
        lay_out_further_runs(folder, result)
        remove_outward_links(folder)
        if result.state == "finished" and not identity.keep_checkpoints:
            shutil.rmtree(folder.checkpoints, ignore_errors=True)
        result.write(train_json)
        return result


def _check_ended(run_id: str, attempt: Attempt, is_lost: bool, retries_left: int) -> None:
    """Raise an error unless the attempt decides the run.

    Args:
        run_id: the run.
        attempt: an attempt that has ended.
        is_lost: whether another host took the run over.
        retries_left: how many more attempts Snakemake makes.

    Raises:
        ProgramError: the attempt failed, and another one is left; or another host took it over.
        StoppedError: the program was stopped from outside.
    """
    message = f"{run_id}: {attempt.error}"
    if attempt.state == "interrupted":
        if is_lost or attempt.interrupted_by is None:
            raise ProgramError(message)
        raise StoppedError(message, attempt.interrupted_by)
    # Another attempt would log to the same place, however long it takes.
    if attempt.state == "failed" and not attempt.untracked and retries_left > 0:
        raise ProgramError(f"{message}; it will be tried again")


def retry(run_folders: Iterable[Path]) -> list[str]:
    """Clear every failed run, so that the next `snakemake` tries it again; returns their ids."""
    cleared = []
    for folder in map(RunFolder, run_folders):
        train = Train.read_if_there(folder.train_json)
        if train is None or train.state != "failed":
            continue
        folder.train_json.unlink()
        # A new snapshot of the code is taken: the fix may be in files that the digest leaves out.
        folder.params_json.unlink(missing_ok=True)
        cleared.append(folder.path.name)
    return cleared


def _start_afresh(folder: RunFolder) -> None:
    """Delete what a finished program left, so that the next attempt doesn't resume from it.

    Also the artifacts that were logged for it, which are those of another model and results, and
    their receipt.
    """
    shutil.rmtree(folder.checkpoints, ignore_errors=True)
    folder.upload_json.unlink(missing_ok=True)
    shutil.rmtree(folder.wandb("upload"), ignore_errors=True)
    source_code.delete_leftovers(folder.code)


def _read_settled(folder: RunFolder, dataset: Path | None) -> list[Attempt]:
    """Read the run's attempts; one that is recorded as running was killed, as we hold the lease."""
    attempts = read_attempts(folder.attempts)
    if not attempts or attempts[-1].state != "running":
        return attempts
    last = attempts[-1]
    if last.scratch and last.host == socket.gethostname():
        scratch.recover(Path(last.scratch), folder.wandb(last.number), folder.path.parent)
    killed = replace(
        last,
        state="interrupted",
        error="killed together with its supervisor",
        wall_s=last.wall_s or round(active_s(folder, last), 3),  # a merge has recorded it
    )
    return settle(folder, [*attempts[:-1], with_usage(folder, killed, dataset)])
