"""Decide a try: train pairs of runs, a few at a time, until the sequential test has a verdict.

Nothing is kept in memory that a kill could lose: a try's record holds its seeds before any run
starts, and the decision is made anew from the runs that are there.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import fmean
from typing import NoReturn

from caduceus.errors import ResultError
from caduceus.io.files import Json
from caduceus.runs.cost import total_cost
from caduceus.runs.files.tries import (
    Code,
    EarlierTry,
    HoldoutResult,
    Ledger,
    LedgerFolder,
    Result,
    Try,
    Verdict,
    incumbent_of,
)
from caduceus.runs.try_designs import design_of
from caduceus.runs.try_ledgers import level_of_confirmation
from caduceus.statistics.tries import REASONS, Design, Outcome, Step, next_step
from caduceus.tries.codes import run_of
from caduceus.tries.evidence import Evidence
from caduceus.tries.table import write_table
from caduceus.tries.values import Failed, Pairs, TryFailedError, read_value

_SUPERSEDED = "superseded"
_FAILED = "failed"
_UNDECIDED = "it hasn't been decided yet"
_AT_ONCE = 2  # pairs of screening at least, as each start of Snakemake takes seconds
_HOUR_S = 3600


@dataclass(frozen=True)
class Wanted:
    """Runs to be trained: of one code, with some seeds, perhaps with further parameters."""

    code: Code
    seeds: tuple[int, ...]
    extra: Mapping[str, Json] | None = None


Train = Callable[[Sequence[Wanted]], None]


@dataclass(frozen=True)
class Gate:
    """A ledger of tries at work.

    Attributes:
        evidence: its runs.
        train: trains and exports runs.
        check_protected: raises an error if a protected file has changed meanwhile.
    """

    evidence: Evidence
    train: Train
    check_protected: Callable[[], None]

    @property
    def folder(self) -> LedgerFolder:
        """The ledger's folder."""
        return self.evidence.folder

    @property
    def ledger(self) -> Ledger:
        """The settings that are fixed in the ledger."""
        return self.evidence.ledger

    @property
    def incumbent(self) -> Code:
        """The code that tries are compared with."""
        return incumbent_of(self.folder)

    def find(self, code: Code) -> Try | None:
        """Return the try of some code: decided, or to be gone on with."""
        same = [each for each in self.folder.tries() if each.code.id == code.id]
        for each in reversed(same):
            if self._is_cleared(each):
                each = replace(each, verdict="running", reason="running", sentence=_UNDECIDED)
            if each.is_answered and each.reason != _SUPERSEDED:
                return each
            if each.verdict == "running":
                if each.against == self.incumbent.id:
                    return each
                sentence = "another try was kept meanwhile, so it starts again against that"
                self.save(_ended(each, "undecided", _SUPERSEDED, sentence))
        return None

    def _is_cleared(self, tried: Try) -> bool:
        """Whether a run failed, and `caduceus retry` has cleared it since."""
        if tried.reason != _FAILED:
            return False
        seeds = (*tried.seeds, *tried.fresh)
        return not any(isinstance(self.evidence.value(tried.code, s), Failed) for s in seeds)

    @property
    def next_number(self) -> int:
        """The number of the next try."""
        tries = self.folder.tries()
        return tries[-1].number + 1 if tries else 1

    def begin(self, code: Code, why: str) -> Try:
        """Record a new try; its code isn't run yet."""
        new = self._new(code, why)
        new = replace(
            new,
            seeds=self.evidence.screening_seeds(new.number),
            spread=_known(self.evidence.spread()),
        )
        self.save(new)
        return new

    def refuse(self, code: Code, why: str, touched: tuple[str, ...]) -> Try:
        """Record a try that touched protected files."""
        sentence = "it touched protected files, so it isn't run"
        new = replace(self._new(code, why), refused=touched)
        refused = _ended(new, "refused", "protected", sentence)
        self.save(refused)
        return refused

    def _new(self, code: Code, why: str) -> Try:
        return Try(
            number=self.next_number,
            why=why,
            code=code,
            against=self.incumbent.id,
            verdict="running",
            reason="running",
            sentence=_UNDECIDED,
            started_at=_now(),
        )

    def save(self, changed: Try) -> None:
        """Write a try, and the table of all."""
        changed.write(self.folder.record(changed.number))
        write_table(self.folder)

    def decide(self, tried: Try) -> Try:
        """Train what is needed to decide a try, record the verdict, and return the try.

        Raises:
            ResultError: the incumbent fails on every seed.
        """
        design = design_of(self.ledger)
        screened = confirmed = 0
        trained: tuple[Pairs, ...] = ()
        while True:
            earlier = self._earlier(tried)
            try:
                screening = self.evidence.pairs(tried, tried.seeds, screened)
                confirmation = self.evidence.pairs(tried, tried.fresh, confirmed)
            except TryFailedError as error:
                return self._settle(tried, "discarded", _FAILED, str(error))
            left_out = (*screening.left_out, *confirmation.left_out)
            if left_out != tried.left_out:
                tried = replace(tried, left_out=left_out)
                self.save(tried)
            if short := screened - len(screening.seeds):
                self._check_incumbent(tried, screening)
                tried = replace(tried, seeds=(*tried.seeds, *self.evidence.unused_seeds(short)))
                continue
            if short := confirmed - len(confirmation.seeds):
                tried = replace(tried, fresh=(*tried.fresh, *self.evidence.unused_seeds(short)))
                continue
            if not (screening.is_complete and confirmation.is_complete):
                if trained == (screening, confirmation):
                    self._say_untrained(tried, trained)
                trained = (screening, confirmation)
                tried = self._train(tried, trained)
                continue
            screen, confirm = (
                self.evidence.differences(pairs.own, pairs.incumbent)
                for pairs in (screening, confirmation)
            )
            spread = math.nan if tried.spread is None else tried.spread
            step = next_step(design, earlier, screen, confirm, spread)
            tried = self._with_result(tried, step, [screening, confirmation])
            if step.decision == "screen":
                next_look = len(screening.seeds) + max(step.pairs, _AT_ONCE)
                screened = min(next_look, design.screening[-1])
            elif step.decision == "confirm":
                if not tried.fresh:
                    tried = self._open_confirmation(tried, design, earlier)
                confirmed = len(confirmation.seeds) + step.pairs
            else:
                return self._settle(tried, step.decision, step.reason, REASONS[step.reason])

    def _check_incumbent(self, tried: Try, screening: Pairs) -> None:
        """Check that the incumbent has a value on some seed of the screening.

        Raises:
            ResultError: it has none.
        """
        if screening.seeds:
            return
        first = self.evidence.value(self.evidence.code(tried.against), tried.seeds[0])
        reason = f"{first.run}: {first.reason}" if isinstance(first, Failed) else ""
        raise ResultError(
            f"the incumbent fails on all of its {len(tried.seeds)} seeds, so that nothing can be "
            f"compared with it ({reason}); `caduceus retry` clears failed runs",
            str(self.folder.path),
        )

    def _say_untrained(self, tried: Try, pairs: Iterable[Pairs]) -> NoReturn:
        codes = tried.code, self.evidence.code(tried.against)
        run = next(
            self.evidence.run_of(code, seed)
            for each in pairs
            for code, seeds in zip(codes, each.to_train, strict=True)
            for seed in seeds
        )
        raise ResultError(
            "has been trained, and counts as stale again at once: a file that it has read changes "
            "while runs go on; `caduceus plan` names it",
            str(self.evidence.record(run).folder.path),
        )

    def _train(self, tried: Try, pairs: Iterable[Pairs]) -> Try:
        """Train the missing runs of both sides together, and return the try with their ids."""
        incumbent = self.evidence.code(tried.against)
        own = tuple(seed for each in pairs for seed in each.to_train[0])
        other = tuple(seed for each in pairs for seed in each.to_train[1])
        wanted = [Wanted(tried.code, own), Wanted(incumbent, other)]
        tried = self._with_trained(tried, wanted)
        self.train([each for each in wanted if each.seeds])
        self.check_protected()
        return tried

    def _with_trained(self, tried: Try, wanted: Sequence[Wanted]) -> Try:
        runs = [
            run_of(self.ledger.experiment, each.code, seed, each.extra)
            for each in wanted
            for seed in each.seeds
        ]
        tried = replace(tried, trained=tuple(dict.fromkeys((*tried.trained, *runs))))
        self.save(tried)
        return tried

    def _with_result(self, tried: Try, step: Step, pairs: Sequence[Pairs]) -> Try:
        experiment, incumbent = self.ledger.experiment, self.evidence.code(tried.against)
        seeds = [seed for each in pairs for seed in each.seeds]
        runs = [run_of(experiment, code, s) for s in seeds for code in (tried.code, incumbent)]
        if step.n == 0:
            return tried
        result = Result(
            phase=step.phase,
            pairs=step.n,
            effect=_known(step.effect),
            low=_known(step.low),
            high=_known(step.high),
            std=_known(step.std),
            p=step.p,
            level=step.level,
        )
        return replace(tried, result=result, runs=tuple(runs))

    def _earlier(self, tried: Try) -> list[Outcome]:
        """Return the other tries, of an opened confirmation as they were when it was opened."""
        if tried.fresh:
            return [Outcome(each.level, each.is_kept) for each in tried.earlier]
        return self._outcomes(each for each in self.folder.tries() if each.number != tried.number)

    def _outcomes(self, tries: Iterable[Try]) -> list[Outcome]:
        design = design_of(self.ledger)
        return [
            Outcome(level_of_confirmation(each, design), each.verdict == "kept") for each in tries
        ]

    def _open_confirmation(self, tried: Try, design: Design, earlier: Sequence[Outcome]) -> Try:
        tried = replace(
            tried,
            fresh=self.evidence.unused_seeds(design.confirmation[-1]),
            earlier=tuple(EarlierTry(level=each.level, is_kept=each.is_kept) for each in earlier),
        )
        self.save(tried)
        return tried

    def _settle(self, tried: Try, verdict: Verdict, reason: str, sentence: str) -> Try:
        if verdict == "kept":
            tried = self._open_holdout(tried)
        attempts = [each for run in tried.trained for each in self.evidence.record(run).attempts]
        cost = total_cost(attempts)
        tried = replace(
            tried,
            cpu_s=None if cost.cpu_hours is None else round(cost.cpu_hours * _HOUR_S, 3),
            wall_s=round(cost.wall_hours * _HOUR_S, 3),
        )
        tried = _ended(tried, verdict, reason, sentence)
        self.save(tried)
        return tried

    def _open_holdout(self, tried: Try) -> Try:
        """Run a kept try's code on the holdout."""
        holdout = self.ledger.settings.holdout
        if holdout is None:
            return tried
        seeds = [seed for seed in tried.fresh if seed not in tried.left_out][: holdout.seeds]
        runs = {run_of(self.ledger.experiment, tried.code, s, holdout.parameters): s for s in seeds}
        found = {run: read_value(self.evidence.record(run), holdout.metric) for run in runs}
        missing = tuple(runs[run] for run, value in found.items() if value is None)
        if missing:
            wanted = [Wanted(tried.code, missing, holdout.parameters)]
            tried = self._with_trained(tried, wanted)
            self.train(wanted)
            self.check_protected()
            found = {run: read_value(self.evidence.record(run), holdout.metric) for run in runs}
        failed = [value for value in found.values() if isinstance(value, Failed)]
        values = [value for value in found.values() if isinstance(value, float)]
        searched = [self.evidence.value(tried.code, seed) for seed in seeds]
        search = [value for value in searched if isinstance(value, float)]
        result = HoldoutResult(
            runs=tuple(runs),
            value=None if failed else fmean(values),
            search=fmean(search) if search else None,
            error=f"run {failed[0].run}: {failed[0].reason}" if failed else None,
        )
        return replace(tried, holdout=result)


def _ended(tried: Try, verdict: Verdict, reason: str, sentence: str) -> Try:
    return replace(tried, verdict=verdict, reason=reason, sentence=sentence, ended_at=_now())


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
