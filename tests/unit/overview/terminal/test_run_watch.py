"""The metric that stands beside a running run."""

import pytest
from caduceus.overview.terminal.run_watch import shown_value


@pytest.mark.parametrize(
    ("row", "metric", "before", "shown"),
    [
        ({"_step": "3", "loss": "0.5", "acc": "0.98765"}, "acc", "", "acc 0.9877"),
        ({"_step": "3", "loss": "0.5"}, "acc", "", "loss 0.5"),
        ({"_step": "3", "loss": "0.5"}, "acc", "loss 0.7", "loss 0.5"),
        ({"_step": "3", "loss": "0.5"}, "acc", "acc 0.9", "acc 0.9"),
        ({"_step": "3", "loss": "0.5"}, None, "", "loss 0.5"),
        ({"_step": "3", "system/cpu": "1"}, None, "loss 0.5", "loss 0.5"),
        ({"_step": "3", "loss": "NaN"}, None, "", "loss nan"),
    ],
)
def test_it_is_that_of_the_experiment_or_until_it_is_logged_the_first_of_a_row(
    row: dict[str, str], metric: str | None, before: str, shown: str
) -> None:
    assert shown_value(row, metric, before) == shown
