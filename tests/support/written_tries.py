"""Ledgers of tries written as records, without a run, for what reads them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from caduceus.runs.files.tries import (
    Code,
    EarlierTry,
    Ledger,
    LedgerFolder,
    Result,
    Try,
    TrySettings,
)
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.tries import Design
from caduceus.tries.table import write_table
from run_files import params

FIRST = Code(id="c0de", definition=params(), variant="default")


def write_ledger(results: Path, name: str = "toy", **settings: Any) -> LedgerFolder:
    """Write a ledger without tries."""
    folder = LedgerFolder(results / "tries" / name)
    given: dict[str, Any] = {
        "experiment": "experiments/toy.yaml",
        "variant": {},
        "metric": None,
        "seeds": None,
        "budget": None,
        "level": 0.05,
        "min_effect": 0.0,
        "protected": (),
        "holdout": None,
        "ledger": 1,
    }
    design = asdict(Design())
    Ledger(
        settings=TrySettings(**given | settings),
        design={key: list(of) if isinstance(of, tuple) else of for key, of in design.items()},
        experiment="toy",
        metric=Metric(name="acc", goal=Goal.MAXIMIZE),
        first=FIRST,
        seeds=(0, 1, 2, 3, 4, 5),
        protected={},
    ).write(folder.ledger)
    return folder


def result(phase: str = "confirmation", **values: Any) -> Result:
    """A comparison on five pairs, with these values."""
    given: dict[str, Any] = {"pairs": 5, "effect": 0.1, "low": 0.05, "high": 0.15, "std": 0.01}
    return Result(**{"phase": phase, "p": 0.001, "level": 0.0075} | given | values)


def add_try(folder: LedgerFolder, number: int, verdict: str = "discarded", **values: Any) -> Try:
    """Write the record of a try, its edit and the table."""
    given: dict[str, Any] = {
        "why": f"reason {number}",
        "code": Code(id=f"code{number}", definition=params(parameters={"n": number}), variant="a"),
        "against": FIRST.id,
        "reason": verdict,
        "sentence": f"because of {number}",
        "seeds": (0, 1, 2, 3, 4, 5),
        "started_at": "2026-01-01T00:00:00+00:00",
        "ended_at": None if verdict == "running" else "2026-01-01T01:00:00+00:00",
    }
    tried = Try(number=number, verdict=verdict, **given | values)  # type: ignore[arg-type]
    tried.write(folder.record(number))
    folder.diff(number).write_text("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n")
    write_table(folder)
    return tried


def confirmed(folder: LedgerFolder, number: int, verdict: str, *earlier: EarlierTry) -> Try:
    """Write the record of a try that was confirmed on five fresh seeds."""
    fresh = tuple(range(10 * number, 10 * number + 18))
    runs = tuple(f"{side}{seed}" for seed in (*range(6), *fresh[:5]) for side in ("own", "other"))
    return add_try(
        folder, number, verdict, fresh=fresh, earlier=earlier, result=result(), runs=runs
    )
