"""Values of a run's rows: both readers find the same, and each run's files are read once."""

import math
from pathlib import Path

import pytest
from caduceus.io.cells import to_csv
from caduceus.io.light_pyarrow import import_light_pyarrow
from caduceus.paper import history_values
from caduceus.paper.history_values import place_in, value_by_best
from caduceus.runs.goal import Goal
from hypothesis import given, settings
from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.integers(0, 9), st.sampled_from([0.1, 1e-7])
)
CELLS = st.one_of(
    NUMBERS, st.none(), st.booleans(), st.sampled_from(["nan(1)", "inf", "+1", " 1", "1_0", "x"])
)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=8),
    at=st.floats(-3, 12),
    axis=st.sampled_from(["_step", "x", "metric", "gone"]),
    metric=st.sampled_from(["metric", "x", "gone"]),
)
def test_pyarrow_finds_what_the_csv_reader_finds(
    rows: list[tuple[object, object]],
    at: float,
    axis: str,
    metric: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("history") / "metrics_history.csv"
    cells = [
        {
            "_step": step,
            **{name: of for name, of in (("x", x), ("metric", y)) if of is not None},
        }
        for step, (x, y) in enumerate(rows)
    ]
    path.write_text(to_csv(cells, ["_step", "x", "metric"]))
    import_light_pyarrow()

    def found() -> list[object]:
        place = place_in(path, metric, axis, at)
        bests = [value_by_best(path, metric, "x", Goal(name)) for name in ("minimize", "maximize")]
        values = [place.value, *bests]
        return [place.has_ended, *(str(v) if v is None else repr(float(v)) for v in values)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_values, "_arrow_columns", lambda *_: [])
        expected = found()
    assert found() == expected


def test_a_long_history_is_read_by_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics_history.csv"
    path.write_text("_step,x\n0,1\n1,\n2,3.5\n")
    import_light_pyarrow()
    monkeypatch.setattr(history_values, "_numbers", None)
    assert place_in(path, "x", "_step", 1).value == 1
    assert place_in(path, "x", "_step", 2).value == 3.5
    ended = place_in(path, "x", "_step", 3)
    assert (ended.value, ended.has_ended) == (None, True)
    assert value_by_best(path, "x", "x", Goal("maximize")) == 3.5
    assert not math.isnan(value_by_best(path, "x", "x", Goal("minimize")) or math.nan)
