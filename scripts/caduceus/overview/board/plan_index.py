"""The planned runs of a project, and those of tries, read again when their files change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.project.planned import configured_plans, plan_files
from caduceus.project.snakefile import config_file
from caduceus.runs.files.plan import Plan, Run
from caduceus.runs.try_reader import LedgerReader


@dataclass(frozen=True)
class PlannedRun:
    """A run and its plan; `is_listed` is false where config.yaml no longer lists the experiment."""

    plan: Plan
    run: Run
    is_listed: bool

    @property
    def kind(self) -> str:
        """`planned`, `trial` or `abandoned`, as `ListedRun.kind`."""
        return self.run.kind if self.is_listed else "abandoned"


@dataclass(frozen=True)
class PlanIndex:
    """All plans, and the runs of tries.

    Attributes:
        plans: those that config.yaml lists, then the others.
        listed: the ids of those that it lists.
        runs: by id.
        tried: the ids of runs that tries were trained for or decided by.
        warnings: a line for each file that can't be read.
    """

    plans: Sequence[Plan] = ()
    listed: frozenset[str] = frozenset()
    runs: dict[str, PlannedRun] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()
    warnings: Sequence[str] = ()


class PlanReader:
    """Reads the plans of results/ when one of them, a try or config.yaml has changed.

    Attributes:
        index: what was read last.
        tries: the ledgers of tries.
        changed_ledgers: those that the last `refresh` found changed, by name.
    """

    def __init__(self, results: Path):
        self._results = results
        self._seen: object = None
        self._plans = PlanIndex()
        self.index = PlanIndex()
        self.tries = LedgerReader(results)
        self.changed_ledgers: set[str] = set()

    def refresh(self) -> bool:
        """Read the plans and tries if a file changed; return whether they are others now."""
        self.changed_ledgers = self.tries.refresh()
        files = [config_file(self._results.absolute().parent), *plan_files(self._results)]
        seen = [(path, state_of_file(path)) for path in files]
        if seen != self._seen:
            self._seen = seen
            self._plans = read_plans(self._results)
        elif not self.changed_ledgers:
            return False
        ledgers = self.tries.ledgers.values()
        self.index = replace(
            self._plans,
            tried=frozenset().union(*(each.runs for each in ledgers)),
            warnings=(*self._plans.warnings, *(each.damage[0] for each in ledgers if each.damage)),
        )
        return True


def state_of_file(path: Path) -> tuple[int, int, int] | None:
    """Return what tells whether a file has changed; None if there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns


def read_plans(results: Path) -> PlanIndex:
    """Read all plans; a damaged one, or a config.yaml that can't be read, is a warning."""
    plans: list[Plan] = []
    warnings = []
    for path in plan_files(results):
        try:
            plans.append(Plan.read(path))
        except (CaduceusError, OSError) as error:
            warnings.append(str(error))
    listed = {plan.spec.id for plan in plans}
    if not warnings:
        try:
            listed = {plan.spec.id for plan in configured_plans(results)}
        except (CaduceusError, OSError) as error:  # such as while config.yaml is being edited
            warnings.append(str(error))
    ordered = sorted(plans, key=lambda plan: plan.spec.id not in listed)
    runs = dict(_runs(ordered, listed))
    return PlanIndex(ordered, frozenset(listed), runs, warnings=warnings)


def _runs(plans: Iterable[Plan], listed: set[str]) -> Iterable[tuple[str, PlannedRun]]:
    for plan in plans:
        for run in plan.runs:
            yield run.id, PlannedRun(plan, run, plan.spec.id in listed)
