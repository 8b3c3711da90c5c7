"""Ledgers of tries: their incumbents, error budget and pairs of runs, for all that show them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Literal

from caduceus.errors import CaduceusError, ResultError
from caduceus.runs.files.export import Summary
from caduceus.runs.files.tries import Code, Ledger, LedgerFolder, Try
from caduceus.runs.folder import RunFolder
from caduceus.runs.try_designs import design_of
from caduceus.runs.variants import leaves
from caduceus.statistics.tries import Design, Outcome, level_of_try

State = Literal["running", "kept", "discarded", "undecided", "refused", "failed"]


def state_of_try(tried: Try) -> State:
    """Return a try's verdict; `failed` if it was discarded because a run of it has no value."""
    return "failed" if (tried.verdict, tried.reason) == ("discarded", "failed") else tried.verdict


@dataclass(frozen=True)
class Pair:
    """The two runs of a seed that a try was decided by: its own and the incumbent's."""

    phase: Literal["screening", "confirmation"]
    seed: int
    own: str
    incumbent: str


def pairs_of(tried: Try) -> tuple[Pair, ...]:
    """Return the pairs of runs that a decided try was decided by, in order."""
    count = len(tried.runs) // 2
    is_confirmed = tried.result is not None and tried.result.phase == "confirmation"
    fresh = min(tried.result.pairs, count) if tried.result and is_confirmed else 0
    screened = [seed for seed in tried.seeds if seed not in tried.left_out][: count - fresh]
    confirmed = [seed for seed in tried.fresh if seed not in tried.left_out][:fresh]
    found: list[Pair] = []
    for place, seed in enumerate((*screened, *confirmed)):
        own, incumbent = tried.runs[2 * place : 2 * place + 2]
        phase: Literal["screening", "confirmation"] = (
            "screening" if place < len(screened) else "confirmation"
        )
        found.append(Pair(phase, seed, own, incumbent))
    return tuple(found)


def seed_ranges(seeds: Sequence[int]) -> str:
    """Return seeds in short, neighbours as a range: "0-2, 7"."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and ranges[-1][-1] == seed - 1:
            ranges[-1][1:] = [seed]
        else:
            ranges.append([seed])
    return ", ".join("-".join(map(str, each)) for each in ranges)


@dataclass(frozen=True)
class ErrorBudget:
    """A ledger's level, which is its chance of a false keep, and how much of it is spent.

    Attributes:
        level: the level of all tries together.
        spent: what confirmations have taken that didn't keep their try.
        at_stake: the part of `spent` that running confirmations take; a keep gives it back.
        next: the level of a confirmation that would begin now.
    """

    level: float
    spent: float
    at_stake: float
    next: float

    @property
    def left(self) -> float:
        """The part of the level that is left for later confirmations."""
        return max(0.0, self.level - self.spent)


@dataclass(frozen=True)
class Incumbent:
    """Code that was the best at its time, and the try that was kept for it; None for the first."""

    code: Code
    kept: Try | None


@dataclass(frozen=True)
class IncumbentValues:
    """The metrics of an incumbent, each a mean over runs with the same seeds.

    Attributes:
        number: the try that was kept; 0 for the first incumbent.
        search: the metric that decides; None if no run of it is there.
        holdout: the holdout's metric; None if that wasn't opened, or has no value.
    """

    number: int
    search: float | None
    holdout: float | None


@dataclass(frozen=True)
class TryLedger:
    """A ledger of tries.

    Attributes:
        folder: its folder.
        ledger: what is fixed before the first try; None if that can't be read.
        tries: those that can be read, in the order of their numbers; the running ones without
            results.
        damage: a line for each file that can't be read or is lost.
        is_complete: whether the record of every try has been read.
    """

    folder: LedgerFolder
    ledger: Ledger | None
    tries: tuple[Try, ...]
    damage: tuple[str, ...]
    is_complete: bool

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self.folder.path.name

    @cached_property
    def settled(self) -> Ledger:
        """The settings that are fixed before the first try.

        Raises:
            ResultError: it can't be read.
        """
        if self.ledger is None:
            raise ResultError(self.damage[0])
        return self.ledger

    @cached_property
    def states(self) -> Mapping[State, int]:
        """The number of tries in each state."""
        return Counter(map(state_of_try, self.tries))

    @property
    def openings(self) -> int:
        """How often the holdout has been opened."""
        return sum(each.holdout is not None for each in self.tries)

    @property
    def incumbents(self) -> tuple[Incumbent, ...]:
        """The first incumbent and those that were kept after it; the last is the present one.

        Raises:
            ResultError: ledger.json can't be read.
        """
        kept = (Incumbent(each.code, each) for each in self.tries if each.verdict == "kept")
        return Incumbent(self.settled.first, None), *kept

    @cached_property
    def budget(self) -> ErrorBudget:
        """What the tries have taken of the level.

        Raises:
            ResultError: ledger.json can't be read, or a try, whose share is then unknown.
        """
        design = design_of(self.settled)
        if not self.is_complete:
            raise ResultError(f"the error budget isn't known: {self.damage[-1]}")
        outcomes = [
            (Outcome(level_of_confirmation(each, design), each.verdict == "kept"), each.verdict)
            for each in self.tries
        ]
        lost = [(outcome.level, verdict) for outcome, verdict in outcomes if not outcome.is_kept]
        return ErrorBudget(
            level=design.level,
            spent=sum(level for level, _ in lost),
            at_stake=sum(level for level, verdict in lost if verdict == "running"),
            next=level_of_try(design, [outcome for outcome, _ in outcomes]),
        )

    @cached_property
    def runs(self) -> frozenset[str]:
        """The ids of the runs that its tries were trained for or decided by."""
        return frozenset(
            run
            for each in self.tries
            for run in (*each.trained, *each.runs, *(each.holdout.runs if each.holdout else ()))
        )


def level_of_confirmation(tried: Try, design: Design) -> float:
    """Return what a try's confirmation took of the ledger's level; 0 if it was never opened."""
    if not tried.fresh:
        return 0.0
    return level_of_try(design, [Outcome(each.level, each.is_kept) for each in tried.earlier])


def lost_numbers(numbers: Sequence[int], listed: int) -> list[int]:
    """Return the numbers of tries that should have one record and don't.

    Args:
        numbers: of the tries with a record.
        listed: how many tries the table has.
    """
    counts = Counter(numbers)
    last = max((listed, len(numbers), *numbers))
    return [number for number in range(1, last + 1) if counts[number] != 1]


def incumbent_values(
    found: TryLedger, value: Callable[[str, str], float | None]
) -> tuple[IncumbentValues, ...]:
    """Return the metrics of all incumbents of a ledger, the first one's first.

    Where a holdout was opened, the metric that decides is taken of the same seeds; else of the
    fresh seeds that confirmed the try. That of the first incumbent is of the seeds of the first try
    that was kept, or else of the last one that it was compared with.

    Args:
        found: the ledger.
        value: returns a metric of a run, given the run's id and the metric's name.

    Raises:
        ResultError: ledger.json can't be read.
    """
    metric, (first, *kept) = found.settled.metric.name, found.incumbents
    against = [each for each in found.tries if each.against == first.code.id and each.result]
    best = [each for each in against if each.verdict == "kept"] or against[-1:]
    firsts = [pair.incumbent for each in best for pair in _deciding(each)]
    values = [IncumbentValues(0, _mean([value(run, metric) for run in firsts]), None)]
    for incumbent in kept:
        tried = incumbent.kept
        if tried is None:
            continue
        held = tried.holdout
        search = held.search if held else None
        if search is None:
            search = _mean([value(pair.own, metric) for pair in _deciding(tried)])
        values.append(IncumbentValues(tried.number, search, held.value if held else None))
    return tuple(values)


def summary_value(results: Path, run: str, metric: str) -> float | None:
    """Return a metric of a finished run from its summary; None if there is no number."""
    try:
        summary = Summary.read_if_there(RunFolder(results / "runs" / run).summary_json)
    except (CaduceusError, OSError):
        return None
    if summary is None or summary.state != "finished":
        return None
    found = dict(leaves(summary.summary)).get(metric)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and isinstance(found, int | float) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _deciding(tried: Try) -> list[Pair]:
    """Return the pairs of the phase that decided a try."""
    phase = tried.result.phase if tried.result else ""
    return [pair for pair in pairs_of(tried) if pair.phase == phase]
