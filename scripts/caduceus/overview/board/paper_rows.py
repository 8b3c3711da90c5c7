"""The paper's tables and claims as they stand; what waits for planned seeds shows no verdict.

Whoever looks at p while seeds come in, and stops once it is small, finds effects that aren't there.
So a claim has its verdict only once every run that its plan has is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError
from caduceus.io.files import read_json
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.paper.report.filters import cell, p_value
from caduceus.runs.equal_seeds import EACH, ONCE

_ENDED = ("finished", "failed", "skipped", "unfinished")
_DECIDED = (
    *("verdict", "reason", "p", "p_adjusted", "effect", "low", "high", "effect_size"),
    "runs_that_would_do",
)
_ABOUT = ("name", "statement", "kind", "by", "scale", "metric", "n", "method", "minimum_p")
# While runs are missing, only notes that begin so are shown: they say what n counts.
_COUNT = (ONCE, EACH)

Row = dict[str, Any]


@dataclass(frozen=True)
class Seeds:
    """How many seeds of a variant are planned, and how many of them are there."""

    planned: int
    there: int

    @property
    def waits(self) -> bool:
        """Whether some are still to come."""
        return self.there < self.planned


def paper_rows(results: Path, runs: Sequence[TrackedRun]) -> Row:
    """Return the tables, figures and claims of the paper; a damaged file is the entry's `error`."""
    folder = results / "paper"
    claims_json = folder / "claims.json"
    tables = [_table(path, runs) for path in sorted((folder / "tables").glob("*.json"))]
    figures = [_figure(path) for path in sorted((folder / "figures").glob("*.svg"))]
    answer: Row = {"tables": tables, "figures": figures, "claims": [], "error": None}
    made = [path.stat().st_mtime for path in (claims_json, folder / "tables") if path.exists()]
    answer["made_at"] = max(made, default=None)
    if claims_json.exists():
        try:
            found = read_json(claims_json)
            answer["claims"] = [claim_row(claim, runs) for claim in found["claims"]]
        except (ResultError, OSError, LookupError, TypeError, AttributeError) as error:
            answer["error"] = f"claims.json can't be read: {error}"
    return answer


def claim_row(claim: Mapping[str, Any], runs: Sequence[TrackedRun]) -> Row:
    """Return a claim, without its verdict and every number of it while planned seeds are missing.

    Args:
        claim: its entry in claims.json.
        runs: all runs of the project.
    """
    sides = [_side_seeds(side, runs) for side in claim.get("sides", ())]
    waiting = [seeds for seeds in sides if seeds.waits]
    row: Row = {name: claim.get(name) for name in (*_ABOUT, *_DECIDED)}
    seeds = _least(waiting or sides)
    if waiting and seeds is not None:
        row |= dict.fromkeys(_DECIDED)
        row["waits"] = (
            f"decided by the number of seeds planned: {seeds.there} of {seeds.planned} are there"
        )
    else:
        row["waits"] = None
    p_text = None if row["p"] is None else p_value(row["p"])
    return row | {"p_text": p_text, "seeds": vars(seeds) if seeds else None}


def _side_seeds(side: Mapping[str, Any], runs: Sequence[TrackedRun]) -> Seeds:
    """Return the seeds of a side: those that have ended and that the verdict was made with."""
    return _seeds(str(side.get("experiment")), str(side.get("variant")), side["runs"], runs)


def _seeds(experiment: str, variant: str, used: int, runs: Sequence[TrackedRun]) -> Seeds:
    of_experiment = [
        tracked
        for tracked in runs
        if tracked.planned is not None
        and tracked.planned.is_listed
        and tracked.about.get("experiment") == experiment
    ]
    members = [each for each in of_experiment if each.about.get("variant") == variant]
    # Folds and the variants of sweeps have other names in the paper: all of the experiment count.
    chosen = members or of_experiment
    ended = sum(tracked.state in _ENDED for tracked in chosen)
    return Seeds(len(chosen), min(ended, used) if members else ended)


def _least(seeds: Sequence[Seeds]) -> Seeds | None:
    return min(seeds, key=lambda each: each.there - each.planned, default=None)


def _table(path: Path, runs: Sequence[TrackedRun]) -> Row:
    empty: Row = {
        "name": path.stem,
        "title": "",
        "headings": [],
        "titles": {},
        "label_names": [],
        "rows": [],
        "notes": [],
        "seeds": None,
        "is_final": False,
    }
    try:
        found = read_json(path)
        seeds = [
            _seeds(row["experiment"], row["variant"], row["runs"], runs)
            for row in found["rows"]
            if row["variant"]
        ]
        waiting = [each for each in seeds if each.waits]
        least = _least(waiting or seeds)
        return empty | {
            **{name: found[name] for name in ("title", "headings", "label_names")},
            "titles": _titles(found),
            "notes": [note for note in found["notes"] if not waiting or note.startswith(_COUNT)],
            "rows": [_table_row(row, bool(waiting)) for row in found["rows"]],
            "seeds": vars(least) if least else None,
            "is_final": not waiting,
            "error": found.get("error"),
        }
    except (ResultError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        return empty | {"error": f"the table can't be read: {error}"}


def _titles(table: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands above each column, by heading: its title and unit, as in the report."""
    titles = {heading: heading for heading in table["headings"]}
    for head in table.get("heads", ()):
        titles |= head["columns"]
    units = table.get("units", {})
    return {
        heading: f"{title} ({units[heading]})" if heading in units else title
        for heading, title in titles.items()
    }


def _table_row(row: Mapping[str, Any], waits: bool) -> Row:
    cells = {name: _cell(about, waits) for name, about in row["cells"].items()}
    n = len({run for about in row["cells"].values() for run in about["runs"]})
    return {
        "labels": row["labels"],
        "cells": cells,
        "n": n,
        "runs": row["runs"],
        "failed": row["failed"],
    }


def _cell(about: Mapping[str, Any], waits: bool) -> Row:
    text = cell(about)
    return {
        "text": " ".join(filter(None, (text["value"], text["interval"]))),
        "n": about["n"],
        "is_best": not waits and about["mark"] == "best",
        "is_tied": not waits and about["mark"] == "tied",
        "is_second": not waits and about["is_second"] is True,
    }


def _figure(path: Path) -> Row:
    title, error = "", None
    about = path.with_suffix(".json")
    if about.exists():
        try:
            found = read_json(about)
            title, error = str(found.get("title", "")), found.get("error")
        except (ResultError, OSError, AttributeError) as damage:
            error = str(damage)
    return {"name": path.stem, "title": title, "url": f"/figures/{path.name}", "error": error}
