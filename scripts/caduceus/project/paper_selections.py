"""Which runs a table, a figure or a claim shows: known before any of them has run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from caduceus.io.yaml_files import Key
from caduceus.runs.files.plan import Plan, Spec
from caduceus.runs.goal import Goal
from caduceus.runs.variants import leaves, matches

Metric = str | Mapping[str, Any]  # as `paper` says it: a name, or a mapping with `name`
Side = Mapping[str, Any]  # parameters that one variant has; `experiment` names its experiment

_ONE_VARIANT_EACH = {
    "compare": ("better", "worse"),
    "reproduces": ("variant",),
    "at_least": ("variant",),
}
CLAIMS = (*_ONE_VARIANT_EACH, "trend")


@dataclass(frozen=True)
class PlannedRun:
    """A run as its experiment plans it; `parameters` is None while a sweep hasn't chosen them."""

    run: str
    experiment: str
    group: str
    variant: str
    seed: int
    parameters: Mapping[str, Any] | None


def planned_runs(plan: Plan) -> Iterator[PlannedRun]:
    """Yield the runs of an experiment, in the order of its file."""
    spec = plan.spec
    for run in plan.runs:
        parameters = dict(leaves(run.definition.parameters)) if run.trial is None else None
        yield PlannedRun(run.id, spec.id, spec.group, run.variant, run.seed, parameters)


def is_shown(run: PlannedRun, shown: Mapping[str, Any]) -> bool:
    """Whether a table, figure or claim shows a run, as its entry in `paper` says.

    Its `experiments`, `groups` and `variants` each allow all if they are empty. A trial whose
    parameters aren't known yet may be any variant.
    """
    experiments, groups = shown["experiments"], shown.get("groups")
    if (experiments and run.experiment not in experiments) or (groups and run.group not in groups):
        return False
    sides = shown_variants(shown).values()
    return not sides or any(is_side(run, side) for side in sides)


def shown_variants(shown: Mapping[str, Any]) -> dict[tuple[Key, ...], Side]:
    """The sides that an entry of `paper` names, by their keys in it; empty for all variants."""
    for kind, keys in _ONE_VARIANT_EACH.items():
        if kind in shown:
            return {(kind, key): shown[kind][key] for key in keys}
    above = ("trend",) if "trend" in shown else ()
    sides = shown.get("trend", shown).get("variants", ())
    return {(*above, "variants", index): side for index, side in enumerate(sides)}


def claim_kind(claim: Mapping[str, Any]) -> str:
    """What decides a claim: one of `CLAIMS`."""
    return next(kind for kind in CLAIMS if kind in claim)


def is_side(run: PlannedRun, side: Side) -> bool:
    """Whether a run may be one of a side's variants."""
    wanted = {name: value for name, value in side.items() if name != "experiment"}
    if side.get("experiment", run.experiment) != run.experiment:
        return False
    return run.parameters is None or matches(run.parameters, wanted)


def shown_metrics(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of a table or figure by heading, or that of a claim by its name."""
    for kind in CLAIMS:
        if kind in shown:
            metric = shown[kind]["metric"]
            return {metric if isinstance(metric, str) else metric["name"]: metric}
    return dict(shown.get("metrics", {}))


def metric_name(metric: Metric) -> str:
    """The name under which runs log it."""
    return metric if isinstance(metric, str) else str(metric["name"])


def goal_of(metric: Metric, shown: Mapping[str, Any], specs: Iterable[Spec]) -> Goal | None:
    """Which values of a metric are better; None if no entry or experiment says it.

    Args:
        metric: as `paper` says it.
        shown: the entry that shows it.
        specs: the experiments' own, whose `metric` has a goal.
    """
    own = None if isinstance(metric, str) else metric["goal"]
    named = (
        spec.metric.goal
        for spec in specs
        if spec.metric and spec.metric.name == metric_name(metric)
    )
    goal = own or shown.get("goal") or next(named, None)
    return Goal(goal) if goal else None


def experiments_of(runs: Iterable[PlannedRun]) -> list[str]:
    """The ids of the experiments that `runs` belong to, in order."""
    return list(dict.fromkeys(run.experiment for run in runs))
