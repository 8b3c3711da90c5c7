"""The ledger: every attempt of every run below results/, failed and abandoned ones too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from caduceus.io.files import read_if_there, read_json, write_json
from caduceus.runs.attempts import Attempt, gpu_seconds, last_sign, read_attempts
from caduceus.runs.cost import elsewhere, gpu_names
from caduceus.runs.files.export import Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder

# Planned by an experiment; a trial of a sweep; no longer planned by any experiment; part of a W&B
# project that is exported whole.
KINDS = ("planned", "trial", "abandoned", "project")


@dataclass(frozen=True)
class LedgerRun:
    """A run and its attempts.

    Attributes:
        run: its id.
        experiment: of its run.json, or the W&B project that it was exported with.
        kind: one of `KINDS`.
        state: of run_summary.json or train.json.
        attempts: oldest first; of a remote run a single one, of which only the time is known.
    """

    run: str
    experiment: str
    kind: str
    state: str
    attempts: Sequence[Attempt]

    @property
    def wall_s(self) -> float:
        """The seconds behind its result: without failed attempts and lost time."""
        kept = (attempt for attempt in self.attempts if attempt["state"] != "failed")
        return float(sum(attempt["wall_s"] - (attempt["lost_s"] or 0) for attempt in kept))


def read_ledger(results: Path, plans: Sequence[Path]) -> list[LedgerRun]:
    """Return every run that was started, in the order of their ids.

    Args:
        results: the folder results/.
        plans: results/experiments/ID.json of the experiments that config.yaml lists.
    """
    kinds = {
        run.id: "planned" if run.trial is None else "trial"
        for plan in plans
        for run in Plan.read(plan).runs
    }
    folders = sorted((results / "runs").glob("*/run.json"))
    own = [_read(RunFolder(path.parent), kinds) for path in folders]
    known = {path.parent.name for path in folders}
    # A project may contain runs that were uploaded from here: these are in `own` already.
    others = [
        _read_project_run(path, results)
        for path in sorted((results / "projects").glob("*/*/runs/*/run_summary.json"))
        if path.parent.name not in known
    ]
    removed = [LedgerRun(**about) for about in read_if_there(removed_runs_file(results)).values()]
    return [run for run in [*own, *others, *removed] if run is not None and run.attempts]


def removed_runs_file(results: Path) -> Path:
    """The file with the ledger entries of runs that `caduceus gc` has removed."""
    return results / "removed.json"


def record_removed(results: Path, folders: Iterable[RunFolder]) -> None:
    """Keep the ledger entries of runs whose folders are about to be removed."""
    removed = read_if_there(removed_runs_file(results))
    for folder in folders:
        if folder.run_json.exists() and (run := _read(folder, {})) is not None:
            removed[f"{run.run} {len(removed)}"] = asdict(run)  # a run can be removed twice
    write_json(removed_runs_file(results), removed)


def attempt_rows(runs: Sequence[LedgerRun]) -> Iterator[dict[str, Any]]:
    """Yield each attempt as a row of attempts.csv."""
    for run in runs:
        for attempt in run.attempts:
            machine = attempt.get("machine") or {}
            gpus = attempt["gpus"]
            row = {
                "run": run.run,
                "experiment": run.experiment,
                "kind": run.kind,
                "gpus": None if gpus is None else len(gpus),
                "gpu_model": ", ".join(dict.fromkeys(gpu_names(attempt))) or None,
                "gpu_s": None if gpus is None else gpu_seconds(attempt),
            }
            row |= {name: machine.get(name) for name in ("cpu", "cpus", "memory_gb")}
            row |= {name: attempt.get(name) for name in ATTEMPT_COLUMNS if name not in row}
            yield {name: row[name] for name in ATTEMPT_COLUMNS if row[name] is not None}


ATTEMPT_COLUMNS = (
    *("run", "experiment", "kind", "attempt", "state", "started_at", "host"),
    *("cpu", "cpus", "memory_gb", "threads", "gpus", "gpu_model"),
    *("wall_s", "lost_s", "cpu_s", "gpu_s", "peak_memory_gb", "energy_j"),
    *("commit", "is_dirty", "environment"),
)


def _read(folder: RunFolder, kinds: Mapping[str, str]) -> LedgerRun | None:
    train_json, summary_json = folder.train_json, folder.summary_json
    run = folder.path.name
    if train_json.exists():
        train = read_json(train_json)
        attempts, state = train["attempts"], train["state"]
    elif attempts := read_attempts(
        folder.attempts
    ):  # not finished: still running, killed, or to be retried
        state = attempts[-1]["state"]
        if state == "running":  # or killed; an archive has recorded its wall_s
            wall_s = attempts[-1]["wall_s"] or round(last_sign(folder, attempts[-1]), 3)
            attempts[-1] |= {"wall_s": wall_s, "cpu_s": None}
    elif summary_json.exists():
        summary = Summary.read(summary_json)
        attempts, state = [elsewhere(summary)], summary.state
    else:
        return None
    experiment = Identity.read(folder.run_json).experiment
    return LedgerRun(run, experiment, kinds.get(run, "abandoned"), state, attempts)


def _read_project_run(path: Path, results: Path) -> LedgerRun:
    summary = Summary.read(path)
    project = path.parents[2].relative_to(results / "projects").as_posix()
    return LedgerRun(path.parent.name, project, "project", summary.state, [elsewhere(summary)])
