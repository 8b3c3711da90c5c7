"""What verdicts on differences and their tests are called in figures and answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caduceus.statistics.verdicts import Verdict

_WORDS: Mapping[str | None, Mapping[str, str]] = {
    "maximize": {"supported": "better", "refuted": "worse"},
    "minimize": {"supported": "worse", "refuted": "better"},
    None: {"supported": "higher", "refuted": "lower"},
}
TESTS = {
    "sign_flip": "sign-flip test by seed",
    "wilcoxon": "Wilcoxon signed-rank test by seed",
    "permutation": "permutation test of Welch's t, not paired",
}


def difference_word(verdict: "Verdict", goal: str | None) -> str:
    """What a verdict that one is greater says: better, worse, within noise, not enough runs.

    Args:
        verdict: on the claim that the first is greater.
        goal: "maximize" or "minimize"; where nobody says it, it is higher or lower.
    """
    return _WORDS[goal].get(verdict.outcome, verdict.outcome)
