"""What is planned is decided by the configuration as it is now, the same for all who ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from caduceus.__main__ import main
from caduceus.analysis import load_history, load_runs
from caduceus.overview.mcp.probe import probe
from caduceus.overview.mcp.variants import choose_variants
from caduceus.overview.paper_methods import paper_methods
from caduceus.paper.ledger import read_ledger
from caduceus.project.planned import configured_plans
from exported_runs import export_runs
from projects import EXPERIMENT, Project


def logged(parameters: Any, seed: int) -> list[dict[str, Any]]:
    return [{"val/accuracy": parameters["rate"] + seed, "val/loss": 1.0}]


def rename(project: Project) -> None:
    project.change("experiments/toy.yaml", id="renamed")
    export_runs(project, logged)


def unlist(project: Project) -> None:
    project.write_yaml("experiments/renamed.yaml", EXPERIMENT | {"id": "renamed"})
    project.change("config.yaml", experiments=["./experiments/renamed.yaml"])
    export_runs(project, logged)


def remove(project: Project) -> None:
    unlist(project)
    (project.path / "experiments/toy.yaml").unlink()


def name_one(project: Project) -> None:
    unlist(project)
    project.change("config.yaml", experiments="experiments/renamed.yaml")


@pytest.mark.parametrize("change", [rename, unlist, remove, name_one])
def test_runs_of_an_experiment_that_is_gone_enter_no_average(
    project: Project, change: Callable[[Project], None]
) -> None:
    export_runs(project, logged)
    change(project)
    results = project.path / "results"
    assert (results / "experiments/toy.json").exists()  # the plan of before
    kinds = load_runs(project=project.path).groupby(["experiment", "kind"]).size().to_dict()
    assert kinds == {("renamed", "planned"): 4, ("toy", "abandoned"): 4}
    assert set(load_history(project=project.path)["experiment"]) == {"renamed"}
    ledger = {(run.experiment, run.kind) for run in read_ledger(results, configured_plans(results))}
    assert ledger == set(kinds)
    found = probe(results)
    assert found["runs"]["by_kind"] == {"planned": 4, "abandoned": 4}
    assert [each["experiment"] for each in found["experiments"]] == ["renamed"]
    chosen = choose_variants(results, None, "baseline", None, paper_methods(results))
    assert {variant.experiment for variant in chosen.variants} == {"renamed"}
    assert chosen.left_out == {"of definitions that no experiment has any more": 4}


def test_without_a_configuration_a_plan_counts_by_the_id_of_its_file(project: Project) -> None:
    export_runs(project, logged)
    project.change("experiments/toy.yaml", id="renamed")
    export_runs(project, logged)
    for text in ("wandb: {}\n", None):  # of another Snakefile, or none
        if text is None:
            (project.path / "config.yaml").unlink()
        else:
            project.write("config.yaml", text)
        plans = configured_plans(project.path / "results")
        assert [plan.spec.id for plan in plans] == ["renamed"]


@pytest.mark.usefixtures("forked_dry_runs")
@pytest.mark.parametrize("place", ["Snakefile", "workflow/Snakefile", "snakefile"])
def test_the_configuration_is_the_one_that_the_snakefile_names(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    """As `caduceus init --config study.yaml` writes it beside a program's own config.yaml."""
    export_runs(project, logged)
    unlist(project)
    (project.path / "config.yaml").rename(project.path / "study.yaml")
    project.write("config.yaml", "experiments: {of: hydra}\n")
    assert len(configured_plans(project.path / "results")) == 2
    project.write(place, 'configfile: "config.yaml"\n\n\nconfigfile: "study.yaml"\n')
    assert [plan.spec.id for plan in configured_plans(project.path / "results")] == ["renamed"]
    project.change("study.yaml", paper={"statistics": {"alpha": 0.2}})
    assert paper_methods(project.path / "results").alpha == 0.2
    monkeypatch.chdir(project.path)
    assert main(["status"]) == 0
    assert capsys.readouterr().out.startswith("renamed: 4 runs")


def test_results_alone_count_as_they_were_planned(project: Project, tmp_path: Path) -> None:
    export_runs(project, logged)
    alone = project.path / "results"
    for name in ("config.yaml", "experiments/toy.yaml"):
        (project.path / name).unlink()
    assert [plan.spec.id for plan in configured_plans(alone)] == ["toy"]


def test_an_edit_leaves_the_runs_planned_that_the_paper_still_shows(project: Project) -> None:
    export_runs(project, logged)
    project.replace("experiments/curve.py", "1000", "999")
    assert set(load_runs(project=project.path)["kind"]) == {"planned"}
