"""The planned runs: those of the experiments that the configuration lists now.

results/experiments/ keeps the plan of every experiment that was ever planned, also of one that was
renamed, or that config.yaml no longer lists.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from caduceus.io.yaml_files import load
from caduceus.project.experiment_files import experiment_files
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.project.project import Project
from caduceus.project.snakefile import config_file
from caduceus.project.sweep_files import read_experiment
from caduceus.runs.files.plan import Plan


def plan_files(results: Path) -> list[Path]:
    """Return every plan that was ever written, results/experiments/ID.json."""
    return sorted((results / "experiments").glob("*.json"))


def configured_plans(results: Path) -> list[Plan]:
    """Return the plans of the experiments that the configuration beside results/ lists now.

    A plan is as Snakemake has last written it, as groups, tables and the report show it. Without a
    configuration that lists experiments, as where Caduceus is a module of another Snakefile, each
    plan counts that has still the id of its experiment's file.

    Raises:
        SpecError: the configuration or the file of an experiment isn't YAML.
    """
    root = results.absolute().parent
    config = config_file(root)
    value = load(config).value if config.exists() else None
    listed = value.get("experiments") if isinstance(value, dict) else None
    files = [listed] if isinstance(listed, str) else listed
    wanted = None  # such as where config.yaml is that of a training program
    if isinstance(files, list):
        named = experiment_files(list(map(str, files)), root, lambda _: str(config))
        wanted = {os.path.normpath(file) for file in named}
    return [
        plan
        for plan in map(Plan.read, plan_files(results))
        if (wanted is None or os.path.normpath(plan.file) in wanted) and _has_its_id(plan, root)
    ]


def _has_its_id(plan: Plan, root: Path) -> bool:
    """Whether the experiment's file has still the plan's id, or isn't there to tell."""
    value = read_experiment(plan.file, root).value if (root / plan.file).exists() else None
    return not isinstance(value, dict) or value.get("id") == plan.spec.id


def planned_once(project: Project, results: Path) -> Iterator[Experiment]:
    """Yield experiments that config.yaml doesn't list, but whose plans and files exist.

    `snakemake --config experiments=…` plans such: `gc` keeps their runs, and `status` lists them.

    Raises:
        SpecError: the file of one is wrong.
    """
    settings = project.settings
    for path in plan_files(results):
        if path.stem in project.experiments:
            continue
        file = Plan.read(path).file
        if Path(file).exists():
            yield load_experiment(file, settings.defaults, settings.wandb.groups, Path())
