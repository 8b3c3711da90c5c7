"""The choice of the variants to compare, and of the metric."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import CaduceusError
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion
from caduceus.overview.mcp.answers import some
from caduceus.paper.results import Variant, by_variant, check_place, read_result
from caduceus.project.listed_runs import ListedRun, find_runs
from caduceus.project.paper_selections import CandidateRun
from caduceus.runs.equal_seeds import equal_notes, repeats
from caduceus.runs.goal import Goal
from caduceus.runs.metric import BestBy, Metric
from caduceus.statistics.settings import Methods

_LEFT_OUT = {
    "trial": "trials of sweeps",
    "try": "of tried edits",
    "abandoned": "of definitions that no experiment has any more",
    "project": "run elsewhere",
}
_MOST_VARIANTS = 40


@dataclass(frozen=True)
class Chosen:
    """The chosen variants, their labels, and the number of unused runs by reason."""

    variants: Sequence[Variant]
    labels: Sequence[str]
    left_out: Mapping[str, int]

    @property
    def notes(self) -> list[str]:
        """Return sentences on how seeds with equal rows count, as below a table."""
        return equal_notes([each for variant in self.variants for each in variant.equal_seeds])


def metric_of(
    name: str,
    goal: str | None,
    at: float | Mapping[str, float] | None,
    best_by: Mapping[str, str] | None,
) -> Metric:
    """Return the metric that a tool's arguments describe.

    Raises:
        CaduceusError: both `at` and `best_by` are given, or one is wrong.
    """
    if isinstance(at, Mapping) and len(at) != 1:
        raise CaduceusError(f"at: found {dict(at)}, allowed: a number, or one axis with its value")
    if at is not None and best_by is not None:
        raise CaduceusError("at and best_by: the metric is taken at one step; leave one out")
    chooser = None
    if best_by is not None:
        if best_by.keys() != {"name", "goal"} or best_by["goal"] not in list(Goal):
            raise CaduceusError(
                f"best_by: found {dict(best_by)}, allowed: name, and goal, maximize or minimize"
            )
        chooser = BestBy(best_by["name"], Goal(best_by["goal"]))
    return Metric(name=name, at=at, best_by=chooser, goal=Goal(goal) if goal else None)


def check_metric_place(metric: Metric, chosen: Chosen) -> None:
    """Check that `at` means the same place in every finished run.

    Raises:
        SpecError: the runs declare different axes, or none has logged the axis.
    """
    results = [result for variant in chosen.variants for result in variant.results]
    finished = [result for result in results if result.state == "finished"]
    check_place(metric.name, metric, finished, "compare_groups")


def choose_variants(
    results: Path,
    experiment: str | None,
    group: str | None,
    wanted: Sequence[str] | None,
    methods: Methods,
) -> Chosen:
    """Return the named variants, or those of an experiment, a group or everything but sweeps.

    Raises:
        CaduceusError: a name is unknown, or there are too few or too many variants.
    """
    names = [[name] if name else [] for name in (experiment, group)]
    kinds = ("planned", "trial") if experiment else ("planned",)
    found = find_runs(results, *names)
    records = [record for record in found if record.kind in kinds]
    # `caduceus retry` has cleared a trial without its parameters; its export is of before.
    exported = [
        record
        for record in records
        if record.exported is not None and (record.kind != "trial" or record.is_planned)
    ]
    variants = by_variant(
        [read_result(_planned(record), record, methods) for record in exported], methods
    )
    labels = _labels(variants)
    if wanted is not None:
        places = [place_of(name, variants, labels) for name in wanted]
        variants, labels = [variants[at] for at in places], [labels[at] for at in places]
    if not 2 <= len(variants) <= _MOST_VARIANTS:
        raise CaduceusError(
            f"{len(variants)} variants, allowed: 2 to {_MOST_VARIANTS}; name experiment, group or "
            f"variants; there are {', '.join(some(labels, _MOST_VARIANTS)) or 'none'}"
        )
    left_out = Counter(_LEFT_OUT[record.kind] for record in found if record.kind not in kinds)
    left_out["not exported yet"] = len(records) - len(exported)
    left_out["with the rows of another seed"] = sum(
        len(repeats(variant.equal_seeds)) for variant in variants
    )
    left_out["failed"] = sum(variant.failed for variant in variants)
    return Chosen(variants, labels, +left_out)


def _labels(variants: Sequence[Variant]) -> list[str]:
    """Return the name of each variant, with its experiment if several experiments have it."""
    names = Counter(variant.name for variant in variants)
    return [
        f"{variant.name} of {variant.experiment}" if names[variant.name] > 1 else variant.name
        for variant in variants
    ]


def _planned(record: ListedRun) -> CandidateRun:
    about = record.summary
    parameters: dict[str, Any] | None = None if record.kind == "trial" else {}
    return CandidateRun(
        record.run,
        about.experiment or "",
        about.group,
        about.variant or "",
        about.seed or 0,
        parameters,
    )


def place_of(name: str, variants: Sequence[Variant], labels: Sequence[str]) -> int:
    """Return the place of a variant by its label, or by NAME of EXPERIMENT.

    Raises:
        CaduceusError: there is no such variant.
    """
    known = [f"{variant.name} of {variant.experiment}" for variant in variants]
    for names in (labels, known):
        if name in names:
            return names.index(name)
    raise CaduceusError(
        f"there is no variant {pasted(name)}{suggestion(name, labels)}; there are "
        f"{', '.join(some(labels, _MOST_VARIANTS))}"
    )
