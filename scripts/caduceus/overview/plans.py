"""The plan of the next `snakemake`: what it would do, why, and how long that may take."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.overview.forecasts import TypicalDurations, durations_of, makespan_s
from caduceus.overview.reasons import export_reason, job_reason, merged_reason
from caduceus.overview.training_reasons import PlannedRun, TrainedRuns, planned_runs
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import read_records
from caduceus.system.snakemake_dry_run import REPORTING, Job, planned_jobs
from caduceus.system.snakemake_job_list import TRAINING

# Jobs around the training of a run, which aren't listed on their own.
_AROUND = ("plan_run", "init_run", "upload_artifacts", "make_dataset", "check_account")


@dataclass(frozen=True)
class Training:
    """A run that would be trained.

    `why` is a phrase for the user; `seconds` is the typical duration of such runs, None if none has
    finished yet.
    """

    run: str
    experiment: str
    variant: str
    seed: int
    why: str
    seconds: float | None
    threads: int


@dataclass(frozen=True)
class Rebuild:
    """A result that would be made; `is_there` is true if it would be made again."""

    item: str
    why: str
    is_there: bool


@dataclass(frozen=True)
class Cost:
    """How long trainings may take.

    Attributes:
        cores: how many there are.
        hours_of_training: in total, without trainings of unknown length.
        hours_until_done: until the last ends, without trainings of unknown length.
        unknown_lengths: the number of trainings whose duration no earlier run tells.
    """

    cores: int
    hours_of_training: float
    hours_until_done: float
    unknown_lengths: int


@dataclass(frozen=True)
class Plan:
    """Everything that would be done: runs by experiment, variant and seed, results by name.

    `is_reported` is true if failed runs and refuted claims would be listed again, which there may
    be none of; `damage` has a line for each damaged file of a run.
    """

    trainings: Sequence[Training]
    rebuilds: Sequence[Rebuild]
    is_reported: bool
    damage: Sequence[str] = ()

    def cost(self, cores: int) -> Cost:
        """Return how long the trainings may take."""
        tasks = [(each.seconds, each.threads) for each in self.trainings if each.seconds]
        total_h = sum(seconds for seconds, _ in tasks) / 3600
        unknown = sum(each.seconds is None for each in self.trainings)
        return Cost(cores, total_h, makespan_s(tasks, cores) / 3600, unknown)

    @property
    def stale(self) -> list[Rebuild]:
        """The results that would be made again."""
        return [each for each in self.rebuilds if each.is_there]


def read_plan(arguments: Sequence[str] = ()) -> Plan:
    """Return what `snakemake ARGUMENTS` would do in the current folder.

    The jobs tell where the results lie, since a module may have them in a folder of its own.

    Raises:
        SpecError: Snakemake finds something wrong.
    """
    jobs = planned_jobs(arguments)
    about_runs = [job for job in jobs if job.run is not None and job.rule in TRAINING]
    results = {RunFolder(Path(job.outputs[0]).parent).results for job in about_runs}
    records = [record for folder in results for record in read_records(folder)]
    before, durations = TrainedRuns(planned_runs(records)), TypicalDurations(durations_of(records))
    new = {job.run: job for job in jobs if job.rule == "plan_run"}
    named = {job.run: job for job in jobs if job.rule == "init_run"}
    trainings = []
    for job in about_runs:
        run = _planned(job, new.get(job.run), named.get(job.run))
        program = run.definition.program
        seconds = durations.seconds_of(program, run.experiment, run.variant)
        why = before.why_trained(run)
        trainings.append(
            Training(run.run, run.experiment, run.variant, run.seed, why, seconds, job.threads)
        )
    made = {each.run for each in trainings}
    rebuilds = _merged(
        Rebuild(job.item, _why(job, made), Path(job.outputs[0]).exists())
        for job in jobs
        if job.rule not in (*TRAINING, *_AROUND, *REPORTING) and job.run not in made
    )
    # Snakemake's own order differs from call to call.
    trainings.sort(key=lambda each: (each.experiment, each.variant, each.seed))
    is_reported = any(job.rule in REPORTING for job in jobs)
    damage = [line for record in records for line in record.damage]
    return Plan(trainings, sorted(rebuilds, key=lambda each: each.item), is_reported, damage)


def _why(job: Job, made: set[str]) -> str:
    if job.rule == "check_logs":
        return "the logs to make it from are lost, so it will fail"
    is_export = job.run is not None and job.item.startswith("runs/")
    return export_reason(job.reason) if is_export else job_reason(job.reason, made, job.item)


def _merged(rebuilds: Iterable[Rebuild]) -> list[Rebuild]:
    """Merge the jobs that make the same result."""
    found: dict[str, Rebuild] = {}
    for each in rebuilds:
        known = found.setdefault(each.item, each)
        is_there = known.is_there and each.is_there
        found[each.item] = Rebuild(each.item, merged_reason([known.why, each.why]), is_there)
    return list(found.values())


def _planned(training: Job, planning: Job | None, naming: Job | None) -> PlannedRun:
    """Return a run as its jobs define it, or as its files do if these exist already."""
    folder = RunFolder(Path(training.outputs[0]).parent)
    definition = (
        Params.from_json(json.loads(planning.params["definition"]))
        if planning
        else Params.read(folder.params_json)
    )
    identity = (
        Identity.from_json(json.loads(naming.params["identity"]))
        if naming
        else Identity.read(folder.run_json)
    )
    return PlannedRun(definition, identity, folder)
