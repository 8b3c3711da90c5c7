"""The exported runs that an entry of the paper shows, by variant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper.results import (
    Result,
    Variant,
    axis_at,
    by_variant,
    check_place,
    logged_by,
    read_result,
)
from caduceus.project.paper import Entry
from caduceus.project.paper_selections import CandidateRun, candidate_runs, is_allowed, is_shown
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.unknown_metrics import no_number
from caduceus.statistics.settings import Methods

# Above this number of runs, their rows are read faster by pyarrow, the import included.
_MANY = 50


@dataclass(frozen=True)
class ExportedRuns:
    """The runs of experiments; their files are read when they are first needed, and once.

    Attributes:
        paths: results/experiments/ID.json of the experiments.
        methods: the statistical methods, which say whether runs are folds.
    """

    paths: Sequence[Path]
    methods: Methods = field(default_factory=Methods)

    @cached_property
    def plans(self) -> list[Plan]:
        """The experiments."""
        return [Plan.read(path) for path in self.paths]

    @cached_property
    def planned(self) -> list[tuple[CandidateRun, Path]]:
        """Each run in the order of the experiment files, and the plan that lists it."""
        pairs = zip(self.plans, self.paths, strict=True)
        return [(planned, path) for plan, path in pairs for planned in candidate_runs(plan)]

    def result(self, planned: CandidateRun, plan: Path) -> Result:
        """Return an exported run."""
        if planned.run not in self._results:
            record = RunRecord(RunFolder.of_plan(plan, planned.run))
            self._results[planned.run] = read_result(planned, record, self.methods)
        return self._results[planned.run]

    @cached_property
    def _results(self) -> dict[str, Result]:
        return {}


def read_results(runs: ExportedRuns, entry: Entry, where: str) -> list[Variant]:
    """Return the variants that an entry of `paper` shows, in the order of the experiment files.

    Args:
        runs: those of the experiments; runs that the entry doesn't show are skipped.
        entry: the entry.
        where: its keys, for error messages, such as paper.tables.accuracy.

    Raises:
        SpecError: no run has one of its metrics.
    """
    results = [
        result
        for planned, plan in runs.planned
        if is_shown(planned, entry)
        for result in [runs.result(planned, plan)]
        if is_shown(_known(planned, result), entry)
    ]
    if len(results) > _MANY and not all(each.is_summary for each in entry.metrics.values()):
        import_light_pyarrow()
    _check_metrics(entry, results, where)
    return by_variant(results, runs.methods)


def allowed_variants(runs: ExportedRuns, entry: Entry) -> list[Variant]:
    """Return all variants that the `experiments` and `groups` of an entry allow."""
    allowed = [runs.result(*each) for each in runs.planned if is_allowed(each[0], entry)]
    return by_variant(allowed, runs.methods)


def _known(planned: CandidateRun, result: Result) -> CandidateRun:
    """Return the planned run with its parameters, which a trial has only once it ran."""
    about = (planned.run, planned.experiment, planned.group, planned.variant, planned.seed)
    return CandidateRun(*about, planned.parameters or result.parameters)


def _check_metrics(entry: Entry, results: Sequence[Result], where: str) -> None:
    finished = [result for result in results if result.state == "finished"]
    for heading, metric in entry.metrics.items():
        check_place(heading, metric, finished, where)
        # If all runs diverged there is no number, which is a result and no mistake in `paper`.
        if not finished or any(result.number(metric) is not None for result in finished):
            continue
        place = ""
        if metric.position is not None:
            axis = axis_at(metric, finished)
            at = metric.place(axis)
            has_ended = all(
                result.place(metric.name, axis, metric.position).has_ended for result in finished
            )
            place = f"at {at}, as all runs end before" if has_ended else f"at {at} or before"
        message = no_number(metric, logged_by(finished), place)
        raise SpecError(f"metrics.{heading}: {message}", where)
