"""Suggested trials are better than chance, and the same in every process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from caduceus.sweeps.suggestions import suggest
from projects import REPOSITORY
from told_trials import loss, optimise, sweep, trials_of


@pytest.mark.parametrize("sampler", ["gp", pytest.param("tpe", marks=pytest.mark.soak)])
def test_another_process_with_more_threads_gives_the_same_answer(sampler: str) -> None:
    """Of 60 trials, 6 of them pending."""
    script = (
        f"import json, sys; sys.path.insert(0, {str(REPOSITORY / 'tests/support')!r})\n"
        "import torch; torch.set_num_threads(int(sys.argv[1]))\n"
        "from caduceus.sweeps.suggestions import suggest\n"
        "from told_trials import sweep, trials_of\n"
        "config = sweep('bayes')\n"
        f"print(json.dumps(suggest(config, {sampler!r}, 5, 60, trials_of(config, 54, 6))))\n"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script, threads],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    ]
    assert found[0] == found[1]
    config = sweep("bayes")
    assert json.loads(found[0]) == suggest(config, sampler, 5, 60, trials_of(config, 54, 6))


@pytest.mark.parametrize(
    ("goal", "sampler"),
    [
        ("minimize", "tpe"),
        ("maximize", "gp"),
        pytest.param("minimize", "gp", marks=pytest.mark.soak),
        pytest.param("maximize", "tpe", marks=pytest.mark.soak),
    ],
)
def test_it_finds_better_trials_than_chance(sampler: str, goal: str) -> None:
    sign = 1 if goal == "minimize" else -1
    found = optimise(sweep("bayes", goal=goal), lambda at: sign * loss(at), 30, 3, sampler)
    random = optimise(sweep("random"), loss, 30)
    ours, chance = (
        [sign * told.objective for told in found[20:]],
        [told.objective for told in random],
    )
    assert np.median(ours) < np.median(chance) - 1
