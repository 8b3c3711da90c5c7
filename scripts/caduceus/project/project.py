"""The project as the Snakefile sees it: what config.yaml and the experiment files add up to.

Loading it is pure: it reads files, and neither writes nor imports anything heavy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.files import canonical_json
from caduceus.io.validation import Where, validate
from caduceus.io.yaml_files import Key, Source, as_number, load
from caduceus.project.experiments import Experiment, Run, load_experiment
from caduceus.project.paper_entries import SECTIONS, check_paper, load_paper
from caduceus.project.paper_selections import PlannedRun, is_shown, planned_runs, shown_metrics
from caduceus.runs.wandb_paths import ProjectPath


@dataclass(frozen=True)
class Project:
    """Everything that is planned.

    `paper` is that of `config`, or what the file holds that it names. `runs` and `experiments` are
    by id, `datasets` by name, `groups` lists the ids of the
    experiments in each W&B group that has any, `sweeps` has the experiments whose runs a sweep
    chooses, by its id.
    """

    config: dict[str, Any]
    paper: dict[str, Any]
    experiments: dict[str, Experiment]
    runs: dict[str, tuple[Experiment, Run]]
    datasets: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    sweeps: dict[str, Experiment]

    @property
    def place(self) -> str:
        """Where in W&B the runs are: [ENTITY/]PROJECT."""
        settings = self.config["wandb"]
        return str(ProjectPath(settings["entity"] or "", settings["project"]))

    @property
    def servers_sweeps(self) -> list[str]:
        """The ids of the sweeps whose trials a W&B server chooses."""
        return [id for id, found in self.sweeps.items() if found.sweep and found.sweep.is_servers]

    @property
    def sweeps_elsewhere(self) -> list[str]:
        """The ids of the sweeps whose trials are read from a server, where they were run."""
        return list(self.sweeps) if self.config["export"]["source"] == "api" else []

    def run_ids(self, experiments: Sequence[str]) -> list[str]:
        """The runs of several experiments, in order."""
        return [run.id for name in experiments for run in self.experiments[name].runs]

    @cached_property
    def planned(self) -> list[PlannedRun]:
        """Every run, in the order of the experiments' files."""
        plans = (experiment.plan() for experiment in self.experiments.values())
        return [run for plan in plans for run in planned_runs(plan)]

    @property
    def all_shown_runs(self) -> list[str]:
        """The runs that any entry of `paper` shows."""
        entries = [(section, name) for section in SECTIONS for name in self.paper[section]]
        return list(dict.fromkeys(run for entry in entries for run in self.shown_runs(*entry)))

    @property
    def shown_metrics(self) -> dict[str, dict[str, Any]]:
        """The metrics of tables/NAME by heading, of claims/NAME by name, as `paper` has them."""
        return {
            f"{section}/{name}": shown_metrics(entry)
            for section in ("tables", "claims")
            for name, entry in self.paper[section].items()
        }

    def shown_runs(self, section: str, name: str) -> list[str]:
        """The runs that an entry of `paper` shows, in the order of the experiments' files."""
        entry = self.paper[section][name]
        return [run.run for run in self.planned if is_shown(run, entry)]

    def measured_figure(self, name: str) -> dict[str, Any]:
        """A figure's entry without its width, which changes none of its numbers."""
        return {k: v for k, v in self.paper["figures"][name].items() if k != "width"}

    def shown_sweep(self, name: str) -> str | None:
        """The sweep that a figure of kind sweep shows; None for other kinds."""
        entry = self.paper["figures"][name]
        if entry["kind"] != "sweep":
            return None
        [experiment] = entry["experiments"]
        return next(id for id, found in self.sweeps.items() if found.id == experiment)


def load_project(
    config: Mapping[str, Any], config_files: Sequence[str], root: Path = Path()
) -> Project:
    """Read every experiment that the configuration names, and list what is to be done.

    Args:
        config: config.yaml with what the command line put over it, as Snakemake has it.
        config_files: where it was read from, for messages.
        root: the folder paths in `config` start from.

    Raises:
        SpecError: the first thing that is wrong in any of the files.
    """
    where = _places(config_files)
    filled = validate(as_number(dict(config)), "config", where)
    paths = filled["experiments"]
    experiments: dict[str, Experiment] = {}
    for path in [paths] if isinstance(paths, str) else paths:
        experiment = load_experiment(path, filled["defaults"], filled["wandb"]["groups"], root)
        if experiment.id in experiments:
            other = experiments[experiment.id].source.path
            raise SpecError(
                f"id: {experiment.id!r} is the id of {other} too; choose another",
                experiment.source.where(["id"]),
            )
        experiments[experiment.id] = experiment
    _check_types(filled, where)
    for index, rules in enumerate(filled["custom_rules"]):
        if not (root / rules).is_file():
            raise SpecError(
                f"custom_rules[{index}]: {rules} doesn't exist; give its path from the folder you "
                "work in",
                where(["custom_rules", index]),
            )
    paper, where_paper = load_paper(filled["paper"], where, root)
    plans = [experiment.plan() for experiment in experiments.values()]
    check_paper(paper, plans, list(filled["wandb"]["groups"]), where_paper)
    if any(experiment.sweep for experiment in experiments.values()):
        _leave_out_sweeps(paper, experiments)
    runs = {run.id: (found, run) for found in experiments.values() for run in found.runs}
    groups: dict[str, list[str]] = {}
    for experiment in experiments.values():
        groups.setdefault(experiment.spec["group"], []).append(experiment.id)
    sweeps = {found.sweep.id: found for found in experiments.values() if found.sweep}
    for experiment in sweeps.values():
        if filled["export"]["source"] == "api" and experiment.spec["sweep"]["engine"] == "wandb":
            raise SpecError(
                "sweep.engine: found 'wandb': runs that a server has handed out aren't found by "
                "their ids; set export.source to local, or name the project in export.projects",
                experiment.source.where(["sweep", "engine"]),
            )
    return Project(filled, paper, experiments, runs, _datasets(experiments), groups, sweeps)


def load_settings(path: Path) -> dict[str, Any]:
    """A config.yaml alone, every default filled in.

    Raises:
        SpecError: the first thing that is wrong in it.
    """
    return validate(as_number(load(path).value), "config", _places([str(path)]))


def _places(config_files: Sequence[str]) -> Where:
    """Where a key of the configuration stands."""
    files = [load(Path(path), path) for path in config_files if Path(path).suffix != ".json"]

    def where(keys: Sequence[Key]) -> str:
        for file in reversed(files):
            if not keys or file.find(keys) is not None:
                return file.where(keys)
        # Found in no file, so the key is missing from a mapping or came by --config.
        return files[-1].where(keys) if files else "config"

    return where


def _check_types(config: Mapping[str, Any], where: Any) -> None:
    needed = ("model", "dataset", "results", "experiment-spec")
    declared = config["wandb"]["artifact_types"]
    for name in needed:
        if name not in declared:
            raise SpecError(
                f"wandb.artifact_types: {name!r} is missing; runs log artifacts of this type",
                where(["wandb", "artifact_types"]),
            )


def _leave_out_sweeps(paper: Mapping[str, Any], experiments: Mapping[str, Experiment]) -> None:
    """Trials of a sweep are shown by no entry that doesn't name its experiment or group."""
    others = [name for name, experiment in experiments.items() if not experiment.sweep]
    for section in SECTIONS:
        for entry in paper[section].values():
            if entry.get("kind") == "sweep":
                named = entry["experiments"] or experiments
                entry["experiments"] = [name for name in named if experiments[name].sweep]
            elif not entry.get("groups"):
                entry["experiments"] = entry["experiments"] or others or list(experiments)


def _datasets(experiments: Mapping[str, Experiment]) -> dict[str, dict[str, Any]]:
    """Each dataset's declaration; two experiments that share a name must mean the same data."""
    datasets: dict[str, dict[str, Any]] = {}
    declared_in: dict[str, Source] = {}
    for experiment in experiments.values():
        dataset = experiment.spec["dataset"]
        if dataset is None:
            continue
        known = datasets.setdefault(dataset["name"], dataset)
        source = declared_in.setdefault(dataset["name"], experiment.source)
        if canonical_json(known) != canonical_json(dataset):
            raise SpecError(
                f"dataset: {dataset['name']!r} is declared otherwise at "
                f"{source.where(['dataset'])}; make both equal or choose another name",
                experiment.source.where(["dataset"]),
            )
    return datasets
