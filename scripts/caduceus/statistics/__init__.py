"""Statistics of runs: functions of arrays; the same seed gives the same numbers.

| | |
|---|---|
| `estimate_mean`, `estimate` | mean, median or interquartile mean of n runs, with an interval |
| `estimate_over_tasks`, `improvement_over_tasks`, `performance_profile` | rliable's metrics |
| `compare_ranks`, `compare_with_control`, `bayesian_signed_rank` | ranks over tasks |
| `compare_paired`, `compare_unpaired`, `compare_by_seed` | is it noise? |
| `compare_to_value`, `compare_to_published` | does it differ from a value, or a published mean? |
| `equivalence`, `equivalence_to_published`, `equivalence_by_seed` | is it within a tolerance? |
| `compare_ratio`, `ratio_equivalence` | is it so many times another? |
| `compare_items`, `mcnemar` | would it hold on other test items? |
| `compare_seeds_and_items` | would it hold with other seeds and other test items? |
| `trend` | does it rise or fall with a setting? |
| `holm` | p values corrected for the number of comparisons |
| `minimum_p`, `runs_to_decide`, `runs_needed` | the smallest possible p, and the runs needed |
| `decide` | verdicts on a family of claims, which `greater`, `less` and `within` make |
| `outlier_limit` | the largest value that isn't an outlier |

workflow/STATISTICS.md explains which methods were chosen and why, with their coverage, error rates
and power.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caduceus.statistics.comparisons import (
        Comparison,
        compare_by_seed,
        compare_paired,
        compare_to_value,
        compare_unpaired,
    )
    from caduceus.statistics.corrections import holm
    from caduceus.statistics.equivalence_tests import (
        Equivalence,
        equivalence,
        equivalence_by_seed,
        equivalence_to_published,
    )
    from caduceus.statistics.estimates import Estimate, estimate, estimate_mean
    from caduceus.statistics.items import ItemComparison, compare_items, mcnemar
    from caduceus.statistics.outliers import outlier_limit
    from caduceus.statistics.power import minimum_p, runs_needed, runs_to_decide
    from caduceus.statistics.profiles import Profile, performance_profile
    from caduceus.statistics.published_means import PublishedMean, compare_to_published
    from caduceus.statistics.ranks import (
        RankComparison,
        bayesian_signed_rank,
        compare_ranks,
        compare_with_control,
    )
    from caduceus.statistics.ratio_tests import compare_ratio, ratio_equivalence
    from caduceus.statistics.seeds_and_items import compare_seeds_and_items
    from caduceus.statistics.tasks import estimate_over_tasks, improvement_over_tasks
    from caduceus.statistics.trends import Trend, trend
    from caduceus.statistics.verdicts import Outcome, Test, Verdict, decide, greater, less, within

__all__ = [
    "Comparison",
    "Equivalence",
    "Estimate",
    "ItemComparison",
    "Outcome",
    "Profile",
    "PublishedMean",
    "RankComparison",
    "Test",
    "Trend",
    "Verdict",
    "bayesian_signed_rank",
    "compare_by_seed",
    "compare_items",
    "compare_paired",
    "compare_ranks",
    "compare_ratio",
    "compare_seeds_and_items",
    "compare_to_published",
    "compare_to_value",
    "compare_unpaired",
    "compare_with_control",
    "decide",
    "equivalence",
    "equivalence_by_seed",
    "equivalence_to_published",
    "estimate",
    "estimate_mean",
    "estimate_over_tasks",
    "greater",
    "holm",
    "improvement_over_tasks",
    "less",
    "mcnemar",
    "minimum_p",
    "outlier_limit",
    "performance_profile",
    "ratio_equivalence",
    "runs_needed",
    "runs_to_decide",
    "trend",
    "within",
]

# The module of each name. A module is imported when its name is first used, so that the code digest
# of a rule covers only modules that its command uses, and no program imports SciPy needlessly.
_MODULES = {
    "comparisons": (
        "Comparison",
        "compare_by_seed",
        "compare_paired",
        "compare_to_value",
        "compare_unpaired",
    ),
    "corrections": ("holm",),
    "equivalence_tests": (
        "Equivalence",
        "equivalence",
        "equivalence_by_seed",
        "equivalence_to_published",
    ),
    "published_means": (
        "PublishedMean",
        "compare_to_published",
    ),
    "estimates": (
        "Estimate",
        "estimate",
        "estimate_mean",
    ),
    "items": (
        "ItemComparison",
        "compare_items",
        "mcnemar",
    ),
    "outliers": ("outlier_limit",),
    "power": (
        "minimum_p",
        "runs_needed",
        "runs_to_decide",
    ),
    "ratio_tests": (
        "compare_ratio",
        "ratio_equivalence",
    ),
    "profiles": (
        "Profile",
        "performance_profile",
    ),
    "ranks": (
        "RankComparison",
        "bayesian_signed_rank",
        "compare_ranks",
        "compare_with_control",
    ),
    "seeds_and_items": ("compare_seeds_and_items",),
    "tasks": (
        "estimate_over_tasks",
        "improvement_over_tasks",
    ),
    "trends": (
        "Trend",
        "trend",
    ),
    "verdicts": (
        "Outcome",
        "Test",
        "Verdict",
        "decide",
        "greater",
        "less",
        "within",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
