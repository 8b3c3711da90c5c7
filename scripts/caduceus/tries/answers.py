"""The answer of `caduceus try`: a verdict, its cost and what to do next, as lines and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from caduceus.io.files import Json
from caduceus.io.phrases import count_of, listed
from caduceus.runs.differences import differences
from caduceus.runs.files.tries import HoldoutResult, Ledger, LedgerFolder, Result, Try, Verdict
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.try_ledgers import pairs_of, seed_ranges
from caduceus.runs.try_reader import read_try_ledger
from caduceus.tries.next_steps import next_step_after

_NAMED = 4  # differences of environments in a line
# The exit status of `caduceus try`; 1 is an error to be mended, and 2 wrong arguments.
STATUSES: dict[Verdict, int] = {"kept": 0, "discarded": 4, "undecided": 5, "refused": 6}


@dataclass(frozen=True)
class ShownHoldout:
    """The holdout of a kept try.

    Attributes:
        metric: the metric of the holdout.
        value: its mean; None if a run failed.
        gap: by how much it is greater than the mean of the metric that decides.
        uses: how often the ledger's holdout has been opened.
        error: why there is no value.
    """

    metric: str
    value: float | None
    gap: float | None
    uses: int
    error: str | None


@dataclass(frozen=True)
class TryAnswer:
    """A try as `caduceus try` answers it.

    Attributes:
        ledger: the ledger's folder.
        number: the try's number in it.
        verdict: kept, discarded, undecided or refused.
        reason: why, a machine word.
        sentence: why, as a sentence.
        metric: the metric that decides.
        goal: which of its values are better.
        result: the comparison with the incumbent; None if there is none.
        seeds: those of its pairs, in order.
        refused: the protected files that it touched.
        left_out: seeds on which the incumbent failed.
        environment: in what the environments of these pairs' runs differ, as phrases.
        holdout: its holdout; None if that wasn't opened.
        incumbent: the id of the incumbent's code now.
        code: the id of the try's code.
        is_new: whether it was decided now, and not before.
        cpu_s: the processor time of the runs that were trained for it; None if unknown.
        wall_s: the sum of their times in seconds.
        trained: how many runs these are.
        level: the chance that the ledger keeps any edit that isn't better.
        level_left: what its confirmations have left of that.
        diff: the file with the edit.
        next: what to do next.
    """

    ledger: str
    number: int
    verdict: Verdict
    reason: str
    sentence: str
    metric: str
    goal: Literal["maximize", "minimize"]
    result: Result | None
    seeds: tuple[int, ...]
    refused: tuple[str, ...]
    left_out: tuple[int, ...]
    environment: tuple[str, ...]
    holdout: ShownHoldout | None
    incumbent: str
    code: str
    is_new: bool
    cpu_s: float | None
    wall_s: float
    trained: int
    level: float
    level_left: float
    diff: str
    next: str

    def to_json(self) -> dict[str, Json]:
        """Return the answer as a JSON object, as the schema `try` describes it."""
        result = self.result.to_json() if self.result else None
        holdout = asdict(self.holdout) if self.holdout else None
        return {**vars(self), "result": result, "holdout": holdout}

    @property
    def status(self) -> int:
        """The exit status of `caduceus try`."""
        return STATUSES[self.verdict]

    def lines(self) -> list[str]:
        """Return the verdict, differing environments, the holdout, the cost and what is next."""
        parts = [f"try {self.number} {self.verdict}", f"{self.sentence}"]
        if self.refused:
            parts = [f"try {self.number} refused", f"{self.sentence}: {', '.join(self.refused)}"]
        line = ": ".join(parts)
        if self.result and self.result.effect is not None:
            line += f"; {self.metric} is {_effect(self.result)} on {_on(self)}"
        if self.left_out:
            line += f"; the incumbent failed on {_seeds(self.left_out)}, left out"
        known = "" if self.is_new else " (decided before)"
        lines = [f"{line}{known}"]
        if self.environment:
            how = listed(self.environment, _NAMED)
            lines.append(f"environment: the runs of these pairs differ in {how}")
        return [*lines, *_holdout_lines(self), _cost_line(self), f"next: {self.next}"]


def answer_of(tried: Try, folder: LedgerFolder, is_new: bool) -> TryAnswer:
    """Return the answer on a decided try.

    Args:
        tried: the try.
        folder: its ledger's folder.
        is_new: whether it was decided now.

    Raises:
        ResultError: a file of the ledger can't be read.
    """
    found = read_try_ledger(folder)
    ledger = found.settled
    return TryAnswer(
        ledger=folder.path.as_posix(),
        number=tried.number,
        verdict=tried.verdict,
        reason=tried.reason,
        sentence=tried.sentence,
        metric=ledger.metric.name,
        goal="minimize" if ledger.metric.goal == "minimize" else "maximize",
        result=tried.result,
        seeds=tried.decided_on,
        refused=tried.refused,
        left_out=tried.left_out,
        environment=_environment(tried, folder),
        holdout=_shown(tried.holdout, ledger, found.openings),
        incumbent=found.incumbents[-1].code.id,
        code=tried.code.id,
        is_new=is_new,
        cpu_s=tried.cpu_s,
        wall_s=tried.wall_s,
        trained=len(tried.trained),
        level=ledger.settings.level,
        level_left=found.budget.left,
        diff=folder.diff(tried.number).as_posix(),
        next=next_step_after(tried, folder),
    )


def _environment(tried: Try, folder: LedgerFolder) -> tuple[str, ...]:
    """Return in what the environments of the runs that a try was decided by differ."""
    phase = tried.result.phase if tried.result else ""
    pairs = [pair for pair in pairs_of(tried) if pair.phase == phase]
    runs = folder.path.parents[1] / "runs"
    records = [
        RunRecord(RunFolder(runs / run)) for pair in pairs for run in (pair.own, pair.incumbent)
    ]
    return differences([each.attempts for each in records if not each.damage]).environment


def _shown(found: HoldoutResult | None, ledger: Ledger, uses: int) -> ShownHoldout | None:
    if found is None or ledger.settings.holdout is None:
        return None
    return ShownHoldout(ledger.settings.holdout.metric, found.value, found.gap, uses, found.error)


def _effect(result: Result) -> str:
    effect = result.effect or 0.0
    word = "better" if effect >= 0 else "worse"
    text = f"{word} by {abs(effect):.4g}"
    if result.low is None or result.high is None:
        return text
    sign = "" if effect >= 0 else "better by "
    return f"{text} (95 % interval {sign}{result.low:.4g} to {result.high:.4g})"


def _on(answer: TryAnswer) -> str:
    is_fresh = answer.result is not None and answer.result.phase == "confirmation"
    return _seeds(answer.seeds, "fresh seed" if is_fresh else "seed")


def _seeds(seeds: Sequence[int], what: str = "seed") -> str:
    """Return seeds as words, neighbours as a range: "4 seeds (0-2, 7)"."""
    return f"{count_of(len(seeds), what)} ({seed_ranges(seeds)})"


def _holdout_lines(answer: TryAnswer) -> list[str]:
    found = answer.holdout
    if found is None:
        return []
    about = f"opened {count_of(found.uses, 'time')} by this ledger"
    if found.value is None:
        return [f"holdout: no value ({found.error}); {about}"]
    gap = "" if found.gap is None else f", {found.gap:+.4g} to {answer.metric}"
    return [f"holdout: {found.metric} is {found.value:.6g}{gap}; {about}"]


def _cost_line(answer: TryAnswer) -> str:
    cost = ""
    if answer.trained:
        times = f"{answer.wall_s:.0f} s of training"
        if answer.cpu_s is not None:
            times += f", {answer.cpu_s:.0f} s of processors"
        cost = f"cost: {count_of(answer.trained, 'run')}, {times}; "
    left, level = f"{100 * answer.level_left:.3g} %", f"{100 * answer.level:.3g} %"
    return f"{cost}error budget: {left} left of {level}, the chance of any false keep"
