"""The state of each planned run."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import ResultError, SlurmError
from caduceus.overview.forecasts import TypicalDurations, durations_of
from caduceus.overview.progress import Progress, progress_of, usual_steps
from caduceus.project.experiments import Experiment
from caduceus.project.planned import plan_files, planned_once
from caduceus.project.project import Project
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.states import state_of
from caduceus.system import slurm

DAMAGED = "damaged"  # the state of a run with a damaged file


@dataclass(frozen=True)
class RunStatus:
    """The state of a run.

    Attributes:
        run: the run's id.
        experiment: the experiment's id.
        variant: its variant.
        seed: its seed.
        state: one of `runs.states.STATES`, or `DAMAGED`.
        about: the reason, for states that need one, or where it runs.
        progress: the progress of a running run.
    """

    run: str
    experiment: str
    variant: str
    seed: int
    state: str
    about: str = ""
    progress: Progress | None = None

    @property
    def name(self) -> str:
        """Its variant and seed."""
        return f"{self.variant} seed {self.seed}"


def damaged_plans(results: Path) -> list[str]:
    """Return a line for each damaged plan of an experiment."""
    found = []
    for path in plan_files(results):
        try:
            Plan.read(path)
        except ResultError as error:
            found.append(str(error))
    return found


def read_states(
    project: Project, results: Path, records: Sequence[RunRecord]
) -> dict[str, list[RunStatus]]:
    """Return the states of all runs by experiment, in config.yaml or planned before.

    Args:
        project: the project.
        results: the folder results/.
        records: every run below it.

    Raises:
        SpecError: the file of an experiment that was planned once is wrong.
    """
    queue = _queue(Path.cwd())
    experiments = [*project.experiments.values()]
    with suppress(ResultError):  # a damaged plan, which `damaged_plans` names
        experiments += planned_once(project, results)
    durations = TypicalDurations(durations_of(records))
    found = {record.run: record for record in records}
    return {each.id: _states(each, results, found, queue, durations) for each in experiments}


def _states(
    experiment: Experiment,
    results: Path,
    found: Mapping[str, RunRecord],
    queue: Mapping[str, slurm.QueuedJob],
    durations: TypicalDurations,
) -> list[RunStatus]:
    records = {
        run.id: found.get(run.id) or RunRecord(RunFolder(results / "runs" / run.id))
        for run in experiment.runs
    }
    states = []
    for run in experiment.runs:
        record, progress = records[run.id], None
        if record.damage:
            about = "; ".join(record.damage)
            states.append(RunStatus(run.id, experiment.id, run.variant, run.seed, DAMAGED, about))
            continue
        state, about = state_of(record, queue.get(run.id))
        if state == "running":
            alike = (
                records[each.id].folder for each in experiment.runs if each.variant == run.variant
            )
            usual_s = durations.seconds_of(experiment.spec.program, experiment.id, run.variant)
            progress = progress_of(record.folder, record.attempts[-1], usual_steps(alike), usual_s)
        states.append(
            RunStatus(run.id, experiment.id, run.variant, run.seed, state, about, progress)
        )
    return states


def _queue(folder: Path) -> dict[str, slurm.QueuedJob]:
    """Return the SLURM jobs of a project's runs, by run; empty without SLURM."""
    try:
        jobs = slurm.jobs().values()
    except SlurmError:  # most machines have none
        return {}
    return runs_of_jobs(jobs, folder)


def runs_of_jobs(jobs: Iterable[slurm.QueuedJob], folder: Path) -> dict[str, slurm.QueuedJob]:
    """Return the jobs that haven't ended of the project in a folder, by the run of each."""
    ours = (job for job in jobs if job.comment.startswith(("caduceus:train:", "caduceus:sweep_")))
    return {
        job.comment.rpartition(":")[2]: job
        for job in ours
        if job.folder == str(folder) and not (job.has_finished or job.has_failed)
    }
