"""The answer of `caduceus status`: the state of each run, and the stale results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.answers import answer_text
from caduceus.io.failed_entries import FailedEntry
from caduceus.io.yaml_files import load
from caduceus.overview.changed_files import ChangedFiles, changed_lines, find_changed
from caduceus.overview.environments import (
    Behind,
    Difference,
    behind_lines,
    difference_lines,
    find_behind,
    find_differences,
    finished_runs,
    present_environment,
)
from caduceus.overview.failures import entry_lines, find_failed_entries
from caduceus.overview.plans import Rebuild, read_plan
from caduceus.overview.run_notes import Note, notes_of_states
from caduceus.overview.status import RunStatus, damaged_plans, read_states
from caduceus.overview.status_lines import stale_lines, state_lines
from caduceus.project.project import load_project
from caduceus.runs.record import read_records
from caduceus.system.recorded_reads import doubt
from caduceus.system.snakemake_dry_run import UnwritableError
from caduceus.system.snakemake_lock import find_holder


@dataclass(frozen=True)
class ExperimentStatus:
    """The runs of an experiment; `is_listed` is true if config.yaml lists it."""

    experiment: str
    is_listed: bool
    runs: Sequence[RunStatus]
    notes: Sequence[Note]


@dataclass(frozen=True)
class Holder:
    """The Snakemake that is running: its host, and its process if that is this host."""

    host: str
    pid: int | None


@dataclass(frozen=True)
class Status:
    """The state of a project, without its stale results.

    Attributes:
        damaged_plans: a line for each damaged plan of an experiment.
        experiments: those in config.yaml, then those planned before.
        failed_entries: what the last build couldn't make.
        changed_files: finished runs whose files aren't what they were.
        differences: between runs that should be alike.
        behind: runs that finished in another environment.
        snakemake: the Snakemake that is running, if one is.
    """

    damaged_plans: Sequence[str]
    experiments: Sequence[ExperimentStatus]
    failed_entries: Sequence[FailedEntry]
    changed_files: Sequence[ChangedFiles]
    differences: Sequence[Difference]
    behind: Sequence[Behind]
    snakemake: Holder | None


def read_status(config: Path, results: Path) -> Status:
    """Return the states of all runs, and what is odd about them.

    Args:
        config: config.yaml.
        results: the folder results/.

    Raises:
        SpecError: a file of the project is wrong.
    """
    project = load_project(load(config).value, [str(config)])
    records = read_records(results)
    states = read_states(project, results, records)
    if any(run.progress for runs in states.values() for run in runs):
        doubt("how long a run has been running goes by the clock")
    notes = notes_of_states(states, records, project.paper.statistics.folds)
    finished = finished_runs(records, project.runs)
    holder = find_holder()
    return Status(
        damaged_plans(results),
        [
            ExperimentStatus(name, name in project.experiments, runs, notes[name])
            for name, runs in states.items()
        ],
        find_failed_entries(project, results),
        find_changed(finished),
        list(find_differences(finished)),
        find_behind(finished, present_environment(project.environments)),
        None if holder is None else Holder(*holder),
    )


def status_text(config: Path, results: Path) -> Iterator[str]:
    """Yield the state of a project and its stale results as lines; see `read_status`."""
    status = read_status(config, results)
    yield from (f"damaged: {line}" for line in status.damaged_plans)
    yield from state_lines(
        {each.experiment: each.runs for each in status.experiments},
        [each.experiment for each in status.experiments if each.is_listed],
        {each.experiment: each.notes for each in status.experiments},
    )
    yield from entry_lines(status.failed_entries)
    yield from changed_lines(status.changed_files)
    yield from difference_lines(status.differences)
    yield from behind_lines(status.behind)
    if status.snakemake:  # it is about to make what is stale now
        host, pid = status.snakemake.host, status.snakemake.pid
        yield f"snakemake is running on {host}{'' if pid is None else f', as process {pid}'}"
    elif (stale := _find_stale()) is None:
        yield "stale results aren't known: Snakemake can't write here to plan"
    else:
        yield from stale_lines(stale)


def status_json(config: Path, results: Path) -> str:
    """Return the state of a project and its stale results as JSON; see `read_status`."""
    status = read_status(config, results)
    failed = [{"item": each.item, "errors": each.errors} for each in status.failed_entries]
    stale = None if status.snakemake else _find_stale()
    return answer_text(vars(status) | {"failed_entries": failed, "stale": stale})


def _find_stale() -> Sequence[Rebuild] | None:
    """Return the results that would be made again; None where Snakemake can't write."""
    try:
        return read_plan().stale
    except UnwritableError:
        return None
