"""Watch results/: find runs, and read again what has changed since the last look.

The files are asked for their state again and again. The kernel's notifications (inotify) don't
report what other hosts write to a shared file system, which is where SLURM's jobs write.
"""

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from caduceus.io.files import Json
from caduceus.overview.board.plan_index import PlanReader, state_of_file
from caduceus.overview.board.tracked_run import UNREAD, Estimates, TrackedRun
from caduceus.overview.status import DAMAGED
from caduceus.runs.folder import RunFolder
from caduceus.runs.states import STATES
from caduceus.system import slurm

_SLICE_S = 0.2  # seconds of a look, after which the rest is left to the next
ROUNDS = 10  # looks in which each run is looked at thoroughly once
_LEASE_LOOKS = 3  # looks between two tests whether a run's process is alive
_LIVE_STATES = ("running", "interrupted", "to export", "queued", "failed")

Row = dict[str, Json]


@dataclass
class Changes:
    """The changes since an earlier look, as the page takes them."""

    runs: list[Row] = field(default_factory=list)
    live: dict[str, Row] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    experiments: list[Row] | None = None
    warnings: list[str] | None = None
    sweeps: list[str] = field(default_factory=list)
    tries: set[str] = field(default_factory=set)
    paper: bool = False
    has_read_all: bool = False  # the first reading has just ended

    def __bool__(self) -> bool:
        rows = (self.runs, self.live, self.gone, self.sweeps, self.tries)
        others = (self.experiments is not None, self.warnings is not None, self.has_read_all)
        return any((*rows, *others, self.paper))


class Watch:
    """All runs below results/, and what changes there.

    Attributes:
        runs: by id, planned ones first.
        is_reading: whether some run hasn't been read yet.
        looks: how often it has looked.
        uses_slurm: whether jobs of SLURM have made runs here; many hosts only have its programs.
    """

    def __init__(self, results: Path):
        self.results = results
        self.plans = PlanReader(results)
        self.runs: dict[str, TrackedRun] = {}
        self.is_reading = True
        self.queue: Mapping[str, slurm.QueuedJob] = {}
        self.queue_error: str | None = None
        self.queue_asked_at: float | None = None
        self.uses_slurm = False
        self._queue_seen: Mapping[str, slurm.QueuedJob] = {}
        self._folders: object = None
        self.looks = 0
        self._next_grown = 0  # the place of the run whose log is read first by the next look
        self._warnings: list[str] = []
        self._estimates: dict[tuple[str, str], Estimates] = {}
        self._by_folder: dict[Path, object] = {}

    def look(self, budget_s: float = _SLICE_S) -> Changes:
        """Read what has changed since the last call, and return it.

        Args:
            budget_s: seconds after which the rest is left to the next call.
        """
        until = time.monotonic() + budget_s
        self.looks += 1
        changes = Changes()
        if self.plans.refresh() | self._find_runs(changes):
            changes.experiments = self.experiments()
        changes.tries |= self.plans.changed_ledgers
        self._read_runs(changes, until)
        self._grow_runs(changes, until)
        self._look_at_folders(changes)
        if (warnings := self.warnings()) != self._warnings:
            self._warnings = changes.warnings = warnings
        return changes

    def warnings(self) -> list[str]:
        """Return a line for each file of the project that can't be read."""
        return list(self.plans.index.warnings)

    def take_queue(self, jobs: Mapping[str, slurm.QueuedJob] | None, error: str | None) -> None:
        """Take the jobs of runs in SLURM's queue; None and an error if it doesn't answer."""
        self.queue_asked_at, self.queue_error = time.time(), error
        if jobs is not None:
            self.queue = jobs
        self.uses_slurm = self.uses_slurm or bool(self.queue)
        if error and not self.uses_slurm:
            self.uses_slurm = any(self.results.glob(f"logs/*/*{slurm.LOG_SUFFIX}"))

    def row(self, tracked: TrackedRun) -> Row:
        """Return a run as the page takes it."""
        about = tracked.about or tracked.unread_row()
        notes = about.get("notes")
        known = notes if isinstance(notes, list) else []
        live = tracked.live(self._estimates_of(tracked))
        return {**about, "notes": [*known, *tracked.notes()], "live": live}

    def rows(self) -> list[Row]:
        """Return every run."""
        return [self.row(tracked) for tracked in self.runs.values()]

    def experiments(self) -> list[Row]:
        """Return the planned experiments, those that config.yaml lists first."""
        index = self.plans.index
        found: list[Row] = []
        for plan in index.plans:
            spec = plan.spec
            metric = spec.metric
            trials = [run for run in plan.runs if run.trial is not None]
            found.append(
                {
                    "id": spec.id,
                    "name": spec.name,
                    "type": spec.type,
                    "group": spec.group,
                    "hypothesis": spec.hypothesis,
                    "description": spec.description,
                    "metric": metric.name if metric else None,
                    "goal": str(metric.goal) if metric and metric.goal else None,
                    "is_listed": spec.id in index.listed,
                    "variants": list(dict.fromkeys(run.variant for run in plan.runs)),
                    "seeds": list(dict.fromkeys(run.seed for run in plan.runs)),
                    "sweep": trials[0].id.rpartition("-t")[0] if trials else None,
                }
            )
        return found

    def _find_runs(self, changes: Changes) -> bool:
        """Find the runs if a folder came or went; return whether the runs are others."""
        index = self.plans.index
        projects = sorted((self.results / "projects").glob("*/*/runs"))
        seen = (id(index), *map(state_of_file, (self.results / "runs", *projects)))
        if seen == self._folders:
            return False
        self._folders = seen
        folders = _folders(self.results / "runs")
        found = {run: RunFolder(self.results / "runs" / run) for run in index.runs}
        found |= {name: RunFolder(self.results / "runs" / name) for name in folders}
        for project in projects:
            found = {name: RunFolder(project / name) for name in _folders(project)} | found
        known = {name for name in found if name in folders or name in index.runs}
        ordered = [*index.runs, *(name for name in found if name not in index.runs)]
        before, self.runs = self.runs, {}
        for name in ordered:
            plan = index.runs.get(name), name not in known, name in index.tried
            tracked = before.pop(name, None)
            known_plan = tracked and (tracked.planned, tracked.is_of_project, tracked.is_tried)
            if tracked is None or known_plan != plan:
                tracked = TrackedRun(found[name], *plan)
            self.runs[name] = tracked
        changes.gone = list(before)
        return True

    def _read_runs(self, changes: Changes, until: float) -> None:
        """Read the runs whose files have changed; each run is looked at thoroughly in turn."""
        was_reading, is_finished = self.is_reading, False
        queued = {
            run
            for run in {*self.queue, *self._queue_seen}
            if self.queue.get(run) != self._queue_seen.get(run)
        }
        self._queue_seen = self.queue
        has_time = True
        for place, (name, tracked) in enumerate(self.runs.items()):
            if not has_time:
                break
            is_due = place % ROUNDS == self.looks % ROUNDS
            may_have_died = self.looks % _LEASE_LOOKS == 0 and tracked.state == "running"
            if (
                not tracked.is_read
                or name in queued
                or tracked.has_changed(is_due)
                or (may_have_died and not tracked.is_running_still())
            ):
                steps = tracked.facts
                if tracked.read(self.queue.get(name)):
                    changes.runs.append(tracked.about)
                is_finished |= tracked.facts != steps
                has_time = time.monotonic() < until
        else:
            self.is_reading = False
        if is_finished:
            self._estimates = {}
        changes.has_read_all = was_reading and not self.is_reading
        changes.runs = [
            self.row(self.runs[str(about["run"])]) for about in changes.runs if about is not None
        ]

    def _grow_runs(self, changes: Changes, until: float) -> None:
        """Read what runs have logged; at least one of them, whatever the time."""
        shown = {str(row["run"]) for row in changes.runs}
        found = [
            (name, tracked)
            for name, tracked in self.runs.items()
            if tracked.history is not None and tracked.state in _LIVE_STATES
        ]
        first = self._next_grown % len(found) if found else 0
        for place, (name, tracked) in enumerate([*found[first:], *found[:first]], first + 1):
            notes = tracked.notes()
            has_grown = tracked.grow(max(0.01, until - time.monotonic()))
            if not has_grown:
                continue
            if name in shown or tracked.notes() != notes:
                changes.runs = [row for row in changes.runs if row["run"] != name]
                changes.runs.append(self.row(tracked))
            else:
                changes.live[name] = tracked.live(self._estimates_of(tracked))
            if time.monotonic() > until:
                self._next_grown = place  # so that those that grow fast leave time for the others
                break

    def _look_at_folders(self, changes: Changes) -> None:
        """Find the sweeps and results of the paper that have changed."""
        paper = self.results / "paper"
        if self._is_new(paper, [paper, paper / "claims.json", paper / "tables", paper / "figures"]):
            changes.paper = True
        for sweep in _folders(self.results / "sweeps"):
            folder = self.results / "sweeps" / sweep
            if self._is_new(folder, [folder, folder / "trials"]):
                changes.sweeps.append(sweep)

    def _is_new(self, folder: Path, files: Iterable[Path]) -> bool:
        state = [state_of_file(path) for path in files]
        is_new = self._by_folder.get(folder) != state
        self._by_folder[folder] = state
        return is_new

    def _estimates_of(self, tracked: TrackedRun) -> Estimates:
        if tracked.planned is None:
            return Estimates()
        key = (str(tracked.about.get("experiment")), str(tracked.about.get("variant")))
        if key not in self._estimates:
            self._estimates[key] = self._estimate(*key, tracked.planned.plan.spec.program)
        return self._estimates[key]

    def _estimate(self, experiment: str, variant: str, program: str) -> Estimates:
        """Estimate from the runs of the variant, else of the experiment, else of the program."""
        seconds: dict[str, list[float]] = defaultdict(list)
        steps: int | None = None
        for other in self.runs.values():
            facts, about = other.facts, other.about
            if about.get("experiment") == experiment and about.get("variant") == variant:
                steps = steps or facts.steps
            if facts.seconds is None or facts.program != program:
                continue
            seconds["program"].append(facts.seconds)
            if about.get("experiment") == experiment:
                seconds["experiment"].append(facts.seconds)
                if about.get("variant") == variant:
                    seconds["variant"].append(facts.seconds)
        similar = seconds["variant"] or seconds["experiment"] or seconds["program"]
        return Estimates(steps, statistics.median(similar) if similar else None)


STATES_SHOWN: Sequence[str] = (*STATES, DAMAGED, UNREAD)


def _folders(path: Path) -> set[str]:
    try:
        with os.scandir(path) as entries:
            return {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    except OSError:
        return set()
