"""Names of verdicts and tests in figures, tables, the checklist and answers by MCP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caduceus.runs.goal import Goal
    from caduceus.statistics.verdicts import Verdict

_DIRECTIONS: Mapping[str | None, Mapping[str, str]] = {
    "maximize": {"supported": "better", "refuted": "worse"},
    "minimize": {"supported": "worse", "refuted": "better"},
    None: {"supported": "higher", "refuted": "lower"},
}
TEST_NAMES = {
    "sign_flip": "sign-flip test by seed",
    "wilcoxon": "Wilcoxon signed-rank test by seed",
    "welch": "Welch's t-test",
    "corrected_t": "corrected t-test by fold",
    "corrected_welch": "Welch's t-test, corrected for folds, not paired",
    "permutation": (
        "permutation test of Welch's t, not paired, or Welch's t-test where its p is larger"
    ),
}


def difference_verdict(verdict: "Verdict", goal: "Goal | None") -> str:
    """Name a verdict on a difference: better, worse, within noise or not enough runs.

    Args:
        verdict: on the claim that the first is greater.
        goal: which values are better; if it is None, the names are "higher" and "lower".
    """
    return _DIRECTIONS[goal].get(verdict.outcome, verdict.outcome)


def verdict_text(claim: Mapping[str, Any]) -> str:
    """Return the verdict on an entry of claims.json, with its scale if that is a toy's."""
    return f"{claim['verdict']}{' (toy)' if claim.get('scale') == 'toy' else ''}"
