"""The choice of methods by which numbers are estimated and compared."""

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["mean", "median", "iqm"]
Interval = Literal["t", "order", "bca", "bootstrap", "bootstrap-t"]
PairedTest = Literal["sign_flip", "wilcoxon"]
AnyTest = Literal["sign_flip", "wilcoxon", "permutation"]


@dataclass(frozen=True)
class Methods:
    """The key `statistics` of a paper; workflow/STATISTICS.md explains the methods.

    Attributes:
        statistic: the statistic of several runs.
        interval: the kind of its interval; None for the one that covers best.
        confidence: the confidence of intervals.
        test: how variants are compared.
        alpha: the chance of a wrong verdict among all that are tested together.
        resamples: how often a bootstrap draws.
        folds: the k of a k-fold cross-validation whose folds are the runs; None for independent
            runs.
        fold_parameter: the parameter that chooses a run's fold; None if the seed does.
    """

    statistic: Statistic = "mean"
    interval: Interval | None = None
    confidence: float = 0.95
    test: AnyTest = "sign_flip"
    alpha: float = 0.05
    resamples: int = 10_000
    folds: int | None = None
    fold_parameter: str | None = None

    @property
    def is_students_t(self) -> bool:
        """Whether intervals are Student's t of the means of independent runs."""
        is_by_t = self.interval in (None, "t")
        return is_by_t and self.statistic == "mean" and self.folds is None

    @property
    def used_test(self) -> AnyTest | Literal["corrected_t"]:
        """The test that decides: with `folds` the corrected t-test, whatever `test` is."""
        return self.test if self.folds is None else "corrected_t"
