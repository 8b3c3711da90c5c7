"""One attempt at a run: its program is prepared, watched until it ends, and the end is recorded."""

import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.errors import ProgramError
from caduceus.io.files import read_if_there
from caduceus.runs import command_line, source_code
from caduceus.runs.attempts import console_path, link_log, lost_s, write_attempt
from caduceus.runs.files.attempt import Attempt, Gpu, Machine
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.environment import MadeEnvironment
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import left_logs
from caduceus.runs.logs import installed_packages, saved_when, with_resumption
from caduceus.system import gpus, leases, processes, stop_signals
from caduceus.system.host import describe_machine
from caduceus.training import failure_reason, wandb_environment
from caduceus.training.earlier_results import shown_before
from caduceus.training.environments import environment_variables, words_inside
from caduceus.training.outputs import collect
from caduceus.training.preloading import fork_program, recording_variables, remember_imports
from caduceus.training.program_environment import program_environment
from caduceus.training.scratch import Scratch, open_scratch
from caduceus.training.tracked import record_tracking
from caduceus.training.usage import beyond_the_code, read_usage
from caduceus.training.working_folder import written_links

if TYPE_CHECKING:
    from caduceus.sweeps.pruning import TrialCriteria

_HURRY_S = 5.0  # for the uploader to end, when the program was stopped from outside
_UPLOAD_S = 3600.0  # otherwise: a large model takes long; of a failing server it gives up itself


@dataclass(frozen=True)
class Given:
    """The inputs of an attempt.

    Attributes:
        folder: the run's folder.
        earlier: the attempts before it, oldest first.
        dataset: the record of the run's dataset, or None.
        log: becomes a link to what the program prints.
        threads: processor threads of the program.
        time_limit_s: seconds after which it has failed; 0 for no limit.
        lease: our lease of the run.
        reservation: the GPUs of the program.
        criteria: how the run's sweep evaluates it; None without a sweep.
        made: the environment that the experiment names; None if Caduceus's own serves.
    """

    folder: RunFolder
    earlier: Sequence[Attempt]
    dataset: Path | None
    log: Path
    threads: int
    time_limit_s: float
    lease: leases.Lease
    reservation: gpus.Reservation
    criteria: "TrialCriteria | None"
    made: MadeEnvironment | None = None

    @property
    def number(self) -> int:
        """The number of the attempt, counted from 1."""
        return len(self.earlier) + 1

    @property
    def console(self) -> Path:
        """The file that keeps what the program prints."""
        return console_path(self.folder.attempts, self.number)

    @property
    def output(self) -> Path:
        """The folder into which the program writes its results."""
        return self.folder.program_output


@dataclass(frozen=True)
class _Program:
    """A program that is ready to be started: its attempt, its definition and its environment."""

    attempt: Attempt
    definition: Params
    environment: dict[str, str]
    scratch: Scratch

    @property
    def name(self) -> str:
        """The program's path in the project."""
        return self.definition.program


def make_attempt(given: Given) -> list[Attempt]:
    """Start the program, wait until it ends, and return all attempts as they are now recorded.

    Raises:
        ResultError: what it logged can't be copied from the scratch disk.
        ResourceError: the scratch disk can't be used.
    """
    folder, identity = given.folder, Identity.read(given.folder.run_json)
    program = _prepare(given, identity)
    link_log(given.log, given.console)
    if rank := wandb_environment.rank():
        say(f"{rank} is set: the program counts as one of several processes and isn't tracked")
    with _uploading(given, identity) as has_ended, stop_signals.signals_deferred():
        attempt = _watch(given, program)
        if attempt.state != "interrupted":
            has_ended.set()
        for name in written_links(Path(), folder.code, attempt.started_at or ""):
            say(f"{folder.path.name}: {failure_reason.shared(name)}")
        with leases.renewed(given.lease):  # there may be much to digest
            remember_imports(folder, given.number, program.name)
            attempt = with_usage(folder, attempt, given.dataset)
        for line in beyond_the_code(attempt.usage):
            say(f"{folder.path.name}: {line}", given.console)
        attempt = replace(attempt, environment=installed_packages(folder, given.number))
        return settle(folder, [*given.earlier, attempt])


def _prepare(given: Given, identity: Identity) -> _Program:
    """Make the folders of the program, and write down that its attempt runs."""
    folder, number, gpu = given.folder, given.number, given.reservation
    definition = Params.read(folder.params_json)
    shutil.rmtree(given.output, ignore_errors=True)
    for needed in (given.output, folder.checkpoints, folder.wandb(number), folder.used(number)):
        needed.mkdir(parents=True, exist_ok=True)
    source_code.link_entries(Path(), folder.code)
    scratch = open_scratch(identity.scratch, folder.wandb(number), folder.path.parent)
    named = replace(identity, config=definition.named_config(identity.config))
    environment = wandb_environment.of_run(named, scratch.folder)
    environment["CADUCEUS_SEED"] = str(definition.seed)
    commit = read_if_there(folder.commit, "delete it; the commit of the code is then unknown")
    attempt = Attempt(
        attempt=number,
        state="running",
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        host=socket.gethostname(),
        pid=os.getpid(),
        machine=Machine(**describe_machine()),
        threads=given.threads,
        gpus=tuple(gpu.uuids),
        gpu_models=tuple(Gpu(**asdict(model)) if model else None for model in gpu.models),
        gpu_share=gpu.share,
        commit=commit.get("commit"),
        is_dirty=commit.get("is_dirty"),
        scratch=str(scratch.private) if scratch.private else None,
        got_seed=False if definition.seed_argument is None else None,
        shown_before=None if given.earlier else shown_before(folder, identity),
        wall_s=0.0,
        program_environment=given.made.recorded if given.made else None,
    )
    write_attempt(folder.attempts, attempt)
    environment |= program_environment(folder, number, given.threads, given.dataset)
    environment |= environment_variables(given.made, os.environ)
    environment |= gpu.environment | recording_variables(folder)
    return _Program(attempt, definition, environment, scratch)


def _words(given: Given, program: _Program) -> list[str]:
    """Return the words of the program's command line.

    Raises:
        ProgramError: the command needs a variable that isn't set.
    """
    folder, definition = given.folder, program.definition
    try:
        words = command_line.expand(
            definition.command,
            definition.program,
            definition.parameters,
            (folder.wandb(given.number) / "parameters.json").absolute(),
            os.environ | program.environment,
            definition.seed_by_argument,
            given.made.interpreter if given.made else None,
        )
        words = command_line.with_hidden_programs(words)
        has_gpus = bool(given.reservation.uuids)
        return words_inside(
            given.made, words, folder, program.scratch.folder, given.dataset, has_gpus
        )
    except command_line.MacroError as error:
        from caduceus.project.command_checks import place_of_word  # yaml, which others don't need

        plan = folder.results / f"experiments/{Identity.read(folder.run_json).experiment}.json"
        where = place_of_word(folder.experiment, plan, error.index)
        raise ProgramError(f"command: {error}", where) from None


def _watch(given: Given, program: _Program) -> Attempt:
    """Run the program until it ends, is stopped, or another host takes the run over."""
    attempt, lease, gpu = program.attempt, given.lease, given.reservation
    criteria = given.criteria
    pruner = criteria.pruner(given.folder, given.earlier, attempt) if criteria else None

    def should_continue() -> bool:
        program.scratch.step()
        return lease.renew() and (pruner is None or pruner.should_continue())

    def should_wait() -> bool:
        return lease.renew() and not stop_signals.is_asked_to_stop()

    try:
        with program.scratch.copied_back(lease.renew), given.console.open("wb") as stream:
            words, environment = _words(given, program), os.environ | program.environment
            inherited = [lease.lock, *gpu.locks]
            forked, start = fork_program(
                given.folder, program.name, words, environment, stream, inherited, should_wait, say
            )
            if start:
                attempt = replace(attempt, start=start)
                write_attempt(given.folder.attempts, attempt)
            outcome = processes.run(
                words,
                given.folder.code,
                environment,
                stream,
                given.time_limit_s,
                inherited,
                should_continue,
                forked=forked,
            )
    except ProgramError as error:  # the program wasn't started
        return replace(attempt, state="failed", error=str(error), cpu_s=0.0, peak_memory_gb=0.0)
    was_stopped = outcome.was_cancelled and pruner is not None and pruner.has_stopped
    attempt = _ended(attempt, outcome, lease.renew(at_once=True), was_stopped)
    attempt = replace(attempt, energy_j=gpu.meter.used_j())
    if attempt.state == "finished":
        with leases.renewed(lease):  # there may be much to digest
            attempt = collect(given.folder, attempt, given.output, program.name, given.console)
        if attempt.state == "finished":
            attempt = record_tracking(given.folder, attempt, program.name)
        if not lease.is_ours():
            attempt = replace(attempt, state="interrupted")
    if attempt.state != "finished" and attempt.error is None:
        reason = failure_reason.reason(
            program.name, outcome, given.time_limit_s, given.console, lease.lost_to
        )
        attempt = replace(attempt, error=reason)
    return attempt


def _ended(
    attempt: Attempt, outcome: processes.Outcome, is_ours: bool, was_stopped: bool
) -> Attempt:
    """Record how the program ended and what it cost.

    Args:
        attempt: as it was when it started.
        outcome: how the program ended.
        is_ours: whether we still hold the run's lease.
        was_stopped: whether the run's sweep stopped it early, which counts as finished.
    """
    if outcome.interrupted_by is not None or not is_ours:
        state = "interrupted"
    else:
        is_finished = outcome.exit_code == 0 and not outcome.timed_out
        state = "finished" if is_finished or was_stopped else "failed"
    return replace(
        attempt,
        state=state,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        interrupted_by=outcome.interrupted_by,
        was_stopped=was_stopped,
        wall_s=round(outcome.wall_s, 3),
        cpu_s=round(outcome.cpu_s, 3),
        peak_memory_gb=round(outcome.peak_memory_bytes / 1e9, 3),
    )


def settle(folder: RunFolder, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Record the last attempt's logs and start, and the loss before it; return all attempts."""
    *earlier, last = attempts
    last = replace(with_resumption(folder, last, earlier), logs=left_logs(folder, last.number))
    if earlier:
        lost = lost_s(earlier[-1], last.resumed_from, saved_when(folder, last))
        earlier[-1] = replace(earlier[-1], lost_s=lost)
        write_attempt(folder.attempts, earlier[-1])
    write_attempt(folder.attempts, last)
    shutil.rmtree(folder.used(last.number), ignore_errors=True)  # now in the attempt's record
    return [*earlier, last]


def with_usage(folder: RunFolder, attempt: Attempt, dataset: Path | None) -> Attempt:
    """Record which files and packages the program of an attempt used, as its processes noted.

    Args:
        folder: the run's folder.
        attempt: the attempt, which has ended.
        dataset: the record of the run's dataset, or None.
    """
    notes = folder.used(attempt.number)
    if not notes.is_dir():
        return attempt
    data = Path(DatasetRecord.read(dataset).path) if dataset else None
    usage = read_usage(notes, Path(), folder.code, data, attempt.start_s)
    return replace(attempt, usage=usage)


@contextmanager
def _uploading(given: Given, identity: Identity) -> Iterator[threading.Event]:
    """Upload what the program logs while it runs, if the run is tracked online.

    The uploader is a process of its own that reads the program's log, so that neither its end nor
    a failing server reaches the program. What it doesn't upload, a later job or `sync` does.

    Yields:
        An event. Unless it is set, the uploader gets only a few seconds to end: the program was
        stopped from outside, and a scheduler may be about to kill us.
    """
    has_ended = threading.Event()
    if identity.mode != "online":
        yield has_ended
        return
    folder = given.folder
    folder.delivery.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "caduceus", "sync", folder.path.name, "--watch"]
    words += ["--results", str(folder.results), "--patience", str(identity.patience_s)]
    with (folder.delivery / "uploader.log").open("ab") as console:
        uploader = processes.start(words, console)
        try:
            yield has_ended
        finally:
            limit_s = _UPLOAD_S if has_ended.is_set() else _HURRY_S
            processes.end(uploader, limit_s, given.lease.renew)


def say(message: str, console: Path | None = None) -> None:
    """Print a message, and append it to the file that keeps what the program prints."""
    line = f"caduceus train: {message}"
    print(line, file=sys.stderr)
    if console:
        with console.open("a") as stream:
            stream.write(f"{line}\n")
