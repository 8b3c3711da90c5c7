"""The tool that lists what a project has."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from caduceus.overview.mcp.answers import Answer, some
from caduceus.project.listed_runs import ListedRun, find_runs
from caduceus.project.planned import configured_plans
from caduceus.runs.files.plan import Plan

_MOST = 12  # names in a list
_MOST_METRICS = 60


def probe(results: Path) -> Answer:
    """List what this project has: experiments, groups, runs by state, metrics, sweeps, claims.

    Call this first: the other tools take the names it returns.

    Returns:
        runs (by state and by kind: planned; trial of a sweep; try, of a tried edit; abandoned, if
        no experiment in config.yaml lists it; project, if run elsewhere); experiments with
        variants, seeds, parameters that vary, their metric and its goal; groups; metrics with the
        number of runs that have them; sweeps; ledgers of tries; tables, figures and claims of the
        paper.
    """
    records = find_runs(results)
    answer: Answer = {
        "runs": {
            "total": len(records),
            "by_state": Counter(record.state for record in records),
            "by_kind": Counter(record.kind for record in records),
        },
    }
    if not records:
        answer["note"] = (
            "no run yet; `snakemake --cores 2` makes what config.yaml lists, "
            "`snakemake --dry-run` shows it"
        )
    plans = configured_plans(results)
    answer["experiments"] = some([_experiment(plan, records) for plan in plans], _MOST)
    groups = Counter(record.summary.group for record in records)
    answer["groups"] = some([{"group": name, "runs": n} for name, n in groups.items()], _MOST)
    metrics = Counter(name for record in records for name in _metrics(record))
    answer["metrics"] = {"runs_with_it": dict(sorted(metrics.items())[:_MOST_METRICS])}
    if len(metrics) > _MOST_METRICS:
        answer["metrics"]["more"] = f"{len(metrics) - _MOST_METRICS} more: query_runs lists columns"
    paper = results / "paper"
    return answer | {
        "sweeps": some(_names((results / "sweeps").glob("*/sweep.json"), is_folder=True), _MOST),
        "tries": some(_names((results / "tries").glob("*/ledger.json"), is_folder=True), _MOST),
        "projects": some(_projects(results), _MOST),
        "paper": {
            "tables": some(_names((paper / "tables").glob("*.json")), _MOST),
            "figures": some(_names((paper / "figures").glob("*.json")), _MOST),
            "has_claims": (paper / "claims.json").exists(),
        },
        "has_verification": (results / "verification.json").exists(),
    }


def _experiment(plan: Plan, records: Sequence[ListedRun]) -> Answer:
    spec, runs = plan.spec, plan.runs
    ids = {run.id for run in runs}
    own = [record for record in records if record.run in ids]
    is_sweep = spec.sweep is not None
    variants = dict.fromkeys(run.variant for run in runs)
    return {
        "experiment": spec.id,
        "type": spec.type,
        "group": spec.group,
        "hypothesis": spec.hypothesis,
        "metric": spec.metric and spec.metric.to_json(),
        "baseline": spec.baseline,
        "variants": f"{len(variants)} trials of a sweep" if is_sweep else some([*variants], _MOST),
        "varies": {name: some(values, _MOST) for name, values in spec.lists.items()},
        "seeds": some(sorted({run.seed for run in runs}), _MOST),
        "runs": len(runs),
        "by_state": Counter(record.state for record in own)
        | Counter({"to do": len(runs) - len(own)} if len(runs) > len(own) else {}),
    }


def _metrics(record: ListedRun) -> Iterable[str]:
    names = (name.removeprefix("summary.") for name in record.row if name.startswith("summary."))
    return (name for name in names if not name.startswith("_"))


def _names(paths: Iterable[Path], is_folder: bool = False) -> list[str]:
    return sorted(path.parent.name if is_folder else path.stem for path in paths)


def _projects(results: Path) -> list[str]:
    found = results / "projects"
    return sorted(path.parent.relative_to(found).as_posix() for path in found.glob("*/*/runs.json"))
