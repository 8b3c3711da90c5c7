"""The state of each planned run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SlurmError
from caduceus.overview.forecasts import Duration, typical_s
from caduceus.overview.leftovers import planned_once
from caduceus.overview.progress import Progress, progress_of, usual_steps
from caduceus.project.experiments import Experiment
from caduceus.project.project import Project
from caduceus.runs.attempts import read_attempts
from caduceus.runs.folder import RunFolder
from caduceus.runs.states import state_of
from caduceus.system import slurm


@dataclass(frozen=True)
class RunStatus:
    """The state of a run.

    Attributes:
        run: the run's id.
        experiment: the experiment's id.
        name: its variant and seed.
        state: one of `runs.states.STATES`.
        about: the reason, for states that need one, or where it runs.
        progress: the progress of a running run.
    """

    run: str
    experiment: str
    name: str
    state: str
    about: str = ""
    progress: Progress | None = None


def read_states(
    project: Project, results: Path, durations: Sequence[Duration]
) -> dict[str, list[RunStatus]]:
    """Return the states of all runs by experiment, in config.yaml or planned before.

    Raises:
        SpecError: the file of an experiment that was planned once is wrong.
    """
    queue = _queue(Path.cwd())
    experiments = [*project.experiments.values(), *planned_once(project, results)]
    return {each.id: _states(each, results, queue, durations) for each in experiments}


def _states(
    experiment: Experiment,
    results: Path,
    queue: Mapping[str, slurm.QueuedJob],
    durations: Sequence[Duration],
) -> list[RunStatus]:
    folders = {run.id: RunFolder(results / "runs" / run.id) for run in experiment.runs}
    states = []
    for run in experiment.runs:
        folder = folders[run.id]
        state, about = state_of(folder, queue.get(run.id))
        progress = None
        if state == "running":
            attempt = read_attempts(folder.attempts)[-1]
            alike = (folders[each.id] for each in experiment.runs if each.variant == run.variant)
            usual_s = typical_s(durations, experiment.spec.program, experiment.id, run.variant)
            progress = progress_of(folder, attempt, usual_steps(alike), usual_s)
        name = f"{run.variant} seed {run.seed}"
        states.append(RunStatus(run.id, experiment.id, name, state, about, progress))
    return states


def _queue(folder: Path) -> dict[str, slurm.QueuedJob]:
    """Return the SLURM jobs of a project's runs, by run; empty without SLURM."""
    try:
        jobs = slurm.jobs().values()
    except SlurmError:  # most machines have none
        return {}
    ours = (job for job in jobs if job.comment.startswith(("caduceus:train:", "caduceus:sweep_")))
    found: dict[str, slurm.QueuedJob] = {}
    for job in ours:
        if job.folder == str(folder) and not (job.has_finished or job.has_failed):
            found[job.comment.rpartition(":")[2]] = job
    return found
