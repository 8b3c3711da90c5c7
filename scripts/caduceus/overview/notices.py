"""Tell somebody how a build ended: what failed or diverged, and which verdicts changed.

The last job calls this; what happens before is told by `live_notices`. What was told is kept in
results/notified.json, so that nothing is told twice.
"""

import json
import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from caduceus.errors import CaduceusError
from caduceus.io.files import read_if_there
from caduceus.io.json_records import Record
from caduceus.overview.board.answer_texts import Writer
from caduceus.project.settings import NotifySettings
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.variants import leaves
from caduceus.system import processes

_PATIENCE_S = 3.0  # after which a webhook or command is given up
_WAIT_S = 1.0  # that a build waits for it: a message has been sent by then, though not answered
_JSON = {"Content-Type": "application/json"}
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

    The build waits for it a second at most, and ends as it would without it.

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
        ending.told.write(path)
    except (CaduceusError, OSError, LookupError, TypeError) as error:
        return f"notify: no message was sent: {error}"
    return send_lines(settings, lines, plans) if lines else ""


def send_lines(settings: NotifySettings, lines: Sequence[str], plans: Sequence[Plan]) -> str:
    """Send lines without secrets; return a warning, empty if all went well.

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


def send(
    settings: NotifySettings, text: str, patience_s: float = _PATIENCE_S, wait_s: float = _WAIT_S
) -> str:
    """Send a text to the webhook and the command; return a warning, empty if both took it.

    Args:
        settings: whom to tell.
        text: the message.
        patience_s: seconds after which a webhook or command is given up.
        wait_s: seconds after which this returns, though there is no answer yet.
    """
    warnings: list[str] = []
    ways: list[Callable[[], str]] = []
    if settings.webhook is not None:
        address = os.environ.get(settings.webhook, "").strip()
        if address:
            text = text.replace(address, f"[{settings.webhook}, not shown]")
            ways.append(lambda: _post(address, text, patience_s))
        else:
            warnings.append(f"notify.webhook: the variable {settings.webhook} isn't set")
    if settings.command:
        ways.append(lambda: _call(settings.command, text, patience_s))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda way=way: answers.append(way()), daemon=True) for way in ways
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(wait_s)
    if any(thread.is_alive() for thread in threads):
        warnings.append(f"no answer within {wait_s:.0f} s")
    warnings += filter(None, list(answers))
    return f"notify: {'; '.join(warnings)}; the build goes on without it" if warnings else ""


def _post(address: str, text: str, patience_s: float) -> str:
    """Post a message; the address is a secret, and stands in no warning."""
    # Slack takes <!channel> and links from these signs.
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not address.startswith(("https://", "http://")):
        return "the webhook's variable holds no address that begins with https://"
    try:
        request = Request(address, json.dumps({"text": safe}).encode(), _JSON)
        with build_opener(_NoRedirects).open(request, timeout=patience_s):
            return ""
    except HTTPError as error:
        error.close()
        return f"the webhook says {error.code}"
    except (OSError, ValueError, HTTPException) as error:
        return f"the webhook can't be reached ({type(error).__name__})"


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: a message goes to the address that the user named, and no other."""

    def redirect_request(self, *_: object) -> None:
        return None


def _call(words: Sequence[str], text: str, patience_s: float) -> str:
    """Start a command with the message on its standard input."""
    try:
        answer = processes.capture(words, text, patience_s)
    except processes.StartError:
        return f"there is no program {words[0]}"
    if answer is None:
        return f"{words[0]} took longer than {patience_s:.0f} s, and was ended"
    return "" if answer.exit_code == 0 else f"{words[0]} ended with status {answer.exit_code}"


def _title() -> str:
    return Path.cwd().name
