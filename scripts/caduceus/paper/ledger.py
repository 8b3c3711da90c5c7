"""The ledger: every attempt of every run below results/, failed and abandoned ones too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caduceus.io.files import Json, damaged, read_if_there, write_json
from caduceus.io.json_records import Record
from caduceus.runs.attempts import active_s, remote_attempt
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import Summary
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.tries import tried_runs
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord

# Planned by an experiment; a trial of a sweep; of a try or its incumbent; no longer planned by any
# experiment; part of a W&B project that is exported whole.
KINDS = ("planned", "trial", "try", "abandoned", "project")
_LOST = (
    "restore it from a copy; or delete it, and the runs that `caduceus gc` removed are no longer "
    "counted"
)


@dataclass(frozen=True, kw_only=True)
class LedgerRun(Record):
    """A run as the ledger counts it: apart from its folder, which `caduceus gc` may have removed.

    Attributes:
        run: the run's id.
        experiment: the id of its experiment, or the W&B project that it was exported with.
        kind: one of `KINDS`.
        state: its state, or that of its last attempt.
        attempts: those that are counted, oldest first; a remote run has one.
    """

    run: str
    experiment: str
    kind: str
    state: str
    attempts: tuple[Attempt, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other attempts at the same run: where and when each was made."""
        made = ((each.number, each.host, each.started_at, each.pid) for each in self.attempts)
        return self.run, *made

    @property
    def wall_s(self) -> float:
        """The seconds behind its result: without failed attempts and lost time."""
        kept = (attempt for attempt in self.attempts if attempt.state != "failed")
        return float(sum(attempt.wall_s - (attempt.lost_s or 0) for attempt in kept))


def read_ledger(results: Path, plans: Iterable[Plan]) -> list[LedgerRun]:
    """Return every run that was started, in the order of their ids.

    Args:
        results: the folder results/.
        plans: those of the experiments that config.yaml lists.
    """
    kinds = dict.fromkeys(tried_runs(results), "try")
    kinds |= {run.id: run.kind for plan in plans for run in plan.runs}
    folders = sorted((results / "runs").glob("*/run.json"))
    own = [_read(RunFolder(path.parent), kinds) for path in folders]
    known = {path.parent.name for path in folders}
    # A project may contain runs that were uploaded from here: these are in `own` already.
    others = [
        _read_project_run(path, results)
        for path in sorted((results / "projects").glob("*/*/runs/*/run_summary.json"))
        if path.parent.name not in known
    ]
    return [run for run in [*own, *others, *_removed(results)] if run is not None]


def removed_runs_file(results: Path) -> Path:
    """Return the file with the ledger entries of runs that `caduceus gc` has removed."""
    return results / "removed.json"


def _removed(results: Path) -> list[LedgerRun]:
    """Read the runs whose folders were removed, each under a name of its own."""
    return list(removed_runs(results).values())


def removed_runs(results: Path) -> dict[str, LedgerRun]:
    """Read the ledger entries of runs that have no folder here, each under a name of its own.

    Raises:
        ResultError: the file is damaged.
    """
    path = removed_runs_file(results)
    try:
        return {key: LedgerRun.from_json(run) for key, run in read_if_there(path, _LOST).items()}
    except ValueError as error:
        raise damaged(path, str(error), _LOST) from None


def record_removed(results: Path, folders: Iterable[RunFolder]) -> None:
    """Keep the ledger entries of runs whose folders are about to be removed."""
    add_removed(results, filter(None, map(ledger_entry, folders)))


def add_removed(results: Path, runs: Iterable[LedgerRun]) -> list[LedgerRun]:
    """Add ledger entries of runs that have no folder here, and return those that weren't there."""
    noted = removed_runs(results)
    known = {run.key for run in noted.values()}
    added = []
    for run in runs:
        if run.key not in known:
            known.add(run.key)
            added.append(run)
            noted[f"{run.run} {len(noted)}"] = run  # a run can be removed twice
    if added:
        write_json(removed_runs_file(results), {name: run.to_json() for name, run in noted.items()})
    return added


def ledger_entry(folder: RunFolder) -> LedgerRun | None:
    """Return a run's entry apart from its folder; None if the run was never started."""
    return _read(folder, {}) if folder.run_json.exists() else None


def attempt_rows(runs: Sequence[LedgerRun]) -> Iterator[dict[str, Any]]:
    """Yield each attempt as a row of attempts.csv."""
    for run in runs:
        for attempt in run.attempts:
            machine, gpus = attempt.machine, attempt.gpu_count
            row: dict[str, Json] = {
                "run": run.run,
                "experiment": run.experiment,
                "kind": run.kind,
                "gpus": gpus,
                "gpu_model": ", ".join(dict.fromkeys(attempt.gpu_names)) or None,
                "gpu_s": None if gpus is None else attempt.gpu_s,
            }
            row |= {name: getattr(machine, name, None) for name in ("cpu", "cpus", "memory_gb")}
            row |= {name: getattr(attempt, name) for name in ATTEMPT_COLUMNS if name not in row}
            yield {name: row[name] for name in ATTEMPT_COLUMNS if row[name] is not None}


ATTEMPT_COLUMNS = (
    *("run", "experiment", "kind", "attempt", "state", "started_at", "host"),
    *("cpu", "cpus", "memory_gb", "threads", "gpus", "gpu_model"),
    *("wall_s", "lost_s", "cpu_s", "gpu_s", "peak_memory_gb", "energy_j"),
    *("commit", "is_dirty", "environment"),
)


def _read(folder: RunFolder, kinds: Mapping[str, str]) -> LedgerRun | None:
    """Read a run of this project; None if it was never started."""
    record = RunRecord(folder)
    attempts = record.attempts
    if not attempts:
        return None
    if record.train:
        state = record.train.state
    else:
        state = attempts[-1].state
        if state == "running":  # or killed; an archive has recorded its wall_s
            wall_s = attempts[-1].wall_s or round(active_s(folder, attempts[-1]), 3)
            attempts = (*attempts[:-1], replace(attempts[-1], wall_s=wall_s, cpu_s=None))
    return LedgerRun(
        run=record.run,
        experiment=record.identity.experiment,
        kind=kinds.get(record.run, "abandoned"),
        state=state,
        attempts=attempts,
    )


def _read_project_run(path: Path, results: Path) -> LedgerRun:
    """Read a run of a W&B project that was exported whole."""
    summary = Summary.read(path)
    return LedgerRun(
        run=path.parent.name,
        experiment=path.parents[2].relative_to(results / "projects").as_posix(),
        kind="project",
        state=summary.state,
        attempts=(remote_attempt(summary),),
    )
