"""The last lines of a build that succeeded."""

from collections.abc import Callable
from typing import Any

import pytest
from caduceus.overview.terminal.ending import success_lines
from caduceus.overview.terminal.projects import ShownProject
from caduceus.project.project import load_project
from projects import CONFIG, Project

Ending = Callable[..., list[str]]


@pytest.fixture
def ending(project: Project, monkeypatch: pytest.MonkeyPatch) -> Ending:
    monkeypatch.chdir(project.path)

    def lines(**paper: Any) -> list[str]:
        config = {key: value for key, value in CONFIG.items() if key != "paper"}
        loaded = load_project(config | ({"paper": paper} if paper else {}), [], project.path)
        return list(success_lines(ShownProject(loaded, str, str)))

    return lines


def test_what_was_made_is_named(project: Project, ending: Ending) -> None:
    for name in ("tables/t.md", "figures/a.pdf", "figures/b.pdf"):
        project.write(f"results/paper/{name}", "| 0.1 |")
    curves = {"kind": "curves", "metrics": {"loss": "loss"}}
    tables = {"t": {"metrics": {"loss": "loss"}}}
    lines = ending(tables=tables, figures={"a": curves, "b": curves, "undrawn": curves})
    figures = "figures: results/paper/figures/a.pdf, results/paper/figures/b.pdf"
    assert lines[:2] == ["\n| 0.1 |", figures]
    assert lines[-1].startswith("next: ") and len(lines) == 3


def test_a_project_without_a_paper_is_told_what_to_list(ending: Ending) -> None:
    told = "no table yet: list one under `paper`, of a metric that the report shows"
    assert ending()[0] == told


@pytest.mark.parametrize(
    ("targets", "is_without"),
    [
        ((), False),
        (("all",), False),
        (("results/sweeps/s/trials.csv", "results/runs/r/train.json"), True),
        (("results/sweeps/s/trials.csv", "results/paper/claims.md"), False),
        (("sync",), True),
    ],
)
def test_a_build_of_runs_and_sweeps_alone_names_no_results_of_others(
    project: Project, targets: tuple[str, ...], is_without: bool
) -> None:
    shown = ShownProject(load_project(CONFIG, [], project.path), str, str)
    assert shown.is_without_results(targets) is is_without
