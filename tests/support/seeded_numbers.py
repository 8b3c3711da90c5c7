"""Every number of `caduceus.statistics` that a seed goes into."""

import numpy as np
from caduceus.statistics import (
    compare_paired,
    compare_unpaired,
    estimate,
    estimate_over_tasks,
    improvement_over_tasks,
    performance_profile,
)


def all_numbers() -> str:
    generator = np.random.default_rng(5)
    values, scores = generator.normal(size=7), generator.random((5, 4))
    many = generator.normal(size=(2, 22))
    profile = performance_profile(scores, [0.2, 0.5, 0.8])
    return repr(
        [
            *(estimate(values, s, i) for s in ("mean", "iqm") for i in ("bca", "bootstrap")),
            estimate(values, "median"),
            estimate(generator.lognormal(size=12), interval="bootstrap-t"),
            *(estimate_over_tasks(scores, s) for s in ("mean", "median", "iqm")),
            improvement_over_tasks(scores, scores[1:]),
            *(list(part) for part in (profile.share, profile.low, profile.high)),
            compare_paired(*many),
            compare_unpaired(*many),
        ]
    )
