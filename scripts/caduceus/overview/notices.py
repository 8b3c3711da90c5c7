"""Tell somebody how a build ended: what failed or diverged, and which verdicts changed.

The last job calls this; what happens before is told by `live_notices`. What was told is kept in
results/notified.json, so that nothing is told twice.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.files import read_if_there
from caduceus.io.json_records import Record
from caduceus.overview.board.answer_texts import Writer
from caduceus.overview.notice_delivery import Delivery, send
from caduceus.project.settings import NotifySettings
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.variants import leaves

_MOST_LINES = 20  # of a message

Lines = list[str]


@dataclass(frozen=True, kw_only=True)
class Told(Record):
    """results/notified.json: the state of which the last message told.

    Attributes:
        failed: the start of the last attempt of each failed run.
        diverged: the runs that finished with a metric that isn't finite.
        entries: the errors of entries of the paper that weren't made.
        verdicts: of each claim.
    """

    failed: Mapping[str, str]
    diverged: tuple[str, ...]
    entries: tuple[str, ...]
    verdicts: Mapping[str, str]

    mend = "delete it; the next message then tells of all failures again"


NOTHING_TOLD = Told(failed={}, diverged=(), entries=(), verdicts={})


@dataclass(frozen=True)
class Ending:
    """How a build ended.

    Attributes:
        told: its state.
        errors: the error of each failed run.
        states: how many runs have each state.
    """

    told: Told
    errors: Mapping[str, str]
    states: Mapping[str, int]


def read_ending(plans: Sequence[Plan], results: Path, entries: Sequence[str]) -> Ending:
    """Read how a build ended.

    Args:
        plans: of all experiments.
        results: the folder results/.
        entries: a line for each entry of the paper that wasn't made.

    Raises:
        ResultError: a file is damaged.
    """
    failed, errors, states = dict[str, str](), dict[str, str](), Counter[str]()
    diverged = []
    for plan in plans:
        metric = plan.spec.metric
        for run in plan.runs:
            folder = RunFolder(results / "runs" / run.id)
            summary = Summary.read_if_there(folder.summary_json)
            if summary is None:
                continue
            states[summary.state] += 1
            if summary.state == "failed":
                train = Train.read_if_there(folder.train_json)
                last = train.attempts[-1] if train and train.attempts else None
                failed[run.id] = (last and last.started_at) or ""
                errors[run.id] = (train and train.error) or "it failed where it was run"
            elif metric is not None and not is_finite(summary, metric.name):
                diverged.append(run.id)
    decided = read_if_there(results / "paper/claims.json").get("claims", [])
    verdicts = {claim["name"]: claim["verdict"] for claim in decided}
    told = Told(failed=failed, diverged=tuple(diverged), entries=tuple(entries), verdicts=verdicts)
    return Ending(told, errors, states)


def is_finite(summary: Summary, metric: str) -> bool:
    """Whether the last value of a metric is a finite number, or there is none."""
    value = dict(leaves(summary.summary)).get(metric)
    if isinstance(value, str):  # as wandb writes them into its summary
        return value not in ("NaN", "Infinity", "-Infinity")
    return not isinstance(value, float) or math.isfinite(value)


def message(ending: Ending, before: Told | None, wanted: Sequence[str]) -> Lines:
    """Return the lines to send; none if nothing that is wanted has happened.

    Args:
        ending: how the build ended.
        before: of which state the last message told; None for none.
        wanted: some of `end`, `failure`, `divergence` and `verdict`.
    """
    news = {
        "failure": list(_new_failures(ending, before)),
        "divergence": [
            f"diverged: {run}: its metric isn't a finite number"
            for run in ending.told.diverged
            if before is None or run not in before.diverged
        ],
        "verdict": list(_changed_verdicts(ending.told.verdicts, before)),
    }
    found = [line for kind, lines in news.items() if kind in wanted for line in lines]
    if not found and "end" not in wanted:
        return []
    runs = ", ".join(f"{count} {state}" for state, count in sorted(ending.states.items()))
    return [f"the build has ended; runs: {runs or 'none'}", *found]


def _new_failures(ending: Ending, before: Told | None) -> Iterator[str]:
    for run, start in ending.told.failed.items():
        if before is None or before.failed.get(run) != start:
            yield f"failed: {run}: {ending.errors[run]}"
    for line in ending.told.entries:
        if before is None or line not in before.entries:
            yield f"failed: {line}"


def _changed_verdicts(verdicts: Mapping[str, str], before: Told | None) -> Iterator[str]:
    for name, verdict in verdicts.items():
        earlier = before.verdicts.get(name) if before else None
        if earlier != verdict:
            change = verdict if earlier is None else f"{earlier} before, now {verdict}"
            yield f"verdict on {name}: {change}"


def notify(given: str, files: Sequence[Path], results: Path, entries: Sequence[str]) -> str:
    """Send a message on how a build ended; return a warning, empty if all went well.

    The build waits for it a second at most, and ends as it would without it. What nobody has got is
    told again by the next build.

    Args:
        given: the key `notify` of config.yaml as JSON.
        files: the plans of all experiments.
        results: the folder results/.
        entries: a line for each entry of the paper that wasn't made.
    """
    settings = NotifySettings.from_json(json.loads(given))
    path = results / "notified.json"
    try:
        plans = [*map(Plan.read, files)]
        ending = read_ending(plans, results, entries)
        lines = message(ending, Told.read_if_there(path), settings.events)
    except (CaduceusError, OSError, LookupError, TypeError) as error:
        return f"notify: no message was sent: {error}"
    delivery = send_lines(settings, lines, plans) if lines else Delivery(True, "")
    if not delivery.is_delivered:
        return delivery.warning
    try:
        ending.told.write(path)
    except OSError as error:
        return f"notify: the next build tells this again: {error}"
    return delivery.warning


def send_lines(settings: NotifySettings, lines: Sequence[str], plans: Sequence[Plan]) -> Delivery:
    """Send lines without secrets.

    Args:
        settings: whom to tell.
        lines: at least one, of which the first `_MOST_LINES` are sent.
        plans: whose parameters may be secrets.
    """
    writer = Writer()
    writer.refresh(plans)
    left = len(lines) - _MOST_LINES - 1
    more = [f"and {left} more; see `caduceus status`"] if left > 0 else []
    text = "\n".join([f"*{_title()}*: {lines[0]}", *lines[1 : _MOST_LINES + 1], *more])
    return send(settings, str(writer.plain(text)))


def _title() -> str:
    return Path.cwd().name
