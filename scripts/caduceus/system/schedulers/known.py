"""The schedulers that the executor `caduceus-cluster` can use."""

from caduceus.errors import SchedulerError
from caduceus.system.schedulers.grid_engine import GRID_ENGINE
from caduceus.system.schedulers.htcondor import HTCONDOR
from caduceus.system.schedulers.lsf import LSF
from caduceus.system.schedulers.pbs import PBS
from caduceus.system.schedulers.scheduler import Scheduler

SCHEDULERS = {each.name: each for each in (GRID_ENGINE, PBS, LSF, HTCONDOR)}


def scheduler_named(name: str | None) -> Scheduler:
    """Return the scheduler of a profile.

    Raises:
        SchedulerError: there is none of this name.
    """
    if name not in SCHEDULERS:
        known = ", ".join(SCHEDULERS)
        raise SchedulerError(f"there is no scheduler {name!r}; there are {known}", "scheduler")
    return SCHEDULERS[name]


def installed_schedulers() -> list[Scheduler]:
    """Return the schedulers to which jobs can be submitted from this host."""
    return [each for each in SCHEDULERS.values() if each.is_installed()]
