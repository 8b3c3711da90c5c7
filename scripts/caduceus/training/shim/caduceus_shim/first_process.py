"""Which process of an attempt is the program itself, and not a process that it has started.

The first Python of a chain of processes puts its id into the environment, which those that it
starts inherit. So the Python that `caduceus train` started is first, a Python that a shell script
starts is first too, and a worker of `multiprocessing` isn't.
"""

import os

_FIRST = "CADUCEUS_FIRST_PROCESS"  # the process id, and the ranks that it has found set
# The rank of a process among several, as torchrun, srun, Open MPI and MPICH say it.
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def mark():
    """Note this process as the first, if it is."""
    os.environ.setdefault(_FIRST, ",".join([str(os.getpid()), *_ranks()]))


def is_first():
    """Whether this process is the program itself."""
    return os.environ.get(_FIRST, "").partition(",")[0] == str(os.getpid())


def is_ranked():
    """Whether a launcher such as torchrun, started by the first process, gave this one a rank.

    SLURM_PROCID alone doesn't say so: each process of a job has it.
    """
    known = os.environ.get(_FIRST, "").split(",")
    return any(name not in known for name in _ranks())


def rank():
    """The rank of this process as text: "0" if it is the only one or the one that tracks."""
    return next((os.environ[name] for name in _ranks()), "0")


def _ranks():
    return [name for name in _RANKS if os.environ.get(name)]
