"""Merge another results/ into this one: runs of the definitions that are planned here."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.overview.merging.comparing import Planned
from caduceus.overview.merging.costs import cost_of
from caduceus.overview.merging.decisions import (
    Decision,
    Outcome,
    Rules,
    decide,
    has_ended,
    runs_below,
)
from caduceus.overview.merging.shown import unite_shown
from caduceus.overview.merging.sweeps import (
    differing_datasets,
    differing_sweeps,
    has_trial,
    take_dataset,
    take_start,
    take_trial,
)
from caduceus.overview.merging.taking import Staging, check_run, take_run
from caduceus.paper.ledger import LedgerRun, add_removed, removed_runs
from caduceus.project.identity import identity
from caduceus.project.listed_runs import results_folder
from caduceus.project.planned import planned_once
from caduceus.project.project import Project
from caduceus.runs.files.tries import ledger_folders, tried_runs
from caduceus.runs.folder import RunFolder
from caduceus.sweeps.folders import is_confirmation
from caduceus.system import leases
from caduceus.system.snakemake_lock import find_holder

_SILENT_S = 32.0  # a holder whose heartbeat isn't seen for 30 s is dead
_POLL_S = 0.5


@dataclass(frozen=True)
class Refused:
    """A run, sweep or other thing that isn't taken, with the reason."""

    name: str
    reason: str


@dataclass
class Merged:
    """The result of a merge: the runs that it took, kept and refused.

    Attributes:
        source: the other results/.
        taken: the ids of the runs that were copied, or would be.
        kept: the ids of the runs that are here already and stay as they are.
        refused: what can't be taken, and why.
        unfinished: the ids of the runs that haven't ended there and weren't asked for.
        unplanned: the ids of the runs that nothing plans here and that weren't asked for.
        costs: the ids of the runs whose attempts there were added to the ledger alone.
        notes: a line for each thing there that a merge doesn't take.
    """

    source: Path
    taken: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    unplanned: list[str] = field(default_factory=list)
    costs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Choice:
    """The choices of the user.

    Attributes:
        with_abandoned: whether runs that nothing plans here are taken too.
        with_unfinished: whether runs that haven't ended are taken too.
        is_dry: whether nothing is written.
    """

    with_abandoned: bool = False
    with_unfinished: bool = False
    is_dry: bool = False


def merge(
    project: Project, results: Path, other: Path, choice: Choice, say: Callable[[str], None]
) -> Merged:
    """Take the runs of another results/ that fit what is planned here.

    Args:
        project: what is planned here.
        results: the folder results/ here.
        other: the other folder results/, or that of its project; it is only read.
        choice: what is taken.
        say: prints a line on what takes long.

    Raises:
        ResultError: it is no such folder or this one; or Snakemake or another merge works here.
    """
    source = results_folder(other)
    if results.exists() and source.samefile(results):
        raise ResultError("is this project's own results/; name another one", str(other))
    if choice.is_dry:
        return _Merge(project, results, source, choice, say).run(None)
    if find_holder(results.absolute().parent):
        raise ResultError("Snakemake works here; merge once it has ended", str(results))
    staging = Staging(results / ".merge")
    try:
        with (
            leases.held(staging.path / "lease.json", staging.path / "lock", None) as lease,
            leases.renewed(lease),
        ):
            staging.recover()
            merged = _Merge(project, results, source, choice, say).run(staging)
    except leases.HeldError:
        raise ResultError("another merge works here; wait for it", str(results)) from None
    _tidy(staging.path)
    return merged


class _Merge:
    """A merge: what is known before, and what came of each run so far."""

    def __init__(
        self,
        project: Project,
        results: Path,
        source: Path,
        choice: Choice,
        say: Callable[[str], None],
    ):
        self.project, self.results, self.source, self.choice = project, results, source, choice
        self.merged = Merged(source)
        self.planned = _planned(project, results)
        self.sweeps = differing_sweeps(project, source, results)
        self.refused_sweeps = set(self.sweeps)
        self.folders = sorted(runs_below(source), key=self._order)
        self.rules = Rules(
            planned=self.planned,
            tried=tried_runs(results),
            refused_datasets=differing_datasets(project, source, results),
            refused_sweeps=self.refused_sweeps,
            with_abandoned=choice.with_abandoned,
            with_unfinished=choice.with_unfinished,
            running=self._running(say),
        )

    def run(self, staging: Staging | None) -> Merged:
        """Decide on each run and take it; without `staging` only decide."""
        time_ns = _now(staging)
        costs: list[LedgerRun] = []
        self.merged.refused += [Refused(sweep, why) for sweep, why in self.sweeps.items()]
        for folder in self.folders:
            decision = self._settled(folder, staging, time_ns)
            self._note(folder.path.name, decision)
            if decision.has_other_attempts and (cost := cost_of(folder)):
                costs.append(cost)
        shown = unite_shown(self.source, self.results, is_dry=staging is None)
        self.merged.refused += [Refused(name, why) for name, why in shown]
        self.merged.costs = sorted(cost.run for cost in self._added(costs, staging))
        self.merged.notes += _not_merged(self.source)
        return self.merged

    def _settled(self, there: RunFolder, staging: Staging | None, time_ns: int) -> Decision:
        """Decide on a run, and take it."""
        run = there.path.name
        decision = decide(there, self._here(run), self.rules)
        if decision.outcome is not Outcome.TAKEN:
            return decision
        try:
            self._take(there, staging, time_ns)
        except ResultError as error:
            return Decision(Outcome.REFUSED, str(error))
        except OSError as error:
            if not str(error.filename).startswith(str(self.source)):
                raise
            return Decision(Outcome.REFUSED, f"{error.filename} can't be read: {error.strerror}")
        return decision

    def _take(self, there: RunFolder, staging: Staging | None, time_ns: int) -> None:
        run = there.path.name
        planned = self.planned.get(run)
        trial = planned.trial if planned else None
        if trial and not has_trial(*trial, self.source, self.results):
            raise ResultError(f"the file of its trial {trial[1]} is missing there")
        if staging is None:
            check_run(there)
            return
        places = self.source, self.results
        dataset = planned.definition.dataset if planned else None
        if dataset:
            name = str(dataset["name"])
            take_dataset(name, *places, staging.new(f"dataset-{name}"), time_ns)
        if trial:
            found = self.project.sweeps.get(trial[0])
            if found and found.sweep:
                take_start(found.sweep.plan, *places, staging.new(trial[0]), time_ns)
            take_trial(*trial, *places, time_ns)
        outside = take_run(there, self._here(run), planned, staging, time_ns)
        self.merged.notes += [
            f"{run}: {name} leads out of the run, and is left out" for name in outside
        ]

    def _note(self, run: str, decision: Decision) -> None:
        """Note what became of a run; those of a refused sweep are named by the sweep."""
        planned = self.planned.get(run)
        sweep = planned.trial[0] if planned and planned.trial else None
        match decision.outcome:
            case Outcome.TAKEN:
                self.merged.taken.append(run)
            case Outcome.KEPT:
                self.merged.kept.append(run)
            case Outcome.UNFINISHED:
                self.merged.unfinished.append(run)
            case Outcome.UNPLANNED:
                self.merged.unplanned.append(run)
            case Outcome.REFUSED if sweep not in self.sweeps:
                self.merged.refused.append(Refused(run, decision.reason))
                found = self.project.sweeps.get(sweep) if sweep else None
                if sweep and found and found.sweep and found.sweep.is_sequential:
                    self.refused_sweeps.add(sweep)  # later trials were chosen by this one's result

    def _added(self, costs: Sequence[LedgerRun], staging: Staging | None) -> list[LedgerRun]:
        """Add the cost of attempts whose run isn't taken, and of runs that were removed there."""
        here = {run: self._live(run) for run in {cost.run for cost in costs}}
        try:
            removed = list(removed_runs(self.source).values())
        except ResultError as error:
            removed = []
            self.merged.refused.append(Refused("removed.json", str(error)))
        here |= {each.run: self._live(each.run) for each in removed}
        new = [each for each in (*costs, *removed) if not _is_in(each, here[each.run])]
        if staging is not None:
            return add_removed(self.results, new)
        known = {each.key for each in removed_runs(self.results).values()}
        return [each for each in new if each.key not in known]

    def _live(self, run: str) -> LedgerRun | None:
        return cost_of(self._here(run)) if self._here(run).path.is_dir() else None

    def _here(self, run: str) -> RunFolder:
        return RunFolder(self.results / "runs" / run)

    def _order(self, folder: RunFolder) -> tuple[bool, str]:
        """Confirmations of sweeps come last, as they were chosen by all trials."""
        planned = self.planned.get(folder.path.name)
        is_last = bool(planned and planned.trial and is_confirmation(planned.trial[1]))
        return is_last, folder.path.name

    def _running(self, say: Callable[[str], None]) -> set[str]:
        """Return the ids of unfinished runs that are held there, and watch leases for 30 s.

        One that was held by a host that is gone is known by that alone, here and there.
        """

        def held(folders: Sequence[RunFolder]) -> list[RunFolder]:
            return [each for each in folders if leases.is_held(each.lease, each.lock)]

        chosen = [each for each in self.folders if each.path.name in self.planned]
        there = [each for each in chosen if not has_ended(each) and self.choice.with_unfinished]
        here = [self._here(each.path.name) for each in chosen]
        unknown = [each for each in held([*there, *here]) if leases.is_elsewhere(each.lease)]
        if unknown:
            say(f"watching {len(unknown)} runs for 30 s, whether they still run on another host")
        end = time.monotonic() + _SILENT_S
        while unknown and time.monotonic() < end:
            time.sleep(_POLL_S)
            unknown = held(unknown)
        return {each.path.name for each in held(there)}


def _planned(project: Project, results: Path) -> dict[str, Planned]:
    """Return what is planned here, by config.yaml or once by --config."""
    experiments = [*project.experiments.values(), *planned_once(project, results)]
    return {
        run.id: Planned(
            run.definition,
            identity(experiment, run, project.settings.wandb),
            (experiment.sweep.id, run.trial) if experiment.sweep and run.trial else None,
        )
        for experiment in experiments
        for run in experiment.runs
    }


def _is_in(cost: LedgerRun, run: LedgerRun | None) -> bool:
    """Whether the attempts of an entry are those of a run that is here."""
    return run is not None and set(cost.key[1:]) <= set(run.key[1:])


def _not_merged(source: Path) -> Iterator[str]:
    for folder in ledger_folders(source):
        name = folder.path.name
        yield f"tries/{name}: not taken, as its test goes on where it began"
    for path in sorted((source / "projects").glob("*/*/runs.json")):
        name = path.parent.relative_to(source).as_posix()
        yield f"{name}: not taken; `snakemake refresh` reads it from the server"


def _now(staging: Staging | None) -> int:
    """Return the present time by the clock of the disk that results/ is on."""
    if staging is None:
        return 0
    probe = staging.path / "new" / ".time"
    probe.parent.mkdir(parents=True, exist_ok=True)
    probe.write_text("")
    return probe.stat().st_mtime_ns


def _tidy(path: Path) -> None:
    """Remove the staging folder, unless something is left in it or somebody uses it."""
    for each in (path / "new/.time", path / "lock"):
        with contextlib.suppress(OSError):
            each.unlink()
    for folder in (path / "new", path / "old", path):
        with contextlib.suppress(OSError):
            folder.rmdir()
