"""work/attempts/N.json: one attempt at a run, how it ended and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from caduceus.io.files import FileDigest
from caduceus.io.json_records import Record
from caduceus.runs.files.environment import ProgramEnvironment
from caduceus.runs.files.usage import Usage


@dataclass(frozen=True)
class Machine:
    """The host of an attempt: its processor, logical processors and memory in 10^9 bytes.

    `mps` is the GPU of macOS that PyTorch uses by this name; None if there is none.
    """

    cpu: str | None
    cpus: int | None
    memory_gb: float | None
    mps: str | None = None


@dataclass(frozen=True)
class Gpu:
    """The model of a GPU, and its memory in 10^9 bytes."""

    name: str
    memory_gb: float


@dataclass(frozen=True, kw_only=True)
class Restored(Record):
    """work/attempts/restored-N.json, written by the program: the checkpoint that it restored.

    Attributes:
        resumed_from: the first step that the attempt runs; None if it found no checkpoint.
        saved_at: when the checkpoint was saved, in seconds since 1970.
        log: the name of the folder of the process's log, as a launcher may restart the program.
    """

    resumed_from: int | None
    saved_at: float | None = None
    log: str | None = None

    mend = "delete it, and the step from which the attempt resumed is taken from its rows"
    optional = ("saved_at", "log")


@dataclass(frozen=True, kw_only=True)
class StartedRun(Record):
    """A run that a process of the program started by `wandb.init`.

    Attributes:
        number: 1 of the run itself, 2 and so on of further runs.
        name: the name that the program gave it.
        pid: the process.
        is_first_process: whether this is the program itself, not a process that it started.
        rank: the rank that a launcher gave the process; "0" without a launcher.
        process: its name in Python's multiprocessing, such as SpawnProcess-1.
        command: the process's program and its arguments.
        is_own: whether it is the run itself, or stands in for it.
    """

    number: int
    name: str | None
    pid: int
    is_first_process: bool
    rank: str = "0"
    process: str = ""
    command: str = ""
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class LeftFiles(Record):
    """Large files and checkpoints that lie only in the working folder of a run.

    Attributes:
        files: the paths of the largest, at most three, relative to the working folder.
        count: how many there are.
        bytes: the size of all.
    """

    files: tuple[str, ...]
    count: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Attempt(Record):
    """One attempt: a process of the training program.

    Attributes:
        attempt: its number, counted from 1; None of a remote run, whose attempts aren't known.
        state: `running`, `finished`, `failed` (the program's own fault) or `interrupted` (stopped
            or killed from outside, which is no failure).
        resumed_from: the first step that is its own; None if it started afresh.
        resumed_by: how that is known, a value of `wandb_log.resuming.Evidence`; None of the first
            attempt.
        resumed_metric: the metric that showed it, if one did.
        lost_s: seconds of it that no later attempt used; None if not known.
        started_at: as ISO 8601, UTC.
        host: the name of its host.
        pid: the process that supervised it.
        machine: the host's processor and memory.
        threads: processor threads of the program.
        gpus: the UUIDs of its GPUs; None of a remote run.
        gpu_models: the models of these GPUs; None where a GPU doesn't say.
        gpu_share: which part of its one GPU it had; None if it had whole GPUs, or none.
        commit: the git commit of its code.
        is_dirty: whether the code differed from that commit.
        environment: the digest of the installed packages.
        scratch: the folder on the host's scratch disk, if the run uses one.
        exit_code: the program's exit code; None if a signal ended it.
        signal: the signal that ended the program.
        interrupted_by: the signal by which we were asked to stop.
        was_stopped: whether its sweep stopped it early.
        error: why it didn't finish, in one line.
        wall_s: seconds.
        cpu_s: processor seconds of all its processes; None where nobody saw its end.
        peak_memory_gb: 10^9 bytes, of the largest process.
        energy_j: the energy of its GPUs in joules; None if they don't say, or if it had a share of
            one, whose energy belongs to several runs.
        output: the files it left, by their paths in output/.
        usage: which files and packages its program used; None where nobody noted it.
        got_seed: False if no argument passed the seed to the program.
        logged_elsewhere: that it logged outside of the run too, and where; None if it didn't.
        untracked: why the program, which ended well, has no log of the run; None if it has one.
        started_runs: its further runs, and the run itself, by the processes that started them;
            None if there is no further run.
        shown_before: the tables and claims that had shown other seeds of its variant without its
            run when the run's first attempt began; None if none had.
        left_files: large files that only its working folder has; None for none.
        logs: the logs that it left, by their paths in its W&B folder; None where they weren't
            recorded.
        start: `forked` from a process that had imported the experiment's `preload`, or `fresh: `
            and why; None without `preload`.
        program_environment: the environment that its experiment names; None if Caduceus's own
            served.
    """

    attempt: int | None
    state: str
    resumed_from: int | None = None
    resumed_by: str | None = None
    resumed_metric: str | None = None
    lost_s: float | None = None
    started_at: str | None
    host: str | None = None
    pid: int | None = None
    machine: Machine | None = None
    threads: int | None = None
    gpus: tuple[str, ...] | None = ()
    gpu_models: tuple[Gpu | None, ...] = ()
    gpu_share: float | None = None
    commit: str | None = None
    is_dirty: bool | None = None
    environment: str | None = None
    scratch: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    interrupted_by: int | None = None
    was_stopped: bool = False
    error: str | None = None
    wall_s: float
    cpu_s: float | None = None
    peak_memory_gb: float | None = None
    energy_j: float | None = None
    output: Mapping[str, FileDigest] = field(default_factory=dict)
    usage: Usage | None = None
    got_seed: bool | None = None
    logged_elsewhere: str | None = None
    untracked: str | None = None
    started_runs: tuple[StartedRun, ...] | None = None
    shown_before: tuple[str, ...] | None = None
    left_files: LeftFiles | None = None
    logs: Mapping[str, FileDigest] | None = None
    start: str | None = None
    program_environment: ProgramEnvironment | None = None

    optional = (
        "gpu_share",
        "resumed_by",
        "resumed_metric",
        "usage",
        "got_seed",
        "logged_elsewhere",
        "untracked",
        "started_runs",
        "left_files",
        "logs",
        "start",
        "program_environment",
    )
    mend = (
        "delete the run's folder, and the next `snakemake` trains the run again; or, if its "
        "train.json is there, restore the file from the attempts in it"
    )

    @property
    def number(self) -> int:
        """Its number, counted from 1; 0 of a remote run."""
        return self.attempt or 0

    @property
    def start_s(self) -> float:
        """Its start in seconds since 1970; not of a remote run."""
        assert self.started_at is not None
        return datetime.fromisoformat(self.started_at).timestamp()

    @property
    def gpu_count(self) -> float | None:
        """How many GPUs it had; a share counts as such. None of a remote run."""
        if self.gpus is None:
            return None
        return len(self.gpus) if self.gpu_share is None else self.gpu_share

    @property
    def gpu_s(self) -> float:
        """The seconds for which it had its GPUs, summed over them, or times its share of one."""
        return self.wall_s * (self.gpu_count or 0)

    @property
    def gpu_names(self) -> list[str]:
        """The models of its GPUs by name, one for each GPU."""
        models = self.gpu_models or [None] * len(self.gpus or ())
        return [model.name if model else "unknown model" for model in models]

    @property
    def is_measured(self) -> bool:
        """Whether more than its time is known: not of a remote run, or where nobody saw its end."""
        return self.cpu_s is not None
