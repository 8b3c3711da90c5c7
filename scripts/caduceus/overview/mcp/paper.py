"""The tools that return claims, cost and the verification of the set-up."""

from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError, ResultError
from caduceus.io.files import read_json
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.overview.mcp.answers import Answer, page, units
from caduceus.project.planned import configured_plans

_SHORT = (
    *("name", "statement", "verdict", "scale", "metric", "n", "effect", "low", "high"),
    *("p_adjusted", "minimum_p", "runs_that_would_do", "notes"),
)
_COST = (
    *("experiment", "kind", "runs", "finished", "failed", "attempts", "wall_hours", "cpu_hours"),
    *("gpu_hours", "gpu_hours_by_model", "energy_kwh", "peak_memory_gb", "lost_hours"),
    *("unmeasured", "unmetered", "shared", "run_s"),
)


def claims(results: Path, name: str | None = None, offset: int = 0, limit: int = 20) -> Answer:
    """Return the paper's claims with their verdicts: n, effect with interval, p.

    Args:
        name: one claim, with its reason, method, sides and runs.
        offset: how many claims to skip.
        limit: how many claims at most.

    Returns:
        alpha, test, and claims: p_adjusted is corrected for all of them (Holm), minimum_p the
        smallest that so many runs can give, effect, low and high in the unit of the metric;
        notes on seeds with equal rows, if there are any.
    """
    path = results / "paper/claims.json"
    if not path.exists():
        raise ResultError(
            "no claim is decided yet; write claims under `paper.claims` in config.yaml, and "
            "`snakemake --cores 2` decides them",
            str(path),
        )
    decided = read_json(path)
    found: dict[str, Answer] = {claim["name"]: claim for claim in decided["claims"]}
    about: Answer = {"alpha": decided["alpha"], "test": decided["test"]}
    if name is None:
        short = [{key: claim[key] for key in _SHORT if key in claim} for claim in found.values()]
        return about | page("claims", short, offset, limit)
    if name not in found:
        raise CaduceusError(
            f"there is no claim {pasted(name)}{suggestion(name, found)}; "
            f"there are {', '.join(found)}"
        )
    return about | found[name]


def compute_summary(results: Path, offset: int = 0, limit: int = 20) -> Answer:
    """Return the cost of all attempts, including failed and abandoned ones: hours, GPUs, energy.

    Args:
        offset: how many experiments to skip.
        limit: how many experiments at most.

    Returns:
        total; parts by outcome (reported, failed, trial, try, abandoned, project); by_experiment, a
        page; machines. Unknown values are left out; unmeasured and unmetered count attempts that
        are not in the sums.
    """
    from caduceus.paper.compute import summarize_compute
    from caduceus.paper.ledger import read_ledger

    found = summarize_compute(read_ledger(results, configured_plans(results)))
    rows = [_cost(row) for row in found["experiments"]]
    return {
        "total": _cost(found["total"]),
        "parts": {name: _cost(row) for name, row in found["parts"].items()},
        "by_experiment": page("experiments", rows, offset, limit),
        "machines": found["machines"][:10],
        "units": units(_COST),
    }


def verification(results: Path) -> Answer:
    """Return whether the W&B set-up works: the ten checks of `snakemake verify`.

    Returns:
        mode (offline or online), how many checks are ok, and checks with name, is_ok, evidence and
        mend (how to fix it).
    """
    path = results / "verification.json"
    if not path.exists():
        raise ResultError("nothing is verified yet; type `snakemake --cores 1 verify`", str(path))
    found: dict[str, Any] = read_json(path)
    return {"ok": sum(check["is_ok"] for check in found["checks"]), **found}


def _cost(row: dict[str, Any]) -> Answer:
    """Return a row of compute.json without unknown values."""
    return {name: row[name] for name in _COST if row.get(name) not in (None, {})}
