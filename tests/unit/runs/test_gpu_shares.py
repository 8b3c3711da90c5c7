"""Jobs learn from the environment which share of a GPU their run gets."""

import pytest
from caduceus.runs.gpu_shares import VARIABLE, share_of, shares_variable


@pytest.mark.parametrize("shares", [{}, {"small": 0.25}, {"small": 0.25, "tiny": 0.05}])
def test_each_experiment_finds_its_share(
    monkeypatch: pytest.MonkeyPatch, shares: dict[str, float]
) -> None:
    monkeypatch.setenv(VARIABLE, shares_variable(shares))
    for experiment in ("small", "tiny", "large"):
        assert share_of(experiment) == shares.get(experiment, 0)


def test_a_command_that_no_build_started_has_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert share_of("small") == 0
