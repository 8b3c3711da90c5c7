"""What is said of a metric that no run logged."""

import pytest
from caduceus.runs.goal import Goal
from caduceus.runs.metric import BestBy, Metric
from caduceus.runs.unknown_metrics import no_number, no_run_logged

LOGGED = ["_step", "loss", "system/cpu", "val/acc", r"val\.f1"]
BY_LOSS = BestBy("los", Goal.MINIMIZE)


@pytest.mark.parametrize(
    ("metric", "logged", "said"),
    [
        (
            "val/ac",
            LOGGED,
            "no run logged metric 'val/ac'; logged are: loss, val/acc, val\\.f1; "
            "did you mean 'val/acc'?",
        ),
        (
            "val.f1",
            LOGGED,
            "no run logged metric 'val.f1'; logged are: loss, val/acc, val\\.f1; "
            "did you mean 'val\\.f1'?",
        ),
        (
            "x",
            [f"metric{n:02}" for n in range(20)],
            "no run logged metric 'x'; logged are: "
            f"{', '.join(f'metric{n:02}' for n in range(12))} and 8 more",
        ),
        ("x", ["_step"], "no run logged metric 'x'; nothing is logged"),
    ],
)
def test_an_unknown_metric_is_said_with_what_is_logged(
    metric: str, logged: list[str], said: str
) -> None:
    assert no_run_logged(metric, logged) == said


@pytest.mark.parametrize("letters", [100, 10_000])
def test_long_names_are_cut(letters: int) -> None:
    said = no_run_logged("x" * letters, [f"{n}{'y' * letters}" for n in range(50)])
    assert len(said) < 1_200


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (Metric(name="los"), "no run logged metric 'los'; logged are: "),
        (Metric(name="loss"), "no finished run has a number of metric 'loss' in its summary"),
        (Metric(name="loss", best_by=BY_LOSS), "no run logged metric 'los'; logged are: "),
        (
            Metric(name="loss", best_by=BestBy("val/acc", Goal.MAXIMIZE)),
            "no finished run has a number of metric 'loss' where 'val/acc' is best",
        ),
    ],
)
def test_a_metric_without_a_number_is_said_with_where_it_was_looked_for(
    metric: Metric, said: str
) -> None:
    assert no_number(metric, LOGGED).startswith(said)


def test_what_define_metric_keeps_of_a_metric_is_named() -> None:
    kept = ["val/acc.last", "val/acc.min", "val/acc.x"]
    said = no_number(Metric(name="val/acc"), [*LOGGED, *kept])
    assert said.endswith("; by define_metric it has 'val/acc.min', 'val/acc.last': name that")
    by_loss = Metric(name="val/acc", best_by=BestBy("loss", Goal.MINIMIZE))
    assert no_number(by_loss, [*LOGGED, *kept]).endswith("where 'loss' is best")
