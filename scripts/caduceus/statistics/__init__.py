"""Statistics of runs: arrays in, numbers out, always the same for the same seed.

| | |
|---|---|
| `estimate_mean`, `estimate` | mean, median, interquartile mean of n runs with an interval |
| `estimate_over_tasks`, `improvement_over_tasks`, `performance_profile` | rliable's metrics |
| `compare_paired`, `compare_unpaired`, `compare_to_value`, `compare_by_seed` | is it noise? |
| `equivalence`, `equivalence_by_seed` | is it the same, within a tolerance? |
| `trend` | does it rise or fall with a setting? |
| `holm` | p corrected for the number of comparisons |
| `minimum_p`, `runs_to_decide`, `runs_needed` | what can so many runs decide? |
| `decide` | the verdicts on a family of claims, made by `greater`, `less` and `within` |

workflow/STATISTICS.md says which method was chosen, and why, with its coverage, errors and power.
"""

from caduceus.statistics.comparisons import (
    Comparison,
    compare_by_seed,
    compare_paired,
    compare_to_value,
    compare_unpaired,
)
from caduceus.statistics.corrections import holm
from caduceus.statistics.equivalence import Equivalence, equivalence, equivalence_by_seed
from caduceus.statistics.estimates import Estimate, estimate, estimate_mean
from caduceus.statistics.outliers import outlier_limit
from caduceus.statistics.power import minimum_p, runs_needed, runs_to_decide
from caduceus.statistics.profiles import Profile, performance_profile
from caduceus.statistics.tasks import estimate_over_tasks, improvement_over_tasks
from caduceus.statistics.trends import Trend, trend
from caduceus.statistics.verdicts import Outcome, Test, Verdict, decide, greater, less, within

__all__ = [
    "Comparison",
    "Equivalence",
    "Estimate",
    "Outcome",
    "Profile",
    "Test",
    "Trend",
    "Verdict",
    "compare_by_seed",
    "compare_paired",
    "compare_to_value",
    "compare_unpaired",
    "decide",
    "equivalence",
    "equivalence_by_seed",
    "estimate",
    "estimate_mean",
    "estimate_over_tasks",
    "greater",
    "holm",
    "improvement_over_tasks",
    "less",
    "minimum_p",
    "outlier_limit",
    "performance_profile",
    "runs_needed",
    "runs_to_decide",
    "trend",
    "within",
]
