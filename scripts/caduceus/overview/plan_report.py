"""The answer of `caduceus plan`: as lines, and as a JSON object."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.answers import answer_text
from caduceus.io.phrases import count_of, printable
from caduceus.io.yaml_files import load
from caduceus.overview.forecasts import duration_text
from caduceus.overview.metric_warnings import metric_warnings
from caduceus.overview.plans import Plan, Training, read_plan
from caduceus.project.project import load_project
from caduceus.project.snakefile import config_file


def plan_text(arguments: Sequence[str], cores: int) -> Iterator[str]:
    """Yield what `snakemake ARGUMENTS` would do in the current folder, and warnings, as lines.

    Raises:
        SpecError: Snakemake finds something wrong.
    """
    yield from (printable(f"warning: {line}") for line in _warnings())
    yield from plan_lines(read_plan(arguments), cores)


def plan_json(arguments: Sequence[str], cores: int) -> str:
    """Return what `plan_text` yields as JSON.

    Raises:
        SpecError: Snakemake finds something wrong.
    """
    warnings, plan = list(_warnings()), read_plan(arguments)
    return answer_text(
        {
            "warnings": warnings,
            "damaged": plan.damage,
            **vars(plan.cost(cores)),
            "trainings": plan.trainings,
            "results": plan.rebuilds,
            "is_reported": plan.is_reported,
        }
    )


def _warnings() -> Iterator[str]:
    with suppress(SpecError):  # no configuration, or Snakemake says what is wrong in it
        config = config_file(Path())
        project = load_project(load(config).value, [str(config)])
        yield from metric_warnings(project, Path("results"))


def plan_lines(plan: Plan, cores: int) -> Iterator[str]:
    """Yield the plan in lines for a reader."""
    yield from (f"damaged: {line}" for line in plan.damage)
    if not plan.trainings and not plan.rebuilds:
        # Snakemake plans the list of failures also if an earlier build ended before it, and in a
        # copy whose files all have new times.
        check = "but the check for failures; `caduceus status` lists those that remain, if any"
        yield f"Nothing to run {check}." if plan.is_reported else "Nothing to run."
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
    cost = plan.cost(cores)
    unknown = cost.unknown_lengths
    if unknown == len(plan.trainings):
        return "; duration unknown, as no such run has finished yet"
    total, until = (3600 * each for each in (cost.hours_of_training, cost.hours_until_done))
    without = f", without {count_of(unknown, 'run')} of unknown length" if unknown else ""
    return (
        f", about {duration_text(total)} of training: {duration_text(until)} on "
        f"{count_of(cores, 'core')}{without}"
    )
