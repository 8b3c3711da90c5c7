"""Ledgers of tries, and how far a try is that runs now; numbers wait for its verdict.

Whoever looks at a try's effect seed by seed, and ends it when they please, keeps noise. So of a
running try the page says which runs are there, and at how many pairs it is decided.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.paper.report.tries import ledger_view
from caduceus.runs.files.tries import Code, Try
from caduceus.runs.try_designs import design_of
from caduceus.runs.try_ledgers import TryLedger, incumbent_values, summary_value
from caduceus.statistics.tries import Design
from caduceus.system.leases import is_held
from caduceus.tries.codes import run_of

Row = dict[str, Any]
_ENDED = ("finished", "failed", "skipped")


@dataclass(frozen=True)
class Side:
    """A run of a pair, and its state; `to do` if nothing is there yet."""

    run: str
    state: str


@dataclass(frozen=True)
class Progress:
    """How far a running try is.

    Attributes:
        phase: screening or confirmation.
        there: how many pairs are complete.
        next: the number of pairs at which it may be decided next.
        most: at most so many pairs.
        looks: all numbers of pairs at which it may be decided.
        seeds: the seed, the try's run and the incumbent's of each pair up to the next decision.
        is_at_work: whether a `caduceus try` is at work; else the try was interrupted.
    """

    phase: str
    there: int
    next: int
    most: int
    looks: tuple[int, ...]
    seeds: tuple[tuple[int, Side, Side], ...]
    is_at_work: bool

    def to_json(self) -> Row:
        """Return it as the page takes it."""
        seeds = [{"seed": s, "own": vars(o), "incumbent": vars(i)} for s, o, i in self.seeds]
        return {**vars(self), "seeds": seeds}


class TryRows:
    """The ledgers of a board, with what was read of the runs that ended."""

    def __init__(self, results: Path):
        self._results = results
        self._values: dict[tuple[str, str], float] = {}
        self._ids: dict[tuple[str, str, int], str] = {}
        self._live: dict[str, Mapping[int, Progress]] = {}
        self._texts: dict[str, tuple[TryLedger, Mapping[int, Progress], str]] = {}

    def moved(
        self, ledgers: Mapping[str, TryLedger], runs: Mapping[str, TrackedRun]
    ) -> Iterator[str]:
        """Yield the names of ledgers with a running try that has got further since the last call.

        Args:
            ledgers: all ledgers, by name.
            runs: all runs, by id.
        """
        before, self._live = self._live, {}
        for name, found in ledgers.items():
            self._live[name] = self._progress(found, runs)
            if self._live[name] != before.get(name, {}):
                yield name
        self._texts = {name: text for name, text in self._texts.items() if name in ledgers}

    def text(
        self,
        found: TryLedger,
        runs: Mapping[str, TrackedRun],
        write: Callable[[Mapping[str, Any]], str],
    ) -> str:
        """Return a ledger as JSON, which is kept while nothing of it changes.

        Args:
            found: the ledger.
            runs: all runs, by id.
            write: writes an answer.
        """
        live = self._progress(found, runs)
        known = self._texts.get(found.name)
        if known is None or known[0] is not found or known[1] != live:
            values = incumbent_values(found, self._value) if found.ledger else ()
            view = ledger_view(found, values)
            for row in view["tries"] or ():
                progress = live.get(row["number"])
                row["live"] = progress.to_json() if progress else None
                if progress and not progress.is_at_work:
                    row["state"] = "interrupted"
            known = found, live, write(view)
            self._texts[found.name] = known
        return known[2]

    def _value(self, run: str, metric: str) -> float | None:
        """Return a metric of a run; once it is there, its summary isn't read again."""
        if (run, metric) not in self._values:
            value = summary_value(self._results, run, metric)
            if value is None:
                return None
            self._values[run, metric] = value
        return self._values[run, metric]

    def _progress(self, found: TryLedger, runs: Mapping[str, TrackedRun]) -> Mapping[int, Progress]:
        running = [each for each in found.tries if each.verdict == "running"]
        if not running or found.ledger is None:
            return {}
        folder = self._results / "tries"
        is_at_work = is_held(folder / "lease.json", folder / "lock")
        try:
            looks = design_of(found.ledger)
        except CaduceusError:
            return {}  # the line on the budget says what is wrong with it
        codes = {each.code.id: each.code for each in found.tries}
        codes[found.ledger.first.id] = found.ledger.first
        live = {}
        for tried in running:
            if tried.against not in codes:
                continue  # its record is lost, as a line of `damage` says
            sides = [
                lambda seed, code=code: self._side(found, code, seed, runs)
                for code in (tried.code, codes[tried.against])
            ]
            live[tried.number] = _progress_of(tried, looks, sides[0], sides[1], is_at_work)
        return live

    def _side(
        self, found: TryLedger, code: Code, seed: int, runs: Mapping[str, TrackedRun]
    ) -> Side:
        experiment = found.settled.experiment
        key = experiment, code.id, seed
        if key not in self._ids:
            self._ids[key] = run_of(experiment, code, seed)
        run = self._ids[key]
        return Side(run, runs[run].state if run in runs else "to do")


def _progress_of(
    tried: Try,
    design: Design,
    own: Callable[[int], Side],
    incumbent: Callable[[int], Side],
    is_at_work: bool,
) -> Progress:
    seeds = [seed for seed in tried.fresh or tried.seeds if seed not in tried.left_out]
    looks = design.confirmation if tried.fresh else design.screening
    sides = [(seed, own(seed), incumbent(seed)) for seed in seeds]
    planned = sum(side.run in tried.trained for _, side, _ in sides)
    upcoming = next((look for look in looks if look >= planned), looks[-1])
    shown = sides[:upcoming]
    return Progress(
        phase="confirmation" if tried.fresh else "screening",
        there=sum(one.state in _ENDED and other.state in _ENDED for _, one, other in shown),
        next=upcoming,
        most=looks[-1],
        looks=looks,
        seeds=tuple(shown),
        is_at_work=is_at_work,
    )
