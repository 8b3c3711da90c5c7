"""Tell the process of the program itself from the processes that it starts.

The first Python in a chain of processes puts its id into the environment, and the processes that it
starts inherit it. So the Python that `caduceus train` starts is the first, and so is one that a
shell script starts in its place; a worker of `multiprocessing` isn't. The kernel that runs a
notebook counts as first too: the first Python is then papermill or nbconvert, which logs nothing.
"""

import os
import sys

_FIRST = "CADUCEUS_FIRST_PROCESS"  # its process id, and the rank variables that were set already
# The variables of a process's rank: those of torchrun, srun, Open MPI and MPICH.
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def mark():
    """Mark this process as the first, unless it has inherited the mark of another."""
    os.environ.setdefault(_FIRST, ",".join([str(os.getpid()), *_ranks()]))


def is_first():
    """Whether this process is the program itself."""
    return os.environ.get(_FIRST, "").partition(",")[0] == str(os.getpid()) or _is_kernel()


def _is_kernel():
    """Whether this process is a Jupyter kernel; jupyter_client tells it its parent's id."""
    return os.environ.get("JPY_PARENT_PID") == str(os.getppid())


def is_ranked():
    """Whether a launcher below the first process, such as torchrun, gave this process a rank.

    Variables that the first process had already don't count: SLURM sets SLURM_PROCID in every
    process of a job.
    """
    known = os.environ.get(_FIRST, "").split(",")
    return any(name not in known for name in _ranks())


def rank():
    """Return the rank of this process as text; "0" if there is only one process."""
    return next((os.environ[name] for name in _ranks()), "0")


def name():
    """Return the name of this process in multiprocessing, such as SpawnProcess-1."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing.current_process().name if multiprocessing else ""


def is_worker():
    """Whether multiprocessing has started this process."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    current = multiprocessing.current_process() if multiprocessing else None
    return current is not None and type(current).__name__ != "_MainProcess"


def _ranks():
    return [name for name in _RANKS if os.environ.get(name)]
