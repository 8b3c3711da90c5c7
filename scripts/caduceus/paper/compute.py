"""Sum up what runs cost: by experiment, by outcome, by machine, and in total."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from caduceus.io.cells import to_csv
from caduceus.io.failed_entries import write_failed_files
from caduceus.io.files import write_json, write_whole
from caduceus.paper.compute_text import write_paragraph
from caduceus.paper.latex import failed_latex
from caduceus.paper.ledger import ATTEMPT_COLUMNS, KINDS, LedgerRun, attempt_rows, read_ledger
from caduceus.runs.cost import total_cost
from caduceus.runs.files.attempt import Attempt, Machine
from caduceus.runs.files.plan import Plan

COMPUTE_FILES = ("compute.json", "compute.csv", "attempts.csv", "compute.tex")
_ABOUT = ("experiment", "kind", "runs", "finished", "failed")


def sum_compute(plans: Sequence[Path], folder: Path) -> None:
    """Write compute.csv, compute.json, compute.tex and attempts.csv into `folder`.

    Args:
        plans: results/experiments/ID.json of the experiments that config.yaml lists.
        folder: results/paper.
    """
    runs = read_ledger(folder.parent, map(Plan.read, plans))
    write_whole(folder / "attempts.csv", to_csv([*attempt_rows(runs)], ATTEMPT_COLUMNS))
    compute = summarize_compute(runs)
    rows = [_flat(row) for row in [*compute["experiments"], compute["total"]]]
    write_whole(
        folder / "compute.csv", to_csv(rows, (*_ABOUT, *rows[-1]))
    )  # the total has the columns of all GPU models
    write_json(folder / "compute.json", compute)
    write_whole(folder / "compute.tex", write_paragraph(compute))


def write_failed_compute(folder: Path, error: str) -> None:
    """Write the files of `sum_compute` with an error in place of sums."""
    *tables, latex = (folder / name for name in COMPUTE_FILES)
    write_failed_files(tables, error)
    write_whole(latex, failed_latex("The sum of the compute", error))


def summarize_compute(runs: Sequence[LedgerRun]) -> dict[str, Any]:
    """Return the content of compute.json.

    Returns:
        `experiments`: a row for each experiment and kind of run. `parts`: a row for each outcome,
        which is `reported` (planned runs that have finished), `failed` (attempts of planned runs
        that failed or haven't finished), `trial`, `try`, `abandoned` or `project`. `total`: one
        row.
        `machines`: see `_machines`. A row has the sums of `total_cost`; the counts `runs`,
        `finished` and `failed`; `lost_hours`, to interruptions but not to failures; `threads` and
        `gpus` of a run (least and most); and `run_s`, the seconds behind the result of a finished
        run (median, least and most).
    """
    by_experiment: dict[tuple[str, str], list[LedgerRun]] = {}
    for run in sorted(runs, key=lambda run: (KINDS.index(run.kind), run.experiment)):
        by_experiment.setdefault((run.experiment, run.kind), []).append(run)
    return {
        "experiments": [
            {"experiment": experiment, "kind": kind, **_row(members)}
            for (experiment, kind), members in by_experiment.items()
        ],
        "parts": {name: _row(members) for name, members in _parts(runs).items() if members},
        "total": {"experiment": "total", "kind": None, **_row(runs)},
        "machines": list(_machines(runs)),
    }


def _parts(runs: Sequence[LedgerRun]) -> dict[str, list[LedgerRun]]:
    """Group the runs by outcome; the failed attempts of a finished run belong to `failed`."""
    parts: dict[str, list[LedgerRun]] = {"reported": [], "failed": []}
    parts |= {kind: [run for run in runs if run.kind == kind] for kind in KINDS[1:]}
    for run in runs:
        if run.kind == "planned":
            is_reported = [
                run.state == "finished" and attempt.state != "failed" for attempt in run.attempts
            ]
            for name, wanted in (("reported", True), ("failed", False)):
                attempts = [
                    attempt
                    for attempt, reported in zip(run.attempts, is_reported, strict=True)
                    if reported is wanted
                ]
                if attempts:
                    parts[name].append(replace(run, attempts=tuple(attempts)))
    return parts


def _row(runs: Sequence[LedgerRun]) -> dict[str, Any]:
    attempts = [attempt for run in runs for attempt in run.attempts]
    finished = [run.wall_s for run in runs if run.state == "finished"]
    gpus = [attempt.gpu_count for attempt in attempts if attempt.gpu_count is not None]
    threads = [attempt.threads for attempt in attempts if attempt.threads is not None]
    return {
        "runs": len(runs),
        "finished": len(finished),
        "failed": sum(run.state == "failed" for run in runs),
        **vars(total_cost(attempts)),
        "lost_hours": sum(a.lost_s or 0 for a in attempts if a.state != "failed") / 3600,
        "threads": _range(threads),
        "gpus": _range(gpus),
        "run_s": {"median": median(finished), **(_range(finished) or {})} if finished else None,
    }


def _range(values: Sequence[float]) -> dict[str, float] | None:
    return {"min": min(values), "max": max(values)} if values else None


def _machines(runs: Sequence[LedgerRun]) -> Iterator[dict[str, Any]]:
    """Yield each kind of machine with its GPUs and hosts, the most used one first."""
    by_machine: dict[tuple[Any, ...], list[Attempt]] = {}
    for run in runs:
        for attempt in run.attempts:
            machine = attempt.machine or Machine(None, None, None)
            memory_gb = machine.memory_gb and round(machine.memory_gb)
            by_machine.setdefault((machine.cpu, machine.cpus, memory_gb), []).append(attempt)
    for (cpu, cpus, memory_gb), attempts in sorted(
        by_machine.items(), key=lambda item: -sum(attempt.wall_s for attempt in item[1])
    ):
        yield {
            "cpu": cpu,
            "cpus": cpus,
            "memory_gb": memory_gb,
            "gpu_memory_gb": {
                model.name: model.memory_gb
                for attempt in attempts
                for model in attempt.gpu_models
                if model
            },
            "hosts": sorted({attempt.host for attempt in attempts if attempt.host}),
            "attempts": len(attempts),
            "wall_hours": sum(attempt.wall_s for attempt in attempts) / 3600,
        }


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten a row for compute.csv: nested keys are joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": nested for key, nested in value.items()}
        elif value is not None:
            flat[name] = value
    return flat
