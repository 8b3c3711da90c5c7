"""Compare variants by their seeds, with the methods and settings of the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.io.phrases import count_of
from caduceus.overview.mcp.answers import Answer, choose_metric, some
from caduceus.overview.mcp.variants import Chosen, place_of
from caduceus.overview.paper_methods import paper_methods
from caduceus.paper.figures.figure_data import rounded
from caduceus.paper.marks import Column, find_best
from caduceus.paper.results import Variant
from caduceus.paper.verdict_names import TEST_NAMES, difference_verdict
from caduceus.project.paper_selections import goal_of
from caduceus.runs.files.plan import Plan, Spec
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.statistics.comparisons import Comparison, compare_by_seed
from caduceus.statistics.estimates import estimate_mean
from caduceus.statistics.power import runs_to_decide
from caduceus.statistics.settings import Methods
from caduceus.statistics.verdicts import Verdict, decide, greater

_MEASURED = ("effect", "low", "high", "p", "minimum_p", "effect_size", "improvement")
_VERDICTS = {
    "worse": "worse",
    "tied": "within noise",
    "undecided": "not enough runs",
    "untested": "no verdict",
}


@dataclass(frozen=True)
class Found:
    """The answer of `compare_groups`."""

    goal: Goal | None
    variants: list[Answer]
    comparisons: list[Answer]
    conclusion: str
    method: str


def compare_variants(chosen: Chosen, metric: Metric, baseline: str | None, results: Path) -> Found:
    """Compare variants with the reference variant `baseline`, or with the best of them.

    Raises:
        CaduceusError: no run has the metric, a variant has fewer than two runs with it, the
            reference variant doesn't exist, or the goal is unknown.
    """
    methods = paper_methods(results)
    values = [variant.by_seed(metric) for variant in chosen.variants]
    if not any(values):
        _refuse_metric(chosen, metric)
    specs = _specs(chosen.variants, results)
    goal = goal_of(metric, None, specs)
    place = _place_of_reference(chosen, baseline, specs)
    count = len(values)
    _refuse_single(chosen, values, metric, methods, place is not None)
    if place is None:
        if goal is None:
            raise CaduceusError("no goal is known; give goal (maximize or minimize) or baseline")
        comparisons, conclusion, correction = _with_best(chosen, values, goal, methods)
    else:
        comparisons = _with_reference(chosen, values, place, goal, methods)
        conclusion = _conclusion(comparisons, f"compared with {chosen.labels[place]}")
        correction = f"Holm over {count_of(count - 1, 'comparison')}"
    used = dict.fromkeys(row["test"] for row in comparisons)
    tests = " or ".join(TEST_NAMES[name] for name in used)
    confidence = f"{100 * methods.confidence:g} %"
    shown = [_variant(chosen, at, values[at], methods) for at in range(count)]
    if goal is not None:
        shown.sort(key=lambda row: goal.sign * row["mean"])
    return Found(
        goal,
        shown,
        comparisons,
        conclusion,
        f"{tests}, two-sided, at alpha {methods.alpha:g}, {correction}; {confidence} intervals by "
        "Student's or Welch's t",
    )


def _specs(variants: Sequence[Variant], results: Path) -> list[Spec]:
    experiments = dict.fromkeys(variant.experiment for variant in variants)
    return [Plan.read(results / "experiments" / f"{name}.json").spec for name in experiments]


def _place_of_reference(chosen: Chosen, named: str | None, specs: Sequence[Spec]) -> int | None:
    """Return the place of the reference variant; None to compare with the best."""
    if named is not None:
        return place_of(named, chosen.variants, chosen.labels)
    own = [spec.baseline for spec in specs if spec.baseline]
    if len(specs) == 1 and own:
        matching = [
            at
            for at, variant in enumerate(chosen.variants)
            if all(variant.parameters.get(name) == value for name, value in own[0].items())
        ]
        if len(matching) == 1:
            return matching[0]
    return 0 if len(chosen.variants) == 2 else None


def _refuse_metric(chosen: Chosen, metric: Metric) -> None:
    """Raise an error if the metric's name is wrong, instead of one about missing runs."""
    finished = (result for variant in chosen.variants for result in variant.results)
    names = {name for result in finished if result.state == "finished" for name in result.summary}
    if names:
        choose_metric(metric.name, sorted(names))


def _refuse_single(
    chosen: Chosen,
    values: Sequence[Mapping[int, float]],
    metric: Metric,
    methods: Methods,
    has_reference: bool,
) -> None:
    few = [
        f"{label} has {len(found)} of {len(variant.results)}"
        for label, variant, found in zip(chosen.labels, chosen.variants, values, strict=True)
        if len(found) < 2
    ]
    if not few:
        return
    count = len(values)
    family = count - 1 if has_reference else count * (count - 1) // 2
    is_paired = methods.test != "permutation"
    # Joint sign flips of all pairs decide with as many seeds as a single pair needs.
    tests = 1 if is_paired and not has_reference else family
    needed = runs_to_decide(tests, methods.alpha, is_paired)
    raise CaduceusError(
        f"refused: a single seed can't decide what is better; finished runs with "
        f"{metric.name}: {'; '.join(some(few, 8))}; to decide "
        f"{count_of(family, 'comparison')}, list at least {needed} seeds under `seeds`, or name "
        "other variants"
    )


def _variant(chosen: Chosen, at: int, values: Mapping[int, float], methods: Methods) -> Answer:
    found = estimate_mean(list(values.values()), methods.confidence, methods.folds)
    return {
        "variant": chosen.labels[at],
        "experiment": chosen.variants[at].experiment,
        "n": found.n,
        "failed": chosen.variants[at].failed,
        "seeds": some(sorted(values), 20),
        "mean": rounded(found.value),
        "std": rounded(found.std),
        "low": rounded(found.low),
        "high": rounded(found.high),
    }


def comparison_row(found: Comparison) -> Answer:
    """Return a comparison as a row of an answer, without its verdict."""
    counts = {"n": found.n} if found.is_paired else {"n": found.n, "n_second": found.n_second}
    return (
        counts
        | {"is_paired": found.is_paired, "test": found.test}
        | {name: rounded(getattr(found, name)) for name in _MEASURED}
    )


def verdict_row(verdict: Verdict, goal: Goal | None) -> Answer:
    """Return a verdict as a row of an answer."""
    return {
        "adjusted_p": rounded(verdict.adjusted_p),
        "verdict": difference_verdict(verdict, goal),
        "runs_that_would_do": verdict.runs_that_would_do,
    }


def compare_values(
    first: Mapping[int, float], second: Mapping[int, float], methods: Methods
) -> Comparison:
    """Compare two sets of runs by seed, with the test and confidence of `paper.statistics`."""
    return compare_by_seed(
        first, second, test=methods.test, confidence=methods.confidence, folds=methods.folds
    )


def _with_reference(
    chosen: Chosen,
    values: Sequence[Mapping[int, float]],
    place: int,
    goal: Goal | None,
    methods: Methods,
) -> list[Answer]:
    others = [at for at in range(len(values)) if at != place]
    compared = [compare_values(values[at], values[place], methods) for at in others]
    verdicts = decide([greater(found) for found in compared], methods.alpha)
    return [
        {"variant": chosen.labels[at], "than": chosen.labels[place]}
        | comparison_row(found)
        | verdict_row(verdict, goal)
        for at, found, verdict in zip(others, compared, verdicts, strict=True)
    ]


def _with_best(
    chosen: Chosen,
    values: Sequence[Mapping[int, float]],
    goal: Goal,
    methods: Methods,
) -> tuple[list[Answer], str, str]:
    """Return the comparisons with the best, the conclusion, and how p are adjusted."""
    means = {at: estimate_mean(list(found.values())).value for at, found in enumerate(values)}
    column = Column(goal, means, dict(enumerate(values)))
    marks = find_best({"": column}, methods.test, methods.alpha, folds=methods.folds)
    places = [at for (_, at), mark in marks.by_place.items() if mark == "best"]
    if not places:
        return [], "all means are the same", marks.family.correction
    best = places[0]
    rows = []
    for (_, at), mark in marks.by_place.items():
        if mark == "best":
            continue
        row = comparison_row(_swapped(marks.comparisons["", at]))
        row |= {"adjusted_p": rounded(marks.p["", at]), "verdict": _VERDICTS[mark]}
        do = marks.runs_that_would_do if mark == "undecided" else None
        row |= {"runs_that_would_do": do}
        rows.append({"variant": chosen.labels[at], "than": chosen.labels[best]} | row)
    leading = " and ".join(chosen.labels[at] for at in places)
    shared = " on the seeds that both have" if marks.shared else ""
    conclusion = _conclusion(rows, f"{leading} has the best mean{shared}; compared with it")
    return rows, conclusion, marks.family.correction


def _swapped(found: Comparison) -> Comparison:
    """Return the comparison of the second with the first."""
    return replace(
        found,
        n=found.n if found.is_paired else found.n_second,
        n_second=found.n,
        effect=-found.effect,
        low=-found.high,
        high=-found.low,
        p_greater=found.p_less,
        p_less=found.p_greater,
        effect_size=-found.effect_size,
        improvement=1 - found.improvement,
    )


def _conclusion(rows: Sequence[Answer], start: str) -> str:
    """Return the verdicts as text, such as "compared with a, better: b; within noise: c, d"."""
    by_verdict: dict[str, list[str]] = {}
    for row in rows:
        by_verdict.setdefault(row["verdict"], []).append(row["variant"])
    parts = [f"{verdict}: {', '.join(some(names, 12))}" for verdict, names in by_verdict.items()]
    needed = [row["runs_that_would_do"] for row in rows if row["verdict"] == "not enough runs"]
    known = [number for number in needed if number is not None]
    if known:
        parts.append(f"{max(known)} seeds of each are the fewest that can decide")
    return f"{start}, {'; '.join(parts)}"
