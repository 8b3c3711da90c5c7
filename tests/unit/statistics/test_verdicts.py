"""Correction, power and verdicts; and that the same seed gives the same numbers."""

import os
import subprocess
import sys

import numpy as np
import pytest
from caduceus.statistics import (
    compare_by_seed,
    compare_paired,
    compare_unpaired,
    decide,
    equivalence,
    estimate,
    estimate_over_tasks,
    greater,
    holm,
    less,
    minimum_p,
    runs_needed,
    runs_to_decide,
    trend,
    within,
)
from caduceus.statistics.corrections import holm_levels
from caduceus.statistics.power import t_power
from caduceus.statistics.verdicts import Test as Claim
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from seeded_numbers import all_numbers

shares = st.integers(1, 997).map(lambda k: k / 997)  # none is alpha / m, where rounding decides
families = st.lists(shares, min_size=1, max_size=8)


def test_holms_correction_is_as_published() -> None:
    """Wikipedia, Holm–Bonferroni method: the first and the last are rejected."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert list(holm([0.7, 0.8])) == [1.0, 1.0]
    assert len(holm([])) == 0


@given(families)
def test_a_test_is_significant_up_to_its_level(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert list(adjusted <= 0.05) == list(p <= holm_levels(p, 0.05))
    assert (adjusted <= np.minimum(1, np.multiply(p, len(p)))).all()  # never worse than Bonferroni
    for place, level in enumerate(holm_levels(p, 0.05)):
        changed = [*p[:place], level * 0.999, *p[place + 1 :]]
        assert holm(changed)[place] <= 0.05
        changed[place] = level * 1.001
        assert holm(changed)[place] > 0.05


def test_the_runs_needed_are_those_of_gpower() -> None:
    """Cohen's small, middle and large effect at 80 %, as G*Power 3.1 has them."""
    assert [runs_needed(d, 1, is_paired=False) for d in (0.2, 0.5, 0.8)] == [394, 64, 26]
    assert [runs_needed(d, 1) for d in (0.2, 0.5, 0.8)] == [199, 34, 15]
    assert runs_needed(5, 10) == 34
    assert runs_needed(-0.5, 1) == 34
    assert runs_needed(0.5, 1, power=0.95) == 54


def test_no_fewer_runs_are_needed_than_can_decide() -> None:
    assert runs_needed(9, 1) == 6
    assert runs_needed(9, 1, is_paired=False) == 4
    assert runs_needed(1, 0) is None
    assert runs_needed(9, 1, alpha=0.05 / 6) == 8
    assert runs_needed(0, 1) is None
    assert runs_needed(1, float("nan")) is None
    assert runs_needed(1e-6, 1) is None
    assert runs_needed(1, 1, alpha=1e-9) is None


@given(st.integers(2, 60), st.floats(0.3, 3), st.booleans())
def test_power_is_that_of_the_t_distribution(n: int, size: float, is_paired: bool) -> None:
    degrees, shift = (n - 1, size * n**0.5) if is_paired else (2 * n - 2, size * (n / 2) ** 0.5)
    wanted = stats.nct.sf(stats.t.ppf(0.975, degrees), degrees, shift)
    assert t_power(n, size, 0.05, is_paired) == pytest.approx(wanted, abs=1e-6)


def test_the_least_p_is_what_the_number_of_runs_allows() -> None:
    assert [minimum_p(n) for n in (1, 2, 3, 5, 6)] == [1, 1 / 2, 1 / 4, 1 / 16, 1 / 32]
    assert [minimum_p(n, n) for n in (2, 3, 4, 5)] == [2 / 6, 2 / 20, 2 / 70, 2 / 252]
    assert minimum_p(1, 40) == 1.0
    assert [runs_to_decide(m) for m in (1, 2, 6, 10)] == [6, 7, 8, 9]
    assert [runs_to_decide(m, is_paired=False) for m in (1, 2, 6, 10)] == [4, 5, 5, 6]
    assert runs_to_decide(10**6) is None


def paired(effect: float, n: int) -> Claim:
    """A claim of runs with an effect, whose noise is the same for each n."""
    noise, of_seed = np.linspace(-1, 1, n), np.arange(n) / 8
    return greater(compare_paired(effect + noise + of_seed, of_seed))


def test_verdicts_support_refute_or_say_why_not() -> None:
    found = decide([paired(2, 10), paired(-2, 10), paired(0.1, 10), paired(2, 3)])
    outcomes = [verdict.outcome for verdict in found]
    assert outcomes == ["supported", "refuted", "within noise", "not enough runs"]
    assert [v.p for v in found[:2]] == [2 / 1024] * 2
    assert found[0].adjusted_p == 4 * 2 / 1024
    assert found[0].runs_that_would_do is None
    assert found[2].runs_that_would_do == runs_needed(
        0.1, np.linspace(-1, 1, 10).std(ddof=1), 0.025
    )
    assert found[3].runs_that_would_do == runs_to_decide(2) == 7
    assert decide([]) == []


def test_a_single_claim_of_five_seeds_cant_be_decided_by_sign_flips() -> None:
    (verdict,) = decide([paired(1000, 5)])
    assert (verdict.outcome, verdict.minimum_p) == ("not enough runs", 0.0625)
    assert verdict.runs_that_would_do == 6
    (verdict,) = decide([greater(compare_unpaired([9, 8, 7, 9], [1, 2, 3, 1]))])
    assert verdict.outcome == "supported"
    (verdict,) = decide([greater(compare_unpaired([9, 8, 7], [1, 2, 3]))])
    assert (verdict.outcome, verdict.runs_that_would_do) == ("not enough runs", 4)


def test_as_many_runs_as_there_are_arent_called_enough() -> None:
    """Six pairs find this effect with a power of 0.8, but not these six: one has the other sign."""
    differences, of_seed = np.array([-0.5, 3, 3, 3, 3, 3]), np.arange(6) / 8
    effect, std = differences.mean(), differences.std(ddof=1)
    assert runs_needed(effect, std) == 6
    verdict, *_ = decide([greater(compare_paired(differences + of_seed, of_seed))])
    assert (verdict.outcome, verdict.p) == ("within noise", 4 / 64)
    assert verdict.runs_that_would_do is None


def test_enough_runs_depend_on_what_the_others_of_the_family_say() -> None:
    """Six pairs are enough for one claim, and for the last of two if the first is decided."""
    (alone,) = decide([paired(0.1, 6)])
    beside_noise = decide([paired(0.1, 6), paired(0.1, 10)])[0]
    beside_decided = decide([paired(0.1, 6), paired(2, 10)])[0]
    outcomes = [verdict.outcome for verdict in (alone, beside_noise, beside_decided)]
    assert outcomes == ["within noise", "not enough runs", "within noise"]


@given(families)
def test_claiming_the_opposite_turns_the_verdicts(p: list[float]) -> None:
    turned = {"supported": "refuted", "refuted": "supported"}
    found = decide([Claim(p, 1 - p, 0.001, 10) for p in p])
    opposite = decide([Claim(1 - p, p, 0.001, 10) for p in p])
    for verdict, other in zip(found, opposite, strict=True):
        assert other.outcome == turned.get(verdict.outcome, verdict.outcome)
        assert other.adjusted_p == verdict.adjusted_p


def test_claims_of_less_of_trends_and_of_equivalence_are_decided_too() -> None:
    seeds = range(8)
    first = {seed: 1 + seed / 100 for seed in seeds}
    second = {seed: 2 + seed / 90 for seed in seeds}
    rising = [[1, 2, 3 + seed] for seed in seeds]
    found = decide(
        [
            less(compare_by_seed(first, second)),
            greater(compare_by_seed(first, second, margin=-0.5)),
            greater(trend(rising, [1, 2, 3])),
            less(trend(rising, [1, 2, 3])),
            within(equivalence(list(first.values()), 1.0, 0.2)),
            within(equivalence(list(first.values()), 2.0, 0.2)),
        ]
    )
    outcomes = [verdict.outcome for verdict in found]
    assert outcomes == ["supported", "refuted"] * 3


@pytest.mark.parametrize(("value", "runs"), [(0, 5), (5, 6)])
def test_one_sided_tests_of_equivalence_need_fewer_runs(value: float, runs: int) -> None:
    """Five runs can show that a mean is within a tolerance; that it isn't takes six."""
    values = np.random.default_rng(1).normal(size=6) / 100
    [few] = decide([within(equivalence(values[:4], value, 1))])
    assert (few.outcome, few.runs_that_would_do) == ("not enough runs", runs)
    for n in (5, 6):
        [found] = decide([within(equivalence(values[:n], value, 1))])
        assert (found.outcome == "not enough runs") == (n < runs)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_in_any_process() -> None:
    """Whatever numpy's global generator is at, and without moving it."""
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()
    found = all_numbers()
    assert np.random.get_state()[1].tolist() == before
    np.random.seed(2)
    assert all_numbers() == found
    other = subprocess.run(
        [sys.executable, "-c", "import seeded_numbers as s; print(s.all_numbers())"],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == found


def test_another_seed_draws_anew() -> None:
    values, scores = [1.0, 2.0, 4.0, 7.0], np.random.default_rng(0).random((4, 3))
    assert estimate(values, "mean", "bootstrap", seed=1).low != pytest.approx(
        estimate(values, "mean", "bootstrap", resamples=99, seed=2).low, abs=1e-12
    )
    one, two = (estimate_over_tasks(scores, seed=seed) for seed in (1, 2))
    assert one.value == two.value
    assert (one.low, one.high) != (two.low, two.high)


def test_what_every_job_pays_for_stays_light() -> None:
    code = (
        "import sys; import caduceus.statistics as s; s.estimate_mean([1, 2]);"
        "s.decide([s.greater(s.compare_paired([1, 2], [0, 0]))]);"
        "print(*sorted({'scipy.stats', 'scipy.optimize', 'pandas'} & sys.modules.keys()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == ""
