"""Account for the training examples that the folds of a cross-validation share.

Values of folds, or of repeated random splits, aren't independent, so that the standard error of
independent values is too small. Nadeau & Bengio 2003 (Inference for the generalization error,
Machine Learning 52) take the correlation of two of them as the share of test examples, 1/k for k
folds. By that the variance of a mean of n values with variance s² is s² (1/n + 1/(k - 1)).
Bouckaert & Frank 2004 use the same for repeated cross-validation.
"""

from caduceus.statistics.samples import Array


def error_factor(n: int, folds: int | None) -> float:
    """Return what the standard error of a mean of n independent values is multiplied by.

    Args:
        n: the number of values, one for each fold of each repetition.
        folds: the number of folds, k, so that a training set is k - 1 times as large as a test set;
            None for independent values.
    """
    return 1.0 if folds is None else (1 + n / (folds - 1)) ** 0.5


def corrected_t_test(values: Array, folds: int) -> tuple[float, float]:
    """Return one-sided p of the mean of `values`, (n,), being greater, and less, than zero.

    The corrected resampled t-test, with n - 1 degrees of freedom (Nadeau & Bengio 2003). With one
    value, or if all are equal, both are 1.
    """
    from scipy.special import stdtr  # 0.2 s of CPU, which drawing a figure doesn't need

    n = len(values)
    error = values.std(ddof=1) / n**0.5 * error_factor(n, folds) if n > 1 else 0.0
    if not error > 0:
        return 1.0, 1.0
    t = values.mean() / error
    return float(stdtr(n - 1, -t)), float(stdtr(n - 1, t))
