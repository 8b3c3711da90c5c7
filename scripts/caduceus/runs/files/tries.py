"""results/tries/NAME: a ledger of tries, which `caduceus try` writes."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from caduceus.io.files import Json
from caduceus.io.json_records import Record
from caduceus.runs.files.params import Params
from caduceus.runs.metric import Metric

Verdict = Literal["running", "kept", "discarded", "undecided", "refused"]
_ANSWERED = ("kept", "discarded", "undecided")
_RECORD = re.compile(r"\d{4,}\.json")
_MEND = "restore it from a copy; without it the ledger no longer counts all tries"


@dataclass(frozen=True, kw_only=True)
class Holdout(Record):
    """The key `holdout` of a ledger's settings.

    Attributes:
        parameters: laid over those of the kept code, to make its holdout runs.
        metric: the metric that these runs log.
        seeds: how many runs there are.
    """

    parameters: Mapping[str, Json]
    metric: str
    seeds: int


@dataclass(frozen=True, kw_only=True)
class TrySettings(Record):
    """A ledger's settings, NAME.try.yaml with every default filled in.

    The schema `tries` describes each key. `metric` and `seeds` are those of the experiment where
    the file has none.
    """

    experiment: str
    variant: Mapping[str, Json]
    metric: Metric | None
    seeds: tuple[int, ...] | None
    budget: int | None
    level: float
    min_effect: float
    protected: tuple[str, ...]
    holdout: Holdout | None
    ledger: int

    mend = _MEND


@dataclass(frozen=True, kw_only=True)
class Code(Record):
    """Code of which a ledger keeps a snapshot, and all else that defines its runs but the seed.

    Attributes:
        id: a digest of all this, the name of its snapshot below code/.
        definition: of its run with any seed.
        variant: the name of its variant.
    """

    id: str
    definition: Params
    variant: str


@dataclass(frozen=True, kw_only=True)
class Ledger(Record):
    """ledger.json: what is fixed before the first try.

    Attributes:
        settings: those of its file.
        design: the rules of the sequential test, `Design` of `caduceus.statistics.tries`.
        experiment: the id of the experiment.
        metric: the metric that decides, with its goal.
        first: the incumbent before the first try.
        seeds: those on which tries are screened at first.
        protected: the sha256 of each protected file, by its path in the project.
    """

    settings: TrySettings
    design: Mapping[str, Json]
    experiment: str
    metric: Metric
    first: Code
    seeds: tuple[int, ...]
    protected: Mapping[str, str]

    mend = _MEND


@dataclass(frozen=True, kw_only=True)
class HoldoutResult(Record):
    """The holdout runs of a kept try.

    Attributes:
        runs: their ids.
        value: the mean of the holdout's metric over them; None if a run failed.
        search: the mean of the metric that decides, of the same code and seeds.
        error: why there is no value.
    """

    runs: tuple[str, ...]
    value: float | None
    search: float | None
    error: str | None

    @property
    def gap(self) -> float | None:
        """By how much the value on the holdout is greater than that of the search."""
        if self.value is None or self.search is None:
            return None
        return self.value - self.search


@dataclass(frozen=True, kw_only=True)
class Result(Record):
    """How a try compares with the incumbent.

    Attributes:
        phase: screening or confirmation, from which the other values are.
        pairs: the number of pairs of runs.
        effect: the mean difference to the incumbent; positive if the try is better, whatever the
            goal. None if there is none, as in `low`, `high` and `std`.
        low: the lower end of its 95 % interval.
        high: the upper end.
        std: the standard deviation of the differences.
        p: one-sided, of the confirmation.
        level: what its confirmation took of the ledger's level.
    """

    phase: str
    pairs: int
    effect: float | None
    low: float | None
    high: float | None
    std: float | None
    p: float
    level: float


@dataclass(frozen=True, kw_only=True)
class EarlierTry(Record):
    """Another try as a confirmation knew it when it was opened."""

    level: float
    is_kept: bool


@dataclass(frozen=True, kw_only=True)
class Try(Record):
    """NNNN.json: a try.

    Attributes:
        number: from 1.
        why: the user's reason.
        code: its code.
        against: the incumbent's id that it is compared with.
        verdict: `running` until it is decided; `refused` if it touched protected files.
        reason: why that is its verdict, a machine word.
        sentence: the same as a sentence.
        refused: the protected files that it touched.
        seeds: those that screening uses, in order.
        spread: the standard deviation of a difference as known before the try; None if it isn't.
        fresh: those of the confirmation, in order; empty until it is opened.
        left_out: seeds on which the incumbent failed.
        earlier: the other tries when the confirmation was opened.
        trained: the runs that were trained for it, of both sides.
        runs: all runs that it was decided by, its own and the incumbent's.
        result: the comparison; None before there is one.
        holdout: the holdout runs; None if it wasn't opened.
        cpu_s: the processor time of the runs in `trained`, all their attempts; None if unknown.
        wall_s: the sum of their times in seconds.
        started_at: as ISO 8601, UTC.
        ended_at: when it was decided.
    """

    number: int
    why: str
    code: Code
    against: str
    verdict: Verdict
    reason: str
    sentence: str
    refused: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    spread: float | None = None
    fresh: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()
    earlier: tuple[EarlierTry, ...] = ()
    trained: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    result: Result | None = None
    holdout: HoldoutResult | None = None
    cpu_s: float | None = None
    wall_s: float = 0.0
    started_at: str
    ended_at: str | None = None

    mend = _MEND

    @property
    def decided(self) -> "Try":
        """The try as everything shows it: without the comparison so far, if it still runs.

        Who looks at that and stops when they please is wrong more often than the ledger's level
        says.
        """
        return replace(self, result=None) if self.verdict == "running" else self

    @property
    def is_answered(self) -> bool:
        """Whether it has been compared to the end."""
        return self.verdict in _ANSWERED

    @property
    def decided_on(self) -> tuple[int, ...]:
        """The seeds of the pairs that the result is from."""
        if self.result is None:
            return ()
        seeds = self.fresh if self.result.phase == "confirmation" else self.seeds
        used = [seed for seed in seeds if seed not in self.left_out]
        return tuple(used[: self.result.pairs])


@dataclass(frozen=True)
class LedgerFolder:
    """The paths below results/tries/NAME."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The settings fixed before the first try: see `Ledger`."""
        return self.path / "ledger.json"

    @property
    def table(self) -> Path:
        """All tries as a table."""
        return self.path / "tries.csv"

    def record(self, number: int) -> Path:
        """Return the file of a try: see `Try`."""
        return self.path / f"{number:04d}.json"

    def diff(self, number: int) -> Path:
        """Return the file with the edit of a try, beside the incumbent's code."""
        return self.path / f"{number:04d}.diff"

    @property
    def codes(self) -> Path:
        """The snapshots of all code."""
        return self.path / "code"

    def code(self, id: str) -> Path:
        """Return the folder with a snapshot of code."""
        return self.codes / id

    def tries(self) -> list[Try]:
        """Return all tries in the order of their numbers."""
        files = sorted(self.path.glob("[0-9]*.json"), key=lambda path: (len(path.name), path.name))
        return [Try.read(path) for path in files if _RECORD.fullmatch(path.name)]


def ledger_folders(results: Path) -> list[LedgerFolder]:
    """Return the folders of all ledgers, by name."""
    return [LedgerFolder(path.parent) for path in sorted((results / "tries").glob("*/ledger.json"))]


def try_tables(prefixed: Callable[[str], str]) -> list[str]:
    """Return the tables of all ledgers as paths that start with results/.

    Args:
        prefixed: turns such a path into the path of that file.
    """
    tables = Path(prefixed("results/tries/tries.csv")).parent.glob("*/tries.csv")
    return [f"results/tries/{path.parent.name}/tries.csv" for path in sorted(tables)]


def incumbent_of(folder: LedgerFolder) -> Code:
    """Return the code of the last try that was kept; the first incumbent before."""
    kept = [each.code for each in folder.tries() if each.verdict == "kept"]
    return kept[-1] if kept else Ledger.read(folder.ledger).first


def tried_runs(results: Path) -> set[str]:
    """Return the ids of the runs that tries were trained for or decided by."""
    return {run for folder in ledger_folders(results) for run in _runs_of(folder)}


def _runs_of(folder: LedgerFolder) -> Iterator[str]:
    for each in folder.tries():
        yield from (*each.trained, *each.runs, *(each.holdout.runs if each.holdout else ()))
