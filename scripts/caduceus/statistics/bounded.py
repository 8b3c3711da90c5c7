"""Intervals of the means of values that can't leave a range, such as accuracies."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, inf, isnan, log
from typing import TypeAlias

from caduceus.statistics.estimates import Estimate, estimate_by
from caduceus.statistics.samples import Values
from caduceus.statistics.settings import Methods

_MOST = 700.0  # exp of more overflows
Bounds: TypeAlias = Sequence[float | None]  # the least and the greatest value; None for no bound


def estimate_within(methods: Methods, values: Values, bounds: Bounds | None) -> Estimate:
    """Return the estimate of `estimate_by`, with an interval that doesn't leave the bounds.

    Student's t interval of a mean is made on the logit scale, or with a single bound on the log
    scale, with the standard error that follows by the delta method, and transformed back (Agresti
    2013, Categorical Data Analysis, §3.1). Near a bound, where runs are skewed, it covers better;
    see workflow/STATISTICS.md. Other intervals are cut at the bounds. Values outside of the bounds
    leave the interval as it is.

    Args:
        methods: the statistical methods.
        values: one per run, (n,).
        bounds: None for none.
    """
    found = estimate_by(methods, values)
    if bounds is None or isnan(found.low) or found.low == found.high:
        return found
    least, greatest = (
        end if bound is None else bound for bound, end in zip(bounds, (-inf, inf), strict=True)
    )
    if not all(least <= value <= greatest for value in values):
        return found
    is_t = methods.statistic == "mean" and methods.interval in (None, "t")
    if not is_t or found.value in (least, greatest) or (least, greatest) == (-inf, inf):
        low, high = max(found.low, least), min(found.high, greatest)
        is_cut = (low, high) != (found.low, found.high)
        cut = f"{found.method}, cut at its range" if is_cut else found.method
        return replace(found, low=low, high=high, method=cut)
    from scipy.special import expit, stdtrit  # 0.2 s of CPU, which drawing a figure doesn't need

    share = (1 + methods.confidence) / 2
    margin = float(stdtrit(found.n - 1, share)) * found.standard_error
    below, above = found.value - least, greatest - found.value
    if above == inf:
        low, high = (least + below * exp(min(sign * margin / below, _MOST)) for sign in (-1, 1))
    elif below == inf:
        low, high = (greatest - above * exp(min(sign * margin / above, _MOST)) for sign in (1, -1))
    else:
        width = greatest - least
        centre, slope = log(below / above), width / (below * above)
        low, high = (
            least + width * float(expit(centre + sign * margin * slope)) for sign in (-1, 1)
        )
    scale = "log" if inf in (above, below) else "logit"
    return replace(found, low=low, high=high, method=f"{found.method} on the {scale} scale")
