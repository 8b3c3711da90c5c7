"""The share of a GPU that each run of an experiment gets, and how jobs learn of it.

Snakemake's resources are whole numbers, and its jobs' commands and parameters decide what is made
again. Jobs find the shares in the environment, which Snakemake doesn't compare.
"""

import json
import os
from collections.abc import Mapping

VARIABLE = "CADUCEUS_GPU_SHARES"


def shares_variable(shares: Mapping[str, float]) -> str:
    """Return the value of the variable; empty if no experiment has a share.

    Args:
        shares: by the ids of the experiments whose runs get a share.
    """
    return json.dumps(shares) if shares else ""


def share_of(experiment: str) -> float:
    """Return the share of a run of this experiment, by the variable; 0 if it has none."""
    value = os.environ.get(VARIABLE)
    shares: Mapping[str, float] = json.loads(value) if value else {}
    return shares.get(experiment, 0)
