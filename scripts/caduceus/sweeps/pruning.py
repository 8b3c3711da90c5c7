"""Evaluate the runs of a sweep: whether a run is stopped early, and what its result is.

Both follow only from the run's rows and their order. A run that continued past the rung at which
hyperband stops it has the same result as one that was stopped exactly there.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from caduceus.errors import SpecError
from caduceus.io.composition import compose
from caduceus.io.phrases import pasted
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.sweep import MissingMetric
from caduceus.runs.files.train import NO_OUTCOME, Train, TrialOutcome
from caduceus.runs.files.trial import Assignment, Trial
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.logs import logs_of_attempt, resumed_from, stitch_attempts
from caduceus.runs.unknown_metrics import logged_instead, no_run_logged
from caduceus.sweeps.folders import SweepFolder, earlier_rung_values, is_confirmation
from caduceus.sweeps.hyperband import (
    HyperbandSettings,
    RungValue,
    finite_values,
    rows_until,
    rung_values,
    rungs,
    stopping_rung,
)
from caduceus.wandb_log import Part, Row, RowWatch, has_rows, iter_run, read_log
from caduceus.wandb_log.records import metric_name

_POLL_S = 1.0


class Pruner(Protocol):
    """Decides while an attempt runs whether to stop it early."""

    @property
    def has_stopped(self) -> bool:
        """Whether it has decided to stop the run."""

    def should_continue(self) -> bool:
        """Return False once the run is to be stopped; cheap to call often."""


@dataclass(frozen=True)
class TrialCriteria:
    """How the runs of a trial are evaluated.

    Attributes:
        metric: the sweep's metric; None if it has none.
        goal: which values are best.
        impute: which of its own values a failed run counts with: see `SweepConfig`.
        settings: of hyperband; None if runs are never stopped, or if the server stops them.
        others: the values of the runs it is compared with, at the rungs they have reached.
        assignment: the server's ids of `agent` and `run`, if a W&B server chose the trial.
    """

    metric: str | None
    goal: Goal
    impute: str
    settings: HyperbandSettings | None
    others: Sequence[Mapping[int, RungValue]]
    assignment: Assignment | None = None

    def pruner(self, folder: RunFolder, earlier: Sequence[Attempt], attempt: Attempt) -> Pruner:
        """Return the pruner of an attempt that follows the earlier ones."""
        return HyperbandPruner(self, folder, earlier, attempt)

    def metric_values(self, row: Row) -> list[Any]:
        r"""Return the metric's value in a row; empty if the row has none.

        The metric `a.b` is the key `b` in `a`, or the key `a.b`, which rows have as `a\.b`. W&B
        accepts either.
        """
        return _in_row(row, self.metric or "")

    def place(self, row: Row) -> Any:
        """Return the value of hyperband's axis in a row; None without one."""
        axis = self.settings.axis if self.settings else None
        return next(iter(_in_row(row, axis)), None) if axis else None

    def rung_values(self, values: Sequence[Any], places: Sequence[Any]) -> dict[int, RungValue]:
        """Return the values of a run at the rungs it has reached.

        Args:
            values: the metric in each row that has it.
            places: from `place`, of the same rows.
        """
        if self.settings is None:
            return {}
        axis = places if self.settings.axis else None
        return rung_values(values, rungs(self.settings), self.goal, axis)

    def stopping_rung(self, values: Sequence[Any], places: Sequence[Any]) -> int | None:
        """Return the rung at which a run with these values is stopped; None if it continues."""
        if self.settings is None:
            return None
        own = self.rung_values(values, places)
        return stopping_rung(own, self.others, self.settings, self.goal)

    def outcome(
        self, parts: Sequence[Part], has_finished: bool, server_stopped_it: bool = False
    ) -> TrialOutcome:
        """Return the result of a run that has ended, as train.json holds it under `trial`.

        Args:
            parts: its log, as the result of `wandb_log.stitch`.
            has_finished: False if it failed.
            server_stopped_it: whether the W&B server that chose the trial stopped the run.

        Returns:
            The objective is the best value of the metric in the run's rows and its summary, as in
            W&B; of a run that was stopped early, in its rows up to the rung. Where a server stopped
            the run, `stopped_at` is its number of rows.
        """
        if self.metric is None:
            return NO_OUTCOME
        names: set[str] = set()
        values, places = [], []
        for row in iter_run(parts):
            names |= row.keys()
            if found := self.metric_values(row):
                values += found
                places.append(self.place(row))
        summary: dict[str, Any] = {}
        for part in parts:
            summary |= read_log(part.path).summary
        in_summary = finite_values(_leaves(_under(summary, self.metric)))
        stopped_at = self.stopping_rung(values, places)
        axis = self.settings.axis if self.settings else None
        last = stopped_at
        if axis is not None and stopped_at is not None:
            last = rows_until(values, stopped_at, places)
        if server_stopped_it:
            last = stopped_at = len(values)  # W&B counts all rows
        counted = finite_values(values)[:last]
        if stopped_at is None:
            counted += in_summary
        if not has_finished:
            counted = {"worst": [], "best": counted, "latest": counted[-1:]}[self.impute]
        has_axis = axis is None or bool(finite_values(places))
        is_logged = bool(values or in_summary) and has_axis
        own = self.rung_values(values, places)
        return TrialOutcome(
            objective=self.goal.best(counted) if counted else None,
            stopped_at=stopped_at,
            bands={str(rung): tuple(reached) for rung, reached in own.items()},
            is_logged=is_logged,
            logged=() if is_logged else tuple(sorted(n for n in names if not n.startswith("_"))),
        )


def read_criteria(trial_json: Path, kind: type[TrialCriteria] = TrialCriteria) -> TrialCriteria:
    """Read how the runs of a trial are evaluated; a confirmation is never stopped early.

    Args:
        trial_json: the file of the trial.
        kind: the class to return: a subclass for trials that a server chose.
    """
    folder = SweepFolder.of_trial(trial_json)
    config = folder.config()
    if assignment := Trial.read(trial_json).handed_out:
        return kind(config.metric_name, config.goal, config.impute, None, [], assignment)
    if config.early_terminate is None or is_confirmation(trial_json.stem):
        return kind(config.metric_name, config.goal, config.impute, None, [])
    others = earlier_rung_values(folder, int(trial_json.stem))
    return kind(config.metric_name, config.goal, config.impute, config.early_terminate, others)


def record_missing_metric(trial_json: Path, train: Train) -> None:
    """Record a finished run that hasn't logged the sweep's metric, for `check_metric_is_logged`.

    Args:
        trial_json: the file of the run's trial.
        train: the run's train.json.
    """
    folder = SweepFolder.of_trial(trial_json)
    is_needed = folder.config().metric_name is not None and train.state == "finished"
    outcome = train.outcome
    # A server may stop a run before it has logged anything.
    if is_needed and not outcome.is_logged and outcome.stopped_at is None:
        MissingMetric(run=train.run, logged=outcome.logged).write(folder.missing_metric)


def check_metric_is_logged(trial_json: Path) -> None:
    """Check that the sweep's program logs the metric, and hyperband's axis in the same rows.

    It is called before more trials run in vain.

    If any run has logged it, the program may have given up on some configurations, and a run
    without it is only a trial without a result.

    Raises:
        SpecError: a finished run lacks the metric, and no run has logged it.
    """
    folder = SweepFolder.of_trial(trial_json)
    found = MissingMetric.read_if_there(folder.missing_metric)
    if found is None or not folder.run(found.run).exists():
        return
    if any(map(_has_logged, folder.all_results())):
        return
    config, logged = folder.config(), found.logged
    metric = config.metric_name
    plan = folder.read_plan()
    source = compose(plan.file, Path())
    axis = config.early_terminate.axis if config.early_terminate else None
    if axis and {metric, metric_name([metric or ""])} & set(logged):
        raise SpecError(
            f"early_terminate.axis: {plan.definition.program} logs no number {pasted(axis)} in a "
            f"row with {pasted(str(metric))}; {logged_instead(axis, logged)}",
            source.where([*plan.keys, "early_terminate", "axis"]),
        )
    place = source.where([*plan.keys, "metric", "name"])
    raise SpecError(
        f"metric.name: {no_run_logged(str(metric), logged)}; change the name; if only some trials "
        "have no value, let these log NaN",
        place,
    )


def _has_logged(train_json: Path) -> bool:
    return Train.read(train_json).outcome.is_logged


def _in_row(row: Row, metric: str) -> list[Any]:
    names = (metric, metric_name([metric]))
    found = next((row[name] for name in names if name in row), None)
    return [] if found is None else [json.loads(found)]


def _under(summary: Any, metric: str) -> Any:
    """Return a metric's value in a summary; dots in its name separate nested keys; None if none."""
    if isinstance(summary, dict) and metric in summary:
        return summary[metric]
    key, _, below = metric.partition(".")
    return _under(summary.get(key), below) if below and isinstance(summary, dict) else None


def _leaves(value: Any) -> list[Any]:
    """Return the value, or those in a mapping such as `{max: 1}`, which `define_metric` creates."""
    return list(value.values()) if isinstance(value, dict) else [value]


class HyperbandPruner:
    """Reads the growing log of an attempt, and applies hyperband to it."""

    def __init__(
        self,
        criteria: TrialCriteria,
        folder: RunFolder,
        earlier: Sequence[Attempt],
        attempt: Attempt,
    ):
        self._criteria = criteria
        self._folder = folder
        self._earlier = earlier
        self._attempt = attempt
        self._values: list[Any] = []
        self._places: list[Any] = []
        self._watch: RowWatch | None = None
        self._next_poll = 0.0
        self.has_stopped = False

    def should_continue(self) -> bool:
        """Return False once the run is to be stopped; read the log once a second at most."""
        now = time.monotonic()
        if self._criteria.settings is not None and not self.has_stopped and now >= self._next_poll:
            self._next_poll = now + _POLL_S
            self.has_stopped = self._poll()
        return not self.has_stopped

    def _poll(self) -> bool:
        """Read the new rows; return whether the run is to be stopped."""
        known = len(self._values)
        for row in self._new_rows():
            if found := self._criteria.metric_values(row):
                self._values += found
                self._places.append(self._criteria.place(row))
        if len(self._values) == known:
            return False
        return self._criteria.stopping_rung(self._values, self._places) is not None

    def _new_rows(self) -> Iterable[Row]:
        if self._watch is None:
            logs = logs_of_attempt(self._folder, self._attempt.number)
            if not logs or not has_rows(logs[0]):
                return
            earlier = stitch_attempts(self._folder, self._earlier)
            first = resumed_from(self._folder, self._attempt, earlier)
            if first is not None:
                yield from (row for row in iter_run(earlier) if int(row["_step"]) < first)
            self._watch = RowWatch(logs[0])
        yield from self._watch.rows()
