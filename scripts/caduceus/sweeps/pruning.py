"""Judging a run of a sweep: whether it is to be stopped early, and what its result is.

What is said of a run follows from its rows alone, in their order, whoever asks and whenever: a run
that had gone on past the band at which it was to be stopped has the same result as one that was
stopped there at once.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from caduceus.errors import SpecError
from caduceus.io.files import read_json, write_json
from caduceus.io.yaml_files import load
from caduceus.runs.attempts import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.logs import logs_of_attempt, resumed_from, stitch_attempts
from caduceus.sweeps.folders import SweepFolder, earlier_bands, is_confirmation
from caduceus.sweeps.hyperband import (
    BandValue,
    HyperbandSettings,
    band_values,
    valid_values,
    verdict,
)
from caduceus.sweeps.hyperband import bands as bands_of
from caduceus.wandb_log import Part, Row, RowWatch, has_rows, iter_run, read_log
from caduceus.wandb_log.records import metric_name

_LOOKS_S = 1.0


class Watch(Protocol):
    """Follows an attempt while it is at work, and decides whether to stop it."""

    @property
    def has_stopped(self) -> bool:
        """Whether the run is to be stopped."""

    def goes_on(self) -> bool:
        """False once the run is to be stopped; cheap to call often."""


@dataclass(frozen=True)
class Rule:
    """What a run is judged by.

    Attributes:
        metric: the sweep's; None if it has none.
        goal: which values are best.
        impute: what of its own rows a failed run counts with: see `SweepConfig`.
        settings: when runs are stopped early; None for never, or if the server says when.
        others: the values of the runs it is compared with, at the bands they have reached.
        handed_out: `agent` and `run` of a trial that a W&B server chose; None of our own.
    """

    metric: str | None
    goal: Goal
    impute: str
    settings: HyperbandSettings | None
    others: Sequence[Mapping[int, BandValue]]
    handed_out: Mapping[str, str] | None = None

    def judge(self, folder: RunFolder, earlier: Sequence[Attempt], attempt: Attempt) -> Watch:
        """What says while an attempt is at work whether it is to be stopped."""
        return Judge(self, folder, earlier, attempt)

    def values_in(self, row: Row) -> list[Any]:
        r"""The metric's value in a row, if it is there.

        `a.b` is `b` within `a`, or a key `a.b`, which rows have as `a\.b`; W&B takes either.
        """
        names = (self.metric or "", metric_name([self.metric or ""]))
        found = next((row[name] for name in names if name in row), None)
        return [] if found is None else [json.loads(found)]

    def stops_at(self, values: Iterable[Any]) -> int | None:
        """The band at which a run with these values is to be stopped, in rows of the metric."""
        if self.settings is None:
            return None
        own = band_values(values, bands_of(self.settings), self.goal)
        return verdict(own, self.others, self.settings, self.goal)

    def outcome(
        self, parts: Sequence[Part], has_finished: bool, server_stopped_it: bool = False
    ) -> dict[str, Any]:
        """The result of a run that has ended.

        Args:
            parts: its log, as `wandb_log.stitch` has it.
            has_finished: False if it failed.
            server_stopped_it: whether the W&B server that handed it out did.

        Returns:
            `objective`, the best value of the metric among its rows and in its summary, as W&B has
            it, of a run that was to be stopped among the rows up to that band; null if it failed or
            has none. `stopped_at`, the band, or null; where a server stopped it, the rows it had.
            `bands`, its value and its best value at each band. `is_logged`, whether it has logged
            the metric at all, and if it hasn't, `logged`, the names of what it has.
        """
        if self.metric is None:
            nothing: dict[str, Any] = {"objective": None, "stopped_at": None, "bands": {}}
            return nothing | {"is_logged": False, "logged": []}
        names: set[str] = set()
        values = []
        for row in iter_run(parts):
            names |= row.keys()
            values += self.values_in(row)
        summary: dict[str, Any] = {}
        for part in parts:
            summary |= read_log(part.path).summary
        set_by_hand = valid_values(_leaves(_under(summary, self.metric)))
        stopped_at = self.stops_at(values)
        if server_stopped_it:
            stopped_at = len(values)  # W&B counts all
        counted = valid_values(values)[:stopped_at]
        if stopped_at is None:
            counted += set_by_hand
        if not has_finished:
            counted = {"worst": [], "best": counted, "latest": counted[-1:]}[self.impute]
        is_logged = bool(values or set_by_hand)
        own = band_values(values, bands_of(self.settings), self.goal) if self.settings else {}
        return {
            "objective": self.goal.best(counted) if counted else None,
            "stopped_at": stopped_at,
            "bands": {str(band): list(reached) for band, reached in own.items()},
            "is_logged": is_logged,
            "logged": [] if is_logged else sorted(n for n in names if not n.startswith("_")),
        }


def rule_of(trial_json: Path, kind: type[Rule] = Rule) -> Rule:
    """What the runs of a trial are judged by; a confirmation is never stopped early.

    Args:
        trial_json: the file of the trial.
        kind: the class of the rule, such as that of trials that a server chose.
    """
    folder = SweepFolder.of_trial(trial_json)
    config = folder.config()
    if handed_out := read_json(trial_json).get("handed_out"):
        return kind(config.metric_name, config.goal, config.impute, None, [], handed_out)
    if config.early_terminate is None or is_confirmation(trial_json.stem):
        return kind(config.metric_name, config.goal, config.impute, None, [])
    others = earlier_bands(folder, int(trial_json.stem))
    return kind(config.metric_name, config.goal, config.impute, config.early_terminate, others)


def note_metric(trial_json: Path, train: Mapping[str, Any]) -> None:
    """Keep it if a run that has finished has not logged the metric: others may not either."""
    folder = SweepFolder.of_trial(trial_json)
    is_sought = folder.config().metric_name is not None and train["state"] == "finished"
    outcome = train["trial"]
    # A server may stop a run before it has logged anything.
    if is_sought and not outcome["is_logged"] and outcome["stopped_at"] is None:
        write_json(folder.unlogged, {"run": train["run"], "logged": outcome["logged"]})


def check_metric(trial_json: Path) -> None:
    """See that no run of the sweep was found to log all but the sweep's metric.

    Where others do log it, as of a program that gives up on some configurations, that is no more
    than a trial without a result.

    Raises:
        SpecError: one was, and still lies there.
    """
    folder = SweepFolder.of_trial(trial_json)
    if not folder.unlogged.exists():
        return
    found = read_json(folder.unlogged)
    if not folder.run(found["run"]).exists() or any(map(_has_logged, folder.all_results())):
        return
    from caduceus.io.validation import suggestion  # jsonschema, which no other run needs

    metric, logged = folder.config().metric_name, found["logged"]
    plan = read_json(folder.plan)
    place = load(Path(plan["file"]), plan["file"]).where([*plan["keys"], "metric", "name"])
    raise SpecError(
        f"metric.name: {plan['definition']['program']} logs no {metric!r}"
        f"{suggestion(metric, logged)}; it logs {', '.join(logged) or 'nothing'}; where a trial "
        "has no value for it, let it log NaN",
        place,
    )


def _has_logged(train_json: Path) -> bool:
    return bool(read_json(train_json)["trial"]["is_logged"])


def _under(summary: Any, metric: str) -> Any:
    """What a summary holds of a metric, whose name joins nested keys by dots; None if nothing."""
    if isinstance(summary, dict) and metric in summary:
        return summary[metric]
    key, _, below = metric.partition(".")
    return _under(summary.get(key), below) if below and isinstance(summary, dict) else None


def _leaves(value: Any) -> list[Any]:
    """The value itself, or those in the mapping (`max`, say) that `define_metric` makes of it."""
    return list(value.values()) if isinstance(value, dict) else [value]


class Judge:
    """Follows a run while it is at work, and says when it is to be stopped."""

    def __init__(self, rule: Rule, folder: RunFolder, earlier: Sequence[Attempt], attempt: Attempt):
        self._rule = rule
        self._folder = folder
        self._earlier = earlier
        self._attempt = attempt
        self._values: list[Any] = []
        self._watch: RowWatch | None = None
        self._looks_at = 0.0
        self.has_stopped = False

    def goes_on(self) -> bool:
        """False once the run is to be stopped; looks once a second however often it is called."""
        now = time.monotonic()
        if self._rule.settings is not None and not self.has_stopped and now >= self._looks_at:
            self._looks_at = now + _LOOKS_S
            self.has_stopped = self._look()
        return not self.has_stopped

    def _look(self) -> bool:
        known = len(self._values)
        for row in self._new_rows():
            self._values += self._rule.values_in(row)
        return len(self._values) > known and self._rule.stops_at(self._values) is not None

    def _new_rows(self) -> Iterable[Row]:
        if self._watch is None:
            logs = logs_of_attempt(self._folder, self._attempt["attempt"])
            if not logs or not has_rows(logs[0]):
                return
            earlier = stitch_attempts(self._folder, self._earlier)
            first = resumed_from(self._folder, self._attempt, earlier)
            if first is not None:
                yield from (row for row in iter_run(earlier) if int(row["_step"]) < first)
            self._watch = RowWatch(logs[0])
        yield from self._watch.rows()
