"""The runs that a table, a figure or a claim shows; known before any of them has run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.project.paper import Entry, Paper
from caduceus.project.sides import Side
from caduceus.runs.files.plan import Plan, Spec
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.runs.variants import leaves, matches


@dataclass(frozen=True)
class CandidateRun:
    """A run that an entry of the paper may show.

    `parameters` have nested keys joined by dots; None while a sweep hasn't chosen them.
    """

    run: str
    experiment: str
    group: str
    variant: str
    seed: int
    parameters: Mapping[str, Json] | None


def candidate_runs(plan: Plan) -> Iterator[CandidateRun]:
    """Yield the runs of an experiment, in the order of its file."""
    spec = plan.spec
    for run in plan.runs:
        parameters = dict(leaves(run.definition.parameters)) if run.trial is None else None
        yield CandidateRun(run.id, spec.id, spec.group, run.variant, run.seed, parameters)


def is_shown(run: CandidateRun, entry: Entry) -> bool:
    """Whether an entry of the paper shows a run.

    Its `experiments`, `groups` and variants each allow all if they are empty. A trial whose
    parameters aren't known yet may be any variant.
    """
    sides = entry.sides.values()
    return is_allowed(run, entry) and (not sides or any(is_side(run, side) for side in sides))


def is_allowed(run: CandidateRun, entry: Entry) -> bool:
    """Whether the `experiments` and `groups` of an entry allow a run, whatever its variant."""
    if entry.experiments and run.experiment not in entry.experiments:
        return False
    return not entry.groups or run.group in entry.groups


def is_side(run: CandidateRun, side: Side) -> bool:
    """Whether a run may be one of a side's variants."""
    wanted = {name: value for name, value in side.items() if name != "experiment"}
    if side.get("experiment", run.experiment) != run.experiment:
        return False
    return run.parameters is None or matches(run.parameters, wanted)


def goal_of(metric: Metric, entry_goal: Goal | None, specs: Iterable[Spec]) -> Goal | None:
    """Return which values of a metric are better; None if neither entry nor experiment says it.

    Args:
        metric: the metric, whose own goal comes first.
        entry_goal: the goal of the entry that shows it.
        specs: the experiments; one may have the metric, with its goal.
    """
    named = (spec.metric.goal for spec in specs if spec.metric and spec.metric.name == metric.name)
    return metric.goal or entry_goal or next(named, None)


def declared_goal(metric: Metric, spec: Spec, paper: Paper) -> Goal | None:
    """Return which values of a metric are better, as an experiment or else the paper declares it.

    Args:
        metric: the metric, whose own goal comes first.
        spec: the experiment.
        paper: its tables, figures and claims. If they declare both goals, none is known.
    """
    if known := goal_of(metric, None, [spec]):
        return known
    declared = set[Goal]()
    for entry in paper.entries.values():
        for shown in entry.metrics.values():
            if shown.name == metric.name and (goal := goal_of(shown, entry.goal, ())):
                declared.add(goal)
            if shown.best_by and shown.best_by.name == metric.name:
                declared.add(shown.best_by.goal)
    return declared.pop() if len(declared) == 1 else None


def experiments_of(runs: Iterable[CandidateRun]) -> list[str]:
    """Return the ids of the experiments that `runs` belong to, in order."""
    return list(dict.fromkeys(run.experiment for run in runs))
