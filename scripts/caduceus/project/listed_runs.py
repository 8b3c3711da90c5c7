"""The runs below results/ in any state, and as rows of a table."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import Json
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.project.planned import configured_plans
from caduceus.runs.files.export import Summary
from caduceus.runs.files.tries import tried_runs
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.rows import ABOUT_RUN, run_row

_INSIDE = ("runs", "experiments", "projects")  # folders of which results/ has at least one
_COST = ("wall_s", "cpu_s", "gpu_s", "lost_s", "peak_memory_gb")


def results_folder(project: Path) -> Path:
    """Return the folder results/ of a project, or `project` itself if it is such a folder.

    Raises:
        ResultError: it is neither.
    """
    for folder in (project / "results", project):
        if any((folder / name).is_dir() for name in _INSIDE):
            return folder
    raise ResultError("holds no results/ with runs; name the project's folder", str(project))


@dataclass(frozen=True)
class ListedRun(RunRecord):
    """A run with what the rest of results/ says of it: which experiment lists it, and its state.

    Attributes:
        kind: `planned` (an experiment in config.yaml lists it), `trial` (a sweep does),
            `try` (of a tried edit or its incumbent), `abandoned` (none lists it any more) or
            `project` (exported with a whole W&B project).
    """

    kind: str = "planned"

    @cached_property
    def summary(self) -> Summary:
        """run_summary.json; of a run that isn't exported yet, what run.json says of it."""
        if self.exported is not None:
            return self.exported
        # Most runs are exported and need none of what this imports.
        from caduceus.runs.states import state_of

        state, _ = state_of(self)
        return Summary.of(self.identity, state)

    @property
    def state(self) -> str:
        """Its state, as `caduceus status` names it: finished, failed, running and so on."""
        return self.summary.state

    @cached_property
    def row(self) -> dict[str, Json]:
        """The columns of runs.csv, `group`, `kind`, and its cost in seconds and 10^9 bytes."""
        row = run_row(self.summary, self.train, self.type)
        about = {name: row.pop(name) for name in ABOUT_RUN}
        attempts = len(self.train.attempts) if self.train else None
        compute = self.train.compute if self.train else None
        return (
            {"run": self.run, "group": self.summary.group, "kind": self.kind}
            | about
            | row
            | {"attempts": attempts, **{name: getattr(compute, name, None) for name in _COST}}
        )


def find_runs(
    results: Path, experiments: Collection[str] = (), groups: Collection[str] = ()
) -> list[ListedRun]:
    """Return the runs of some experiments or groups, or all: first planned ones in their order.

    Args:
        results: the folder results/.
        experiments: ids of experiments; all if it is empty.
        groups: W&B groups; all if it is empty.

    Raises:
        ResultError: an experiment or a group has no run.
    """
    records = list(_records(results))
    known_experiments = dict.fromkeys(record.summary.experiment or "" for record in records)
    known_groups = dict.fromkeys(record.summary.group for record in records)
    for what, wanted, known in (
        ("experiment", experiments, known_experiments),
        ("group", groups, known_groups),
    ):
        for name in wanted:
            if name not in known:
                there = ", ".join(filter(None, known)) or "none"
                raise ResultError(
                    f"no run is of {what} {pasted(name)}{suggestion(name, known)}; "
                    f"there are {there}"
                )
    return [
        record
        for record in records
        if (not experiments or record.summary.experiment in experiments)
        and (not groups or record.summary.group in groups)
    ]


def find_run(results: Path, run: str) -> ListedRun:
    """Return a run by its id.

    Raises:
        ResultError: there is no such run.
    """
    return find_named(list(_records(results)), [run])[0]


def find_named(records: Collection[ListedRun], runs: Collection[str]) -> list[ListedRun]:
    """Return the runs with these ids, in this order.

    Raises:
        ResultError: there is no run of one of the ids.
    """
    by_id = {record.run: record for record in records}
    for run in runs:
        if run not in by_id:
            raise ResultError(f"there is no run {pasted(run)}{suggestion(run, by_id)}")
    return [by_id[run] for run in runs]


def _records(results: Path) -> Iterator[ListedRun]:
    folders = {
        path.parent.name: RunFolder(path.parent)
        for path in sorted((results / "runs").glob("*/run.json"))
    }
    for plan in configured_plans(results):
        for run in plan.runs:
            if run.id in folders:
                yield ListedRun(folders.pop(run.id), plan.spec.type, run.kind)
    tried = tried_runs(results)
    for name, folder in folders.items():
        yield ListedRun(folder, None, "try" if name in tried else "abandoned")
    for path in sorted((results / "projects").glob("*/*/runs/*/run_summary.json")):
        if not (results / "runs" / path.parent.name).exists():
            yield ListedRun(RunFolder(path.parent), None, "project")
