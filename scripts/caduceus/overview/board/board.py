"""The board: what it knows of results/, and its answers as JSON.

All methods are called from one thread, the reader's, so that nothing here is locked.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.overview.board.answer_texts import Writer
from caduceus.overview.board.curves import (
    Query,
    VariantRuns,
    Wanted,
    average,
    curve,
    method_text,
)
from caduceus.overview.board.series import Histories
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.overview.board.try_rows import TryRows
from caduceus.overview.board.watch import STATES_SHOWN, Changes, Watch
from caduceus.overview.paper_methods import paper_methods
from caduceus.runs.files.export import STEP
from caduceus.runs.try_ledgers import TryLedger
from caduceus.statistics.settings import Methods
from caduceus.system import slurm

VERSION = 1  # of the answers: raised when a key is taken away or gets another meaning
_AVERAGED = ("finished", "running")


class NotThereError(CaduceusError):
    """There is no run, sweep or file of that name."""


class Board:
    """The board of a folder results/.

    Attributes:
        sequence: the number of the last change.
        watch: the runs.
        tries: the ledgers of tries as the page takes them.
    """

    def __init__(self, results: Path):
        self.results = results
        self.sequence = 0
        self.watch = Watch(results)
        self.histories = Histories()
        self.tries = TryRows(results)
        self._methods: Methods | None = None  # of the paper; None until averages are asked for
        self._writer = Writer()
        self._known_state: object = None
        self._texts: dict[str, tuple[Sequence[object], str]] = {}

    def look(self) -> str | None:
        """Read what has changed; return it as the text of an event, None for nothing."""
        changes = self.watch.look()
        changes.tries |= {*self.tries.moved(self.watch.plans.tries.ledgers, self.watch.runs)}
        if changes.paper or changes.experiments is not None:
            self._methods = None  # config.yaml may say something else now
        self._writer.refresh(self.watch.plans.index.plans)
        self.histories.free()
        for run in changes.gone:
            self._texts.pop(run, None)
            self.histories.forget(run)
        slurm_is_new = self._slurm_is_new()
        if not changes and not slurm_is_new:
            return None
        self.sequence += 1
        return self._change(changes)

    def take_queue(self, jobs: Mapping[str, slurm.QueuedJob] | None, error: str | None) -> None:
        """Take the jobs of runs in SLURM's queue; None and an error if it doesn't answer."""
        self.watch.take_queue(jobs, error)

    def overview(self) -> str:
        """Return everything that the page first shows."""
        about = {
            "version": VERSION,
            "sequence": self.sequence,
            "now": time.time(),
            "project": self._project,
            "is_reading": self.watch.is_reading,
            "states": STATES_SHOWN,
            "warnings": self._warnings(),
            "experiments": self.watch.experiments(),
            "slurm": self._slurm(),
        }
        rows = [self._row(each) for each in self.watch.runs.values()]
        return f'{self._writer.text(about)[:-1]},"runs":[{",".join(rows)}]}}'

    def metrics(self, runs: Sequence[str]) -> str:
        """Return the metrics that runs log, all runs without a name, and the axes of each."""
        axes: dict[str, dict[str, int]] = {}
        counts: dict[str, int] = defaultdict(int)
        for tracked in map(self.find, runs) if runs else self.watch.runs.values():
            try:
                found = self.histories.metrics(tracked).axes
            except (CaduceusError, OSError, ValueError):
                continue  # its row says that it is damaged
            for name, axis in found.items():
                counts[name] += 1
                by_axis = axes.setdefault(name, {})
                by_axis[axis] = by_axis.get(axis, 0) + 1
        declared = dict.fromkeys(axis for of in axes.values() for axis in of)
        listed = []
        for name in sorted(axes):
            own = sorted(axes[name], key=lambda axis: -axes[name][axis])
            first = own if len(own) == 1 else [STEP, *own]
            offered = dict.fromkeys([*first, STEP, "_runtime", *declared])
            listed.append(
                {
                    "name": name,
                    "axes": [axis for axis in offered if axis != name],
                    "runs": counts[name],
                    "is_system": name.startswith(("system/", "system.")),
                }
            )
        return self.text({"metrics": listed})

    def curves(self, query: Query, wanted: Sequence[Wanted]) -> str:
        """Return the curves of runs; of one that isn't there the `error` says so."""
        found = []
        for each in wanted:
            tracked = self.watch.runs.get(each.run)
            if tracked is None:
                found.append({"run": each.run, "error": "there is no such run"})
            else:
                found.append(curve(tracked, self.histories, query, each))
        return self.text({"metric": query.metric, "axis": query.axis, "curves": found})

    def averages(
        self, query: Query, variants: Sequence[tuple[str, str]], states: Sequence[str] | None
    ) -> str:
        """Return the average curves of variants, each an experiment and a name.

        Runs of tries are in none: each edit has its own program.
        """
        chosen = set(_AVERAGED if states is None else states)
        runs: dict[tuple[str, str], list[TrackedRun]] = {pair: [] for pair in variants}
        for tracked in self.watch.runs.values():
            pair = (str(tracked.about.get("experiment")), str(tracked.about.get("variant")))
            is_of_try = tracked.about.get("kind") == "try"
            if pair in runs and tracked.state in chosen and not is_of_try:
                runs[pair].append(tracked)
        methods = self._current_methods()
        found = [
            average(VariantRuns.of(*pair, members, methods.folds), self.histories, query, methods)
            for pair, members in runs.items()
        ]
        method = method_text(methods)
        about = {"metric": query.metric, "axis": query.axis, "method": method}
        return self.text(about | {"averages": found})

    def find(self, run: str) -> TrackedRun:
        """Return a run.

        Raises:
            NotThereError: there is none of that id.
        """
        tracked = self.watch.runs.get(run)
        if tracked is None:
            raise NotThereError("there is no such run")
        return tracked

    def ledger(self, name: str) -> TryLedger:
        """Return a ledger of tries.

        Raises:
            NotThereError: there is none of that name.
        """
        found = self.watch.plans.tries.ledgers.get(name)
        if found is None:
            raise NotThereError("there is no such ledger of tries")
        return found

    def row(self, tracked: TrackedRun) -> dict[str, Any]:
        """Return a run as the page takes it."""
        return self.watch.row(tracked)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The name of each known secret, by its value."""
        return self._writer.secrets

    def text(self, value: Mapping[str, Any]) -> str:
        """Return an answer as JSON."""
        return self._writer.text(value)

    def _row(self, tracked: TrackedRun) -> str:
        """Return the text of a run's row, which is kept while it stays as it is."""
        history = tracked.history
        grown = history and (history.grown.rows, history.grown.samples)
        key = (tracked.about, tracked.epoch, grown, tracked.notes())
        known = self._texts.get(tracked.run)
        if known is None or known[0] != key or tracked.state == "running":
            known = key, self._writer.text(self.watch.row(tracked))
            self._texts[tracked.run] = known
        return known[1]

    def _current_methods(self) -> Methods:
        """Return how the paper averages; by its defaults while config.yaml can't be read."""
        if self._methods is None:
            try:
                self._methods = paper_methods(self.results.absolute())
            except (CaduceusError, OSError):
                return Methods()
        return self._methods

    def _change(self, changes: Changes) -> str:
        return self.text(
            {
                "sequence": self.sequence,
                "now": time.time(),
                "is_reading": self.watch.is_reading,
                "runs": changes.runs,
                "live": changes.live,
                "gone": changes.gone,
                "experiments": changes.experiments,
                "warnings": self._warnings() if changes.warnings is not None else None,
                "slurm": self._slurm(),
                "paper": changes.paper,
                "sweeps": changes.sweeps,
                "tries": sorted(changes.tries),
            }
        )

    @property
    def _project(self) -> str:
        for tracked in self.watch.runs.values():
            if project := tracked.about.get("project"):
                return str(project)
        return self.results.absolute().parent.name

    def _warnings(self) -> list[str]:
        secrets = [self._writer.error] if self._writer.error else []
        return [*self.watch.warnings(), *secrets]

    def _slurm(self) -> dict[str, Any] | None:
        if self.watch.queue_asked_at is None or not self.watch.uses_slurm:
            return None
        return {"asked_at": self.watch.queue_asked_at, "error": self.watch.queue_error}

    def _slurm_is_new(self) -> bool:
        state = self.watch.queue_error if self.watch.uses_slurm else None
        is_new = state != self._known_state
        self._known_state = state
        return is_new
