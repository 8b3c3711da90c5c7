"""The plan of the next `snakemake`: what it would do, why, and how long that may take."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of, printable
from caduceus.io.yaml_files import load
from caduceus.overview.forecasts import duration_text, durations_of, makespan_s, typical_s
from caduceus.overview.metric_warnings import metric_warnings
from caduceus.overview.reasons import export_reason, job_reason
from caduceus.overview.training_reasons import PlannedRun, planned_runs, why_trained
from caduceus.project.project import load_project
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import read_records
from caduceus.system.snakemake_dry_run import REPORTING, Job, planned_jobs

_TRAINING = ("train", "sweep_agent")
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
class Plan:
    """Everything that would be done: runs by experiment, variant and seed, results by name.

    `is_reported` is true if failed runs or refuted claims would be reported again; `damage` has a
    line for each damaged file of a run.
    """

    trainings: Sequence[Training]
    rebuilds: Sequence[Rebuild]
    is_reported: bool
    damage: Sequence[str] = ()

    def hours(self, cores: int) -> tuple[float, float]:
        """Return the hours of training in total and until the last ends, without unknown ones."""
        tasks = [(each.seconds, each.threads) for each in self.trainings if each.seconds]
        total = sum(seconds for seconds, _ in tasks)
        return total / 3600, makespan_s(tasks, cores) / 3600

    @property
    def unknown(self) -> int:
        """The number of trainings whose duration no earlier run tells."""
        return sum(each.seconds is None for each in self.trainings)


def read_plan(arguments: Sequence[str] = ()) -> Plan:
    """Return what `snakemake ARGUMENTS` would do in the current folder.

    The jobs tell where the results lie, since a module may have them in a folder of its own.

    Raises:
        SpecError: Snakemake finds something wrong.
    """
    jobs = planned_jobs(arguments)
    about_runs = [job for job in jobs if job.run is not None and job.rule in _TRAINING]
    results = {RunFolder(Path(job.outputs[0]).parent).results for job in about_runs}
    records = [record for folder in results for record in read_records(folder)]
    known, durations = planned_runs(records), durations_of(records)
    new = {job.run: job for job in jobs if job.rule == "plan_run"}
    named = {job.run: job for job in jobs if job.rule == "init_run"}
    trainings = []
    for job in about_runs:
        run = _planned(job, new.get(job.run), named.get(job.run))
        program = run.definition.program
        seconds = typical_s(durations, program, run.experiment, run.variant)
        why = why_trained(run, known)
        trainings.append(
            Training(run.run, run.experiment, run.variant, run.seed, why, seconds, job.threads)
        )
    made = {each.run for each in trainings}
    rebuilds = _merged(
        Rebuild(job.item, _why(job, made), Path(job.outputs[0]).exists())
        for job in jobs
        if job.rule not in (*_TRAINING, *_AROUND, *REPORTING) and job.run not in made
    )
    # Snakemake's own order differs from call to call.
    trainings.sort(key=lambda each: (each.experiment, each.variant, each.seed))
    is_reported = any(job.rule in REPORTING for job in jobs)
    damage = [line for record in records for line in record.damage]
    return Plan(trainings, sorted(rebuilds, key=lambda each: each.item), is_reported, damage)


def _why(job: Job, made: set[str]) -> str:
    is_export = job.run is not None and job.item.startswith("runs/")
    return export_reason(job.reason) if is_export else job_reason(job.reason, made, job.item)


def _merged(rebuilds: Iterable[Rebuild]) -> list[Rebuild]:
    """Merge the jobs that make the same result."""
    found: dict[str, Rebuild] = {}
    for each in rebuilds:
        known = found.setdefault(each.item, each)
        reasons = dict.fromkeys(filter(None, [*known.why.split("; "), *each.why.split("; ")]))
        is_there = known.is_there and each.is_there
        found[each.item] = Rebuild(each.item, "; ".join(reasons), is_there)
    return list(found.values())


def _planned(training: Job, planning: Job | None, naming: Job | None) -> PlannedRun:
    """Return a run as its jobs define it, or as its files do if these exist already."""
    folder = RunFolder(Path(training.outputs[0]).parent)
    definition = (
        Params.from_json(planning.option("definition"))
        if planning
        else Params.read(folder.params_json)
    )
    identity = (
        Identity.from_json(naming.option("identity")) if naming else Identity.read(folder.run_json)
    )
    return PlannedRun(definition, identity, folder)


def plan_report(arguments: Sequence[str], cores: int) -> Iterator[str]:
    """Yield what `snakemake ARGUMENTS` would do in the current folder, and warnings, as lines.

    Raises:
        SpecError: Snakemake finds something wrong.
    """
    with suppress(SpecError):  # no config.yaml, or Snakemake says what is wrong in it
        project = load_project(load(Path("config.yaml")).value, ["config.yaml"])
        for line in metric_warnings(project, Path("results")):
            yield printable(f"warning: {line}")
    yield from plan_lines(read_plan(arguments), cores)


def plan_lines(plan: Plan, cores: int) -> Iterator[str]:
    """Yield the plan in lines for a reader."""
    yield from (f"damaged: {line}" for line in plan.damage)
    if not plan.trainings and not plan.rebuilds:
        failures = " Failures remain: see `caduceus status`." if plan.is_reported else ""
        yield f"Nothing to run.{failures}"
        return
    if plan.trainings:
        yield f"{count_of(len(plan.trainings), 'run')} to train{_cost(plan, cores)}"
        for experiment in dict.fromkeys(each.experiment for each in plan.trainings):
            yield f"  {experiment}"
            yield from _training_lines(
                [each for each in plan.trainings if each.experiment == experiment]
            )
    runs = [each for each in plan.rebuilds if each.item.startswith("runs/")]
    if runs:
        yield f"{count_of(len(runs), 'run')} to export again"
        for why in dict.fromkeys(each.why for each in runs):
            count = sum(each.why == why for each in runs)
            yield f"  {count_of(count, 'run')}: {why}"
    others = [each for each in plan.rebuilds if each not in runs]
    if others:
        yield f"{count_of(len(others), 'result')} to make"
        width = max(len(each.item) for each in others)
        for each in others:
            yield f"  {each.item:{width}}  {each.why}"


def _training_lines(trainings: Sequence[Training]) -> Iterator[str]:
    """Yield one line for the seeds of a variant that share a reason."""
    groups: dict[tuple[str, str], list[Training]] = {}
    for each in trainings:
        groups.setdefault((each.variant, each.why), []).append(each)
    width = max(len(variant) for variant, _ in groups)
    for (variant, why), members in groups.items():
        seeds = ", ".join(str(each.seed) for each in members)
        known = members[0].seconds
        time = "" if known is None else f" ({duration_text(known)} each)"
        yield f"    {variant:{width}}  seed{'s'[: len(members) > 1]} {seeds}{time}: {why}"


def _cost(plan: Plan, cores: int) -> str:
    if plan.unknown == len(plan.trainings):
        return "; duration unknown, as no such run has finished yet"
    total, until = (3600 * hours for hours in plan.hours(cores))
    without = f", without {count_of(plan.unknown, 'run')} of unknown length" if plan.unknown else ""
    return (
        f", about {duration_text(total)} of training: {duration_text(until)} on "
        f"{count_of(cores, 'core')}{without}"
    )
