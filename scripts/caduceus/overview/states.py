"""What has become of each run that is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus import slurm
from caduceus.attempts import read_attempts
from caduceus.collecting import planned_once
from caduceus.errors import SlurmError
from caduceus.experiments import Experiment
from caduceus.files import read_json
from caduceus.leases import is_held
from caduceus.overview.forecasts import Duration, typical_s
from caduceus.overview.progress import Progress, progress_of, usual_steps
from caduceus.project import Project
from caduceus.runs import RunFolder

# to do: no attempt was made. queued: a job of SLURM is to make one. interrupted: the next attempt
# goes on. to export: it has ended, and its export isn't made. skipped: its sweep doesn't need it.
STATES = (
    *("finished", "skipped", "running", "queued", "to do"),
    *("interrupted", "to export", "failed"),
)


@dataclass(frozen=True)
class RunState:
    """What has become of a run.

    Attributes:
        run: its id.
        experiment: its experiment.
        name: its variant and seed.
        state: one of `STATES`.
        about: why, for the states that need a reason; where it is at work.
        progress: of a run that is at work.
    """

    run: str
    experiment: str
    name: str
    state: str
    about: str = ""
    progress: Progress | None = None


def read_states(
    project: Project, results: Path, durations: Sequence[Duration]
) -> dict[str, list[RunState]]:
    """The state of every run, by its experiment: of those in config.yaml, and planned before.

    Raises:
        SpecError: the file of an experiment that was planned once is wrong.
    """
    queue = _queue(Path.cwd())
    experiments = [*project.experiments.values(), *planned_once(project, results)]
    return {each.id: _states(each, results, queue, durations) for each in experiments}


def _states(
    experiment: Experiment,
    results: Path,
    queue: Mapping[str, slurm.Queued],
    durations: Sequence[Duration],
) -> list[RunState]:
    folders = {run.id: RunFolder(results / "runs" / run.id) for run in experiment.runs}
    states = []
    for run in experiment.runs:
        folder = folders[run.id]
        state, about = state_of(folder, queue.get(run.id))
        progress = None
        if state == "running":
            attempt = read_attempts(folder.attempts)[-1]
            alike = (folders[each.id] for each in experiment.runs if each.variant == run.variant)
            usual_s = typical_s(
                durations, str(experiment.spec["program"]), experiment.id, run.variant
            )
            progress = progress_of(folder, attempt, usual_steps(alike), usual_s)
        name = f"{run.variant} seed {run.seed}"
        states.append(RunState(run.id, experiment.id, name, state, about, progress))
    return states


def state_of(folder: RunFolder, queued: slurm.Queued | None = None) -> tuple[str, str]:
    """The state of a run, one of `STATES`, and what is to be said about it.

    Args:
        folder: the run's.
        queued: the job of SLURM that is to make its next attempt, if there is one.
    """
    is_exported = (folder.path / "manifest.json").exists()
    if (folder.path / "train.json").exists():
        train = read_json(folder.path / "train.json")
        if train["state"] == "failed":
            return "failed", train["error"]
        return train["state"] if is_exported else "to export", ""
    if is_exported:  # made elsewhere
        summary = read_json(folder.path / "run_summary.json")
        return summary["state"] if summary["state"] in STATES else "failed", ""
    attempts = read_attempts(folder.attempts)
    where = f"SLURM job {queued.job_id}" if queued else ""
    if attempts and is_held(folder.lease, folder.lock):
        return "running", where or f"on {attempts[-1]['host']}"
    if queued and not queued.has_failed:
        return "queued", f"{where}, {queued.state.lower()}"
    return _left(attempts) if attempts else ("to do", "")


def _left(attempts: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The state of a run that somebody began and nobody is at work on."""
    last = attempts[-1]
    if last["state"] == "running":
        return "interrupted", "killed together with its supervisor"
    if last["state"] == "failed":
        return "interrupted", f"it will be tried again: {last['error']}"
    return "interrupted" if last["state"] == "interrupted" else "to export", last["error"] or ""


def _queue(folder: Path) -> dict[str, slurm.Queued]:
    """The SLURM jobs of runs of the project in a folder, by the run, where there is SLURM."""
    try:
        jobs = slurm.jobs().values()
    except SlurmError:  # most machines have none
        return {}
    ours = (job for job in jobs if job.comment.startswith(("caduceus:train:", "caduceus:sweep_")))
    found: dict[str, slurm.Queued] = {}
    for job in ours:
        if job.folder == str(folder) and not (job.has_finished or job.has_failed):
            found[job.comment.rpartition(":")[2]] = job
    return found
