"""What `caduceus status` prints: the state of each run, and the stale results."""

from collections.abc import Iterator
from pathlib import Path

from caduceus.io.yaml_files import load
from caduceus.overview.changed_files import changed_lines
from caduceus.overview.environments import (
    behind_lines,
    difference_lines,
    finished_runs,
    present_environment,
)
from caduceus.overview.failures import entry_lines
from caduceus.overview.plans import read_plan
from caduceus.overview.run_notes import notes_of_states
from caduceus.overview.status import damaged_plans, read_states
from caduceus.overview.status_lines import stale_lines, state_lines
from caduceus.project.project import load_project
from caduceus.runs.record import read_records
from caduceus.system.recorded_reads import doubt
from caduceus.system.snakemake_lock import find_holder


def status_report(config: Path, results: Path) -> Iterator[str]:
    """Yield the states of all runs, what is odd about them, and the stale results, as lines.

    Args:
        config: config.yaml.
        results: the folder results/.

    Raises:
        SpecError: a file of the project is wrong.
    """
    project = load_project(load(config).value, [str(config)])
    yield from (f"damaged: {line}" for line in damaged_plans(results))
    records = read_records(results)
    states = read_states(project, results, records)
    if any(run.progress for runs in states.values() for run in runs):
        doubt("how long a run has been running goes by the clock")
    yield from state_lines(states, project.experiments, notes_of_states(states, records))
    yield from entry_lines(project, results)
    finished = finished_runs(records, project.runs)
    yield from changed_lines(finished)
    yield from difference_lines(finished)
    yield from behind_lines(finished, present_environment)
    if holder := find_holder():
        host, pid = holder
        yield f"snakemake is running on {host}{'' if pid is None else f', as process {pid}'}"
    else:  # a running Snakemake is about to make what is stale now
        yield from stale_lines(read_plan())
