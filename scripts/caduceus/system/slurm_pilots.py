"""Pilots: SLURM jobs in which Snakemake itself runs, and with it many short runs.

A SLURM job per run costs each some seconds and a place in the queue; a pilot costs that once.
"""

import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SlurmError
from caduceus.system import processes, slurm
from caduceus.system.slurm_time_limits import requeue_near_time_limit
from caduceus.system.snakemake_lock import unlock

_COMMENT = "caduceus-pilot"
_LOGS = Path("results/logs/slurm_pilot")
_WARNING_S = 120  # how long before the time limit SLURM warns: time for all programs to save


@dataclass(frozen=True)
class Allocation:
    """The part of a node that a pilot gets."""

    cores: int
    gpus: int
    minutes: int
    mem_mb: int | None  # None for the site's default

    @property
    def words(self) -> list[str]:
        """The arguments of `caduceus slurm-pilot` that stand for it."""
        words = [f"--cores={self.cores}", f"--gpus={self.gpus}", f"--minutes={self.minutes}"]
        return words + ([f"--mem-mb={self.mem_mb}"] if self.mem_mb else [])


def submit(
    allocation: Allocation, partition: str | None, options: Sequence[str], targets: Sequence[str]
) -> tuple[str, Path]:
    """Submit a pilot for the project in this folder, and return its job's id and its log.

    Args:
        allocation: the resources of the pilot.
        partition: SLURM's partition; None for the default.
        options: further options of sbatch.
        targets: arguments of Snakemake.

    Raises:
        SlurmError: no node is large enough, or SLURM refuses.
    """
    largest = slurm.largest_node(partition)
    if 0 < largest < allocation.cores:  # with 0 there is no such partition: SLURM reports it
        where = f" of partition {partition}" if partition else ""
        message = f"the largest node{where} has {largest} CPUs; request no more"
        raise SlurmError(message, f"--cores {allocation.cores}")
    _LOGS.mkdir(parents=True, exist_ok=True)
    words = [f"--job-name={_COMMENT}", f"--comment={_COMMENT}", f"--chdir={Path.cwd()}"]
    words += [f"--output={_LOGS}/%j.log", "--open-mode=append", "--requeue"]
    words += [f"--signal=TERM@{_WARNING_S}", f"--time={allocation.minutes}"]
    words += ["--nodes=1", "--ntasks=1", f"--cpus-per-task={allocation.cores}"]
    words += [f"--gres=gpu:{allocation.gpus}"] if allocation.gpus else []
    words += [f"--mem={allocation.mem_mb}"] if allocation.mem_mb else []
    words += [f"--partition={partition}"] if partition else []
    # `srun`, since SLURM sends the warning to steps only; `exec`, since the signal would end a
    # shell between SLURM and the step.
    step = ["srun", "--ntasks=1", f"--cpus-per-task={allocation.cores}", "--cpu-bind=none"]
    step += [sys.executable, "-m", "caduceus", "slurm-pilot", "--inside", *allocation.words]
    script = f"#!/bin/sh\nexec {shlex.join([*step, '--', *targets])}\n"
    job_id = slurm.submit([*words, *options], script)
    return job_id, _LOGS / f"{job_id}.log"


def work(allocation: Allocation, targets: Sequence[str]) -> int:
    """Run Snakemake inside the pilot's job, and return its exit status.

    Near the time limit the programs save, and the job is requeued to continue later.
    """
    unlock(Path())  # a requeued job may have been killed on another node, and left the lock
    resources = [f"gpus={allocation.gpus}"]
    resources += [f"mem_mb={allocation.mem_mb}"] if allocation.mem_mb else []
    words = [sys.executable, "-m", "snakemake", "--executor", "local", "--resources", *resources]
    words += ["--rerun-incomplete", "--keep-going", "--scheduler", "greedy"]
    words += ["--cores", str(allocation.cores), *targets]
    was_warned = False
    snakemake = processes.start(words, sys.stdout.buffer)

    def forward(*_: object) -> None:
        nonlocal was_warned
        was_warned = True
        snakemake.terminate()  # it waits for its jobs, which SLURM has signaled as well

    signal.signal(signal.SIGTERM, forward)
    code = snakemake.wait()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if was_warned and code:
        requeue_near_time_limit(_COMMENT, has_saved=True)
    return code if code >= 0 else 128 - code
