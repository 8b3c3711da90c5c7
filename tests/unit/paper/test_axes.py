"""The axis of curves and of tables' `at`: by value, of every run that is there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from caduceus.errors import SpecError
from caduceus.paper.claims import decide_claims
from caduceus.paper.exported_runs import ExportedRuns, read_results
from caduceus.paper.tables import Table, build_table
from caduceus.project.paper import parse_paper
from caduceus.runs.files.export import DefinedMetric, Summary
from caduceus.statistics.settings import Methods
from figure_exports import define_axes, drawn, export_variants, measured, plans_of
from projects import Project

RETURN: dict[str, Any] = {"metrics": {"return": "return"}}
END = 1000


def episodes(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """The return is the global step itself, in rows that are further apart with each seed."""
    spacing = 5 * (1 + 4 * seed)
    return [{"global_step": at, "return": at} for at in range(spacing, END + 1, spacing)]


def export(project: Project, logged: Any = episodes, seeds: int = 3, declared: bool = True) -> None:
    export_variants(project, ["cnn"], seeds, logged)
    if declared:
        define_axes(project, {"return": "global_step"})


def table(project: Project, at: Any, metric: str = "return") -> Table:
    entry = parse_paper(
        {"tables": {"t": {"metrics": {"R": {"name": metric, "at": at}}}}}, str
    ).tables["t"]
    variants = read_results(ExportedRuns(plans_of(project)), entry, "paper.tables.t")
    return build_table("t", entry, Methods(), variants, [])


def only_line(project: Project, **keys: Any) -> dict[str, Any]:
    [panel] = measured(project, "curves", **RETURN, **keys).numbers["panels"]
    [line] = panel["lines"]
    return dict(line)


@pytest.mark.parametrize("is_declared", [True, False])
def test_the_mean_of_y_equals_x_is_x_on_the_axis_that_is_declared_or_chosen(
    project: Project, is_declared: bool
) -> None:
    export(project, declared=is_declared)
    keys = {} if is_declared else {"axis": "global_step"}
    line = only_line(project, **keys)
    assert line["value"] == line["steps"]
    several = [at for at, n in enumerate(line["n"]) if n > 1]
    assert [line["low"][at] for at in several] == [line["steps"][at] for at in several]
    assert [line["high"][at] for at in several] == [line["steps"][at] for at in several]
    content = measured(project, "curves", **RETURN, **keys)
    assert content.caption == (
        "At each global_step: mean, 95 % interval by Student's t, over 1 to 3 runs. "
        "A run counts from its first to its last global_step; all count from 45 to 990."
    )
    [axes] = drawn(content, "curves").axes
    assert axes.get_xlabel() == "global_step"


def test_another_axis_than_the_declared_one_is_chosen(project: Project) -> None:
    export(project)
    line = only_line(project, axis="_step")
    assert line["steps"][:3] == [0, 1, 2]
    assert line["value"][0] == pytest.approx((5 + 25 + 45) / 3)


def test_a_run_that_ends_early_is_not_prolonged_and_the_note_says_where_all_runs_are(
    project: Project,
) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        last = 400 if seed == 0 else 1000
        return [{"global_step": at, "return": at} for at in range(0, last + 1, 10 + 10 * seed)]

    export(project, logged, seeds=2)
    line = only_line(project)
    at = np.array(line["steps"])
    assert line["value"] == line["steps"]
    assert set(np.array(line["n"])[at <= 400]) == {2}
    assert set(np.array(line["n"])[at > 400]) == {1}
    assert "all count from 0 to 400." in measured(project, "curves", **RETURN).caption


def test_no_line_joins_runs_that_dont_overlap(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        places = {0: range(0, 40, 10), 1: range(20, 60, 10), 2: range(100, 130, 10), 3: [200]}
        return [{"global_step": at, "return": at} for at in places[seed]]

    export(project, logged, seeds=4)
    line = only_line(project)
    assert line["steps"] == [0, 10, 20, 30, 40, 50, 100, 110, 120, 200]
    assert line["breaks"] == [6, 9]
    [axes] = drawn(measured(project, "curves", **RETURN), "curves").axes
    [curve] = axes.get_lines()
    assert np.flatnonzero(np.isnan(curve.get_xdata())).tolist() == [6, 10]
    assert curve.get_markevery() == [11]  # the run of one row


def test_rows_after_a_resume_replace_those_before_and_are_counted(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        before = [{"global_step": at, "return": -1 if at >= 40 else at} for at in range(0, 70, 10)]
        return [*before, *({"global_step": at, "return": at} for at in range(37, 100, 7))]

    export(project, logged, seeds=2)
    line = only_line(project)
    assert line["value"] == line["steps"]
    assert line["steps"][:6] == [0, 10, 20, 30, 37, 44]
    assert measured(project, "curves", **RETURN).caption.endswith(
        "Where global_step repeats or goes back, later rows replace earlier ones: 6 rows of 2 runs."
    )


def test_rows_and_runs_without_the_axis_are_left_out_and_counted(project: Project) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        if seed == 2:  # the axis is in rows of its own, without step_sync
            return [{"global_step": 1}, {"return": 1}]
        rows: list[dict[str, Any]] = [{"global_step": at, "return": at} for at in range(5)]
        return [*rows, {"return": 9}]

    export(project, logged)
    content = measured(project, "curves", **RETURN)
    assert content.caption.endswith(
        "Left out, without a number for global_step: 3 rows of 3 runs. "
        "Left out, with no row that has global_step: 1 run."
    )
    assert only_line(project)["n"] == [2] * 5


def test_an_axis_that_no_row_shares_with_the_metric_is_refused(project: Project) -> None:
    export(project, lambda parameters, seed: [{"global_step": 1}, {"return": 1}])
    with pytest.raises(SpecError) as caught:
        measured(project, "curves", **RETURN)
    assert str(caught.value) == (
        "paper.figures.f: metrics.return: no row has both 'return' and its axis 'global_step'; "
        "choose another with the key 'axis', such as _step"
    )


def test_a_metric_that_only_summaries_have_is_refused_beside_one_that_rows_have(
    project: Project,
) -> None:
    export(project)
    for folder in project.runs:
        summary = Summary.read(folder / "run_summary.json")
        replace(summary, summary={**summary.summary, "best": 9}).write(folder / "run_summary.json")
    with pytest.raises(SpecError) as caught:
        measured(project, "curves", metrics={"return": "return", "best": "best"})
    assert str(caught.value) == (
        "paper.figures.f: metrics.best: no row has a number of metric 'best', only the summaries "
        "have; show it in a table or a figure of kind bars"
    )


def test_an_axis_that_no_run_logs_is_refused_with_what_was_meant(project: Project) -> None:
    export(project)
    with pytest.raises(SpecError) as caught:
        measured(project, "curves", **RETURN, axis="globl_step")
    assert str(caught.value) == (
        "paper.figures.f: axis: no run logged metric 'globl_step'; logged are: global_step, "
        "return; did you mean 'global_step'?"
    )


def test_runs_that_declare_different_axes_are_drawn_over_the_step(project: Project) -> None:
    export(project)
    folder = project.runs[0]
    summary = replace(
        Summary.read(folder / "run_summary.json"),
        defined_metrics={"return": DefinedMetric(step_metric="epoch")},
    )
    summary.write(folder / "run_summary.json")
    [panel] = measured(project, "curves", **RETURN).numbers["panels"]
    assert panel["axis"] == "_step"
    assert (
        "The runs have different axes for return (epoch, global_step), so the axis is the step."
        in measured(project, "curves", **RETURN).caption
    )


@pytest.mark.parametrize(
    ("at", "values"),
    [
        (500, [500, 500, 500]),  # of the axis that the runs declare
        ({"global_step": 500}, [500, 500, 500]),
        ({"global_step": 494.5}, [494.5, 494.5, 494.5]),
        ({"_step": 2}, [15, 75, 135]),
        ({"_step": 2.5}, [15, 75, 135]),
        ({"return": 100}, [100, 100, 100]),
    ],
)
def test_a_table_takes_a_metric_at_a_value_of_an_axis(
    project: Project, at: Any, values: list[float]
) -> None:
    export(project)
    cell = table(project, at).rows[0].cells["R"]
    assert cell.estimate.n == 3
    assert cell.estimate.value == pytest.approx(np.mean(values))


def test_a_run_that_ends_before_the_place_is_left_out_of_a_table_and_counted(
    project: Project,
) -> None:
    export(project)
    made = table(project, 995)
    assert made.rows[0].cells["R"].estimate.n == 2
    assert "Ended before global_step 995 and left out: 1 of 3 runs (R)." in made.notes
    assert table(project, 990).rows[0].cells["R"].estimate.n == 3


def test_a_run_that_has_no_row_with_the_metric_at_the_end_has_its_last_value(
    project: Project,
) -> None:
    def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
        return [{"global_step": 10, "return": seed}, {"global_step": 1000}]

    export(project, logged)
    assert table(project, 900).rows[0].cells["R"].estimate.value == 1


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (
            {"globl_step": 3},
            "metrics.R.at: no run that logs 'return' logs 'globl_step'; logged are: global_step, "
            "return; did you mean 'global_step'?",
        ),
        (
            2000,
            "metrics.R: no finished run has a number of metric 'return' at global_step 2000, as "
            "all runs end before",
        ),
    ],
)
def test_a_place_that_no_run_has_is_refused(project: Project, at: Any, message: str) -> None:
    export(project)
    with pytest.raises(SpecError) as caught:
        table(project, at)
    assert str(caught.value) == f"paper.tables.t: {message}"


def only_first_seed_logs(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """The others end before they log the metric, as of one that is logged at the end."""
    names = ["global_step", "return"][: 2 - bool(seed)]
    return [dict.fromkeys(names, at) for at in range(0, 1001 - 400 * seed, 50)]


def test_runs_without_the_metric_end_on_the_axis_of_those_that_have_it(project: Project) -> None:
    export(project, only_first_seed_logs)
    for folder in project.runs[1:]:
        summary = Summary.read(folder / "run_summary.json")
        replace(summary, defined_metrics=None).write(folder / "run_summary.json")
    made = table(project, 500)
    assert made.rows[0].cells["R"].estimate.n == 1
    assert "Ended before global_step 500 and left out: 1 of 3 runs (R)." in made.notes


@pytest.mark.parametrize("at", [2000, {"global_step": 2000}])
def test_a_place_that_no_run_reaches_is_refused_though_some_lack_the_metric(
    project: Project, at: Any
) -> None:
    export(project, only_first_seed_logs)
    summary = Summary.read(project.runs[-1] / "run_summary.json")
    replace(summary, defined_metrics=None).write(project.runs[-1] / "run_summary.json")
    with pytest.raises(SpecError, match="at global_step 2000, as all runs end before"):
        table(project, at)


def test_a_claim_names_the_axis_on_which_it_takes_the_metric(project: Project) -> None:
    export(project)
    bound = {"variant": {"arch": "cnn"}, "metric": {"name": "return", "at": 995}, "value": 400}
    claims = parse_paper({"claims": {"c": {"statement": "So.", "at_least": bound}}}, str).claims
    [decided] = decide_claims(plans_of(project), claims, Methods())["claims"]
    assert decided["reason"].startswith("The mean return at global_step 995 of arch=cnn is 595 ")
    assert "1 without a finite return at global_step 995" in decided["reason"]


def test_a_place_on_axes_that_differ_is_refused_unless_it_names_one(project: Project) -> None:
    export(project)
    folder = project.runs[0]
    summary = Summary.read(folder / "run_summary.json")
    replace(summary, defined_metrics=None).write(folder / "run_summary.json")
    with pytest.raises(SpecError) as caught:
        table(project, 500)
    assert str(caught.value) == (
        "paper.tables.t: metrics.R.at: the runs have different axes for 'return' "
        "(_step, global_step); name one, such as {_step: 500}"
    )
    assert table(project, {"global_step": 500}).rows[0].cells["R"].estimate.n == 3


@pytest.mark.parametrize("at", ["10", -1, {}, {"a": 1, "b": 2}, {"a": "x"}, True])
def test_a_place_of_another_form_is_refused(at: Any) -> None:
    metric = {"name": "return", "at": at}
    with pytest.raises(SpecError, match="at"):
        parse_paper({"tables": {"t": {"metrics": {"R": metric}}}}, str)
