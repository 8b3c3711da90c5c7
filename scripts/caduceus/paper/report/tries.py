"""A ledger of tries as the report and the board show it; their scripts take it as JSON."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.io.phrases import count_of, printable
from caduceus.paper.report.filters import p_value
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.tries import LedgerFolder, Try
from caduceus.runs.goal import Goal
from caduceus.runs.hidden_settings import LEAST_SECRET, hide, secret_values, secrets_of
from caduceus.runs.try_designs import design_of
from caduceus.runs.try_ledgers import (
    IncumbentValues,
    TryLedger,
    incumbent_values,
    pairs_of,
    seed_ranges,
    state_of_try,
    summary_value,
)
from caduceus.runs.try_reader import read_try_ledger
from caduceus.runs.variants import variant_name
from caduceus.system.known_secrets import known_secrets

_SHORT = 300  # characters of a text
_REASON = 140  # characters of a reason in the table
_LONG = 20_000  # characters of a reason shown whole
_MOST_DIFF = 200_000  # bytes of a diff that a page shows
_MOST_DIFF_OF_REPORT = 50_000
_MOST_DIFFS = 4_000_000  # bytes of all edits of a ledger that a report has
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")

Row = dict[str, Any]


def ledger_view(found: TryLedger, values: Sequence[IncumbentValues] = ()) -> Row:
    """Return a ledger with its tries as rows, the first try first.

    Args:
        found: the ledger.
        values: the metrics of its incumbents.

    Returns:
        `facts`, by their names, what was fixed before the first try; `budget`, numbers, or
        `budget_error`; `incumbents`, of which the last is the present one; `tries`. If ledger.json
        can't be read, only `name` and `damage`.
    """
    damage = [_visible(line, _SHORT) for line in found.damage]
    if found.ledger is None:
        return {"name": found.name, "damage": damage, "tries": None}
    ledger = found.ledger
    budget, budget_error = None, None
    try:
        known = found.budget
        budget = {name: getattr(known, name) for name in ("level", "spent", "at_stake", "next")}
        budget["left"] = known.left
    except CaduceusError as error:
        budget_error = _visible(str(error), _SHORT)
    of_number = {each.number: each for each in values}
    incumbents = []
    for each in found.incumbents:
        number = each.kept.number if each.kept else 0
        value = of_number.get(number)
        result = each.kept.result if each.kept else None
        incumbents.append(
            {
                "number": number,
                "code": each.code.id,
                "why": _visible(each.kept.why, _SHORT) if each.kept else None,
                "effect": result.effect if result else None,
                "low": result.low if result else None,
                "high": result.high if result else None,
                "search": value.search if value else None,
                "holdout": value.holdout if value else None,
            }
        )
    holdout = ledger.settings.holdout
    return {
        "name": found.name,
        "damage": damage,
        "experiment": ledger.experiment,
        "metric": _visible(ledger.metric.name, _SHORT),
        "goal": "minimize" if ledger.metric.goal is Goal.MINIMIZE else "maximize",
        "holdout": _visible(holdout.metric, _SHORT) if holdout else None,
        "openings": found.openings,
        "facts": _facts(found),
        "min_effect": ledger.settings.min_effect,
        "budget": budget,
        "budget_error": budget_error,
        "incumbents": incumbents,
        "tries": [_row(each) for each in found.tries],
    }


def _facts(found: TryLedger) -> dict[str, str]:
    """Return what was fixed before the first try, as the page says it."""
    ledger = found.settled
    settings, holdout = ledger.settings, ledger.settings.holdout
    goal = "minimize" if ledger.metric.goal is Goal.MINIMIZE else "maximize"
    facts = {
        "metric": f"{goal} {ledger.metric.name}",
        "experiment": f"{ledger.experiment} ({settings.experiment})",
        "variant": variant_name(settings.variant) if settings.variant else ledger.first.variant,
        "chance of a false keep, all tries": f"at most {100 * settings.level:g} %",
        "better by more than": f"{settings.min_effect:g}",
        "screened on": f"seeds {seed_ranges(ledger.seeds)}",
    }
    try:
        looks = design_of(ledger).confirmation
        facts["confirmed on"] = (
            f"fresh seeds, decided after {', '.join(map(str, looks[:-1]))}"
            f"{' or ' if looks[:-1] else ''}{looks[-1]} pairs"
        )
    except CaduceusError:
        pass  # the budget's line says it
    facts["protected"] = count_of(len(ledger.protected), "file")
    if holdout is None:
        facts["holdout"] = "none"
    else:
        given = variant_name(holdout.parameters)
        facts["holdout"] = f"{holdout.metric} with {given}, {count_of(holdout.seeds, 'seed')}"
        facts["holdout opened"] = count_of(found.openings, "time")
    return {name: _visible(text, _SHORT) for name, text in facts.items()}


def _row(tried: Try) -> Row:
    result, holdout = tried.result, tried.holdout
    refused = f": {', '.join(tried.refused)}" if tried.refused else ""
    return {
        "number": tried.number,
        "why": _visible(tried.why, _REASON),
        "state": state_of_try(tried),
        "sentence": _visible(f"{tried.sentence}{refused}", 2 * _SHORT),
        "effect": result.effect if result else None,
        "low": result.low if result else None,
        "high": result.high if result else None,
        "phase": result.phase if result else None,
        "pairs": result.pairs if result else None,
        "cpu_s": tried.cpu_s,
        "wall_s": tried.wall_s if tried.ended_at else None,
        "started_at": _seconds(tried.started_at),
        "ended_at": _seconds(tried.ended_at),
        "variant": _visible(tried.code.variant, _SHORT),
        "holdout": holdout.value if holdout else None,
        "gap": holdout.gap if holdout else None,
        "holdout_error": _visible(holdout.error, _SHORT) if holdout and holdout.error else None,
    }


def try_details(
    found: TryLedger, tried: Try, secrets: Mapping[str, str], most: int = _MOST_DIFF
) -> Row:
    """Return what a page shows of a try on demand: the whole reason, its runs and its edit.

    Args:
        found: its ledger.
        tried: the try.
        secrets: the name of each secret, by its value; the edit shows none.
        most: bytes of the edit.
    """
    result = tried.result
    codes = [each.code for each in found.tries] + ([found.ledger.first] if found.ledger else [])
    secrets = {**secrets, **secret_values(code.definition.parameters for code in codes)}
    return {
        "number": tried.number,
        "why": _visible(tried.why, _LONG),
        "code": tried.code.id,
        "against": tried.against,
        "p": result.p if result and result.phase == "confirmation" else None,
        "p_text": p_value(result.p) if result and result.phase == "confirmation" else None,
        "level": result.level if result and result.phase == "confirmation" else None,
        "left_out": list(tried.left_out),
        "pairs": [vars(pair) for pair in pairs_of(tried)] if tried.ended_at else [],
        "holdout_runs": list(tried.holdout.runs) if tried.holdout else [],
        "diff": vars(read_diff(found.folder.diff(tried.number), most, secrets)),
    }


def read_tries(path: Path, plans: Sequence[Path] = ()) -> Row:
    """Return a ledger for the report: its `view`, and the `details` of each try, by its number.

    The page has the edits up to a limit: first those that were kept, then the latest. It has no
    secrets of the user, or of the parameters of planned runs.

    Args:
        path: its tries.csv, with its other files in the same folder.
        plans: the plans of all experiments.

    Raises:
        ResultError: ledger.json or a plan can't be read.
        AccountError: the user's secrets can't be known.
    """
    secrets = known_secrets() | secrets_of(map(Plan.read, plans))
    found = read_try_ledger(LedgerFolder(path.parent))
    view = ledger_view(found, incumbent_values(found, partial(summary_value, path.parents[2])))
    details, left = {}, _MOST_DIFFS
    for tried in sorted(found.tries, key=lambda each: (each.verdict != "kept", -each.number)):
        shown = try_details(found, tried, secrets, min(left, _MOST_DIFF_OF_REPORT))
        details[tried.number] = _without(shown, secrets)
        left -= len(shown["diff"]["text"].encode())
    return {"view": _without(view, secrets), "details": details}


def _without(value: Any, secrets: Mapping[str, str]) -> Any:
    """Return a JSON value without secrets in its texts."""
    if isinstance(value, str):
        return hide(value, secrets)
    if isinstance(value, Mapping):
        return {key: _without(item, secrets) for key, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Diff:
    r"""An edit.

    Attributes:
        file: its path.
        text: its lines, without secrets and invisible characters; empty if it can't be read.
        kinds: a character for each line: `f` head of a file, `@` head of a hunk, `+`, `-`, `\\`,
            or a blank for a line that stayed.
        size: its bytes.
        is_cut: whether only its beginning is there.
        error: why it can't be read.
    """

    file: str
    text: str = ""
    kinds: str = ""
    size: int = 0
    is_cut: bool = False
    error: str | None = None


def read_diff(path: Path, most: int, secrets: Mapping[str, str]) -> Diff:
    """Return the edit in a file, or its first `most` bytes, cut at a line.

    Args:
        path: the file.
        most: bytes to read.
        secrets: the name of each secret, by its value.
    """
    try:
        if not path.is_file():
            return Diff(str(path), error="the file of this edit is gone")
        size = path.stat().st_size
        if size and most <= 0:
            return Diff(str(path), size=size, error="the report has no room for this edit")
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        return Diff(str(path), error=f"the file of this edit can't be read ({error.strerror})")
    is_cut = len(content) > most
    text = content[:most].decode(errors="replace")
    if is_cut:
        text = text[: text.rfind("\n") + 1] or text
    text = _hide_in_lines(text, secrets, is_cut)
    lines = text.removesuffix("\n").split("\n") if text else []
    shown = "\n".join(printable(line) for line in lines)
    return Diff(str(path), shown, "".join(_kinds(lines)), size, is_cut)


def _hide_in_lines(text: str, secrets: Mapping[str, str], is_cut: bool) -> str:
    """Return an edit without secrets: each line of one, as its lines begin with a sign here.

    Args:
        text: the edit.
        secrets: the name of each secret, by its value.
        is_cut: whether more follows: the text may then end inside of a secret.
    """
    lines = {line.strip(): name for each, name in secrets.items() for line in each.splitlines()}
    lines |= {json.dumps(line, ensure_ascii=False)[1:-1]: name for line, name in lines.items()}
    known = {line: name for line, name in lines.items() if len(line) >= LEAST_SECRET}
    shown = hide(text, known)
    if is_cut and not text.endswith("\n"):
        shown = shown[: -max((len(line.encode()) for line in known), default=0) or None]
    return shown


def _kinds(lines: Sequence[str]) -> Iterator[str]:
    """Yield the kind of each line; a line of a hunk may look like the head of a file."""
    removed = added = 0  # lines that the hunk still has
    for line in lines:
        first = line[:1]
        if first == "\\":
            yield "\\"
        elif removed <= 0 and added <= 0:
            head = _HUNK.match(line)
            removed, added = (int(each or 1) for each in head.groups()) if head else (0, 0)
            yield "@" if head else "f"
        else:
            removed -= first != "+"
            added -= first != "-"
            yield first if first in ("+", "-") else " "


def _visible(text: str, most: int) -> str:
    """Return text without invisible characters, such as those that turn its direction."""
    shown = printable(text[:most])
    return f"{shown} …" if len(text) > most else shown


def _seconds(time: str | None) -> float | None:
    try:
        return datetime.fromisoformat(time).timestamp() if time else None
    except (ValueError, OverflowError):
        return None
