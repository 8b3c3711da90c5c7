"""Read the values, pairs, known seeds and fresh seeds of a ledger's runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from caduceus.runs.files.tries import Code, Ledger, LedgerFolder, Try, incumbent_of
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.record import RunRecord, read_records
from caduceus.runs.try_designs import design_of
from caduceus.statistics.tries import paired_differences, screening_seeds, spread_of_differences
from caduceus.tries.codes import run_of
from caduceus.tries.values import Pairs, Value, pair_up, read_value


@dataclass(frozen=True)
class Evidence:
    """The runs of a ledger.

    Attributes:
        folder: the ledger's.
        ledger: what is fixed in it.
        results: the folder results/.
    """

    folder: LedgerFolder
    ledger: Ledger
    results: Path

    def code(self, id: str) -> Code:
        """Return code that was tried, or the first incumbent, by its id."""
        if id not in self._codes:  # a ledger may have hundreds of tries
            self._codes.update({each.code.id: each.code for each in self.folder.tries()})
        return self._codes[id]

    @cached_property
    def _codes(self) -> dict[str, Code]:
        return {self.ledger.first.id: self.ledger.first}

    def record(self, run: str) -> RunRecord:
        """Return a run, which need not exist."""
        return RunRecord(RunFolder(self.results / "runs" / run))

    def run_of(self, code: Code, seed: int) -> str:
        """Return the id of a run."""
        return run_of(self.ledger.experiment, code, seed)

    def value(self, code: Code, seed: int) -> Value:
        """Return the metric of a run."""
        return read_value(self.record(self.run_of(code, seed)), self.ledger.metric.name)

    def pairs(self, tried: Try, seeds: Sequence[int], wanted: int) -> Pairs:
        """Return the first pairs of a try and its incumbent.

        Raises:
            TryFailedError: a run of the try has no value.
        """
        incumbent = self.code(tried.against)
        return pair_up(
            seeds,
            wanted,
            lambda seed: self.value(tried.code, seed),
            lambda seed: self.value(incumbent, seed),
        )

    def differences(self, own: Sequence[float], incumbent: Sequence[float]) -> tuple[float, ...]:
        """Return by how much a try is better on each seed."""
        if not own:
            return ()
        is_greater_better = self.ledger.metric.goal is not Goal.MINIMIZE
        return tuple(map(float, paired_differences(own, incumbent, is_greater_better)))

    def spread(self) -> float:
        """Return the standard deviation of a difference so far; NaN if nothing shows it."""
        incumbent = incumbent_of(self.folder)
        seeds = set(self.ledger.seeds)
        differences = []
        for each in self.folder.tries():
            if incumbent.id in (each.against, each.code.id):
                seeds.update((*each.seeds, *each.fresh))
            if each.is_answered:
                differences.append(self._known_differences(each))
        values = [self.value(incumbent, seed) for seed in sorted(seeds)]
        known = [value for value in values if isinstance(value, float)]
        return spread_of_differences(known, differences)

    def screening_seeds(self, number: int) -> tuple[int, ...]:
        """Return the seeds that screen a try: of those that the incumbent has run with."""
        pool, incumbent = list(self.ledger.seeds), incumbent_of(self.folder).id
        for each in self.folder.tries():
            has_run = each.verdict == "kept" and each.code.id == incumbent
            if (has_run or each.against == incumbent) and each.result and each.fresh:
                usable = [seed for seed in each.fresh if seed not in each.left_out]
                pool += usable[: each.result.pairs]
        return screening_seeds(pool, number, design_of(self.ledger).screening[-1])

    def unused_seeds(self, number: int) -> tuple[int, ...]:
        """Return seeds that no run of the experiment and no try has had: the smallest ones."""
        if number < 1:
            return ()
        used = set(self.ledger.seeds)
        for each in self.folder.tries():
            used.update((*each.seeds, *each.fresh))
        for record in read_records(self.results):
            if record.run.startswith(f"{self.ledger.experiment}-") and not record.damage:
                # `caduceus retry` leaves a failed run's run.json alone, whose seed has been used
                if record.folder.run_json.exists():
                    used.add(record.identity.seed)
                elif record.folder.params_json.exists():
                    used.add(record.params.seed)
        unused = (seed for seed in count() if seed not in used)
        return tuple(next(unused) for _ in range(number))

    def _known_differences(self, tried: Try) -> tuple[float, ...]:
        other = self.code(tried.against)
        own, incumbent = [], []
        for seed in (*tried.seeds, *tried.fresh):
            value, known = self.value(tried.code, seed), self.value(other, seed)
            if isinstance(value, float) and isinstance(known, float):
                own.append(value)
                incumbent.append(known)
        return self.differences(own, incumbent)
