"""The project: config.yaml, its experiments and its paper, checked together.

Loading one only reads files, and imports nothing heavy: every start of Snakemake does it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from caduceus.errors import SpecError
from caduceus.io.files import Json, is_file
from caduceus.io.yaml_files import Key, Source
from caduceus.project.claims import Claim
from caduceus.project.experiment_files import experiment_files
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.project.paper import FigureEntry, Paper, TableEntry, load_paper
from caduceus.project.paper_checks import check_paper
from caduceus.project.paper_selections import CandidateRun, candidate_runs, is_shown
from caduceus.project.settings import Settings, key_finder, parse_settings
from caduceus.project.snapshots import is_snapshot
from caduceus.project.sweep_files import SweepFile
from caduceus.runs.files.environment import EnvironmentSpec
from caduceus.runs.files.plan import Dataset, Run
from caduceus.runs.preloads import Preloads

_Entry = TypeVar("_Entry", TableEntry, FigureEntry, Claim)


@dataclass(frozen=True)
class Project:
    """Everything that is planned.

    Attributes:
        settings: config.yaml.
        paper: what the paper shows, from config.yaml or the file that it names.
        experiments: by id; those of snapshots by the name of their file.
        runs: each with its experiment, by id.
        datasets: by name.
        groups: the ids of the experiments in each W&B group that has any.
        sweeps: the experiments that have a sweep, by the sweep's id.
    """

    settings: Settings
    paper: Paper
    experiments: Mapping[str, Experiment]
    runs: Mapping[str, tuple[Experiment, Run]]
    datasets: Mapping[str, Dataset]
    groups: Mapping[str, Sequence[str]]
    sweeps: Mapping[str, Experiment]

    @property
    def server_sweeps(self) -> list[str]:
        """The ids of the sweeps whose trials a W&B server chooses."""
        return [
            id
            for id, found in self.sweeps.items()
            if found.sweep and found.sweep.is_chosen_by_server
        ]

    @property
    def remote_sweeps(self) -> list[str]:
        """The ids of the sweeps that run elsewhere and are read from a W&B server."""
        return list(self.sweeps) if self.settings.export.is_remote else []

    def run_ids(self, experiments: Sequence[str]) -> list[str]:
        """Return the ids of the runs of several experiments, in order."""
        return [run.id for name in experiments for run in self.experiments[name].runs]

    def planned_runs(self, names: Sequence[str]) -> list[str]:
        """Return the ids of the runs of those experiments and sweeps that are planned here."""
        planned = {**self.experiments, **self.sweeps}
        found = dict.fromkeys(planned[name].id for name in names if name in planned)
        return self.run_ids(list(found))

    def preloads(self, owner: int) -> Preloads:
        """Return what jobs that the process `owner` starts preload."""
        found = {each.id: each.preload for each in self.experiments.values() if each.preload}
        return Preloads(owner, found)

    @property
    def environments(self) -> dict[str, EnvironmentSpec]:
        """The environment of each experiment that names one."""
        named = {each.id: each.environment for each in self.experiments.values()}
        return {id: environment for id, environment in named.items() if environment}

    def named_environments(self, runs: Iterable[str]) -> dict[EnvironmentSpec, str]:
        """Return the environments of some runs, each with the first file and line that names it."""
        found: dict[EnvironmentSpec, str] = {}
        for run in runs:
            experiment, _ = self.runs[run]
            if named := experiment.environment:
                found.setdefault(named, experiment.source.where(["environment", named.kind]))
        return found

    @property
    def gpu_shares(self) -> dict[str, float]:
        """The share of a GPU of each experiment whose runs get one."""
        asked = {each.id: each.spec.resources.gpu_share for each in self.experiments.values()}
        return {id: share for id, share in asked.items() if share is not None}

    @cached_property
    def candidates(self) -> list[CandidateRun]:
        """All runs, in the order of the experiments' files."""
        plans = (experiment.plan for experiment in self.experiments.values())
        return [run for plan in plans for run in candidate_runs(plan)]

    @property
    def all_shown_runs(self) -> list[str]:
        """The ids of the runs that the paper shows."""
        return list(dict.fromkeys(r for at in self.paper.entries for r in self.shown_runs(*at)))

    @property
    def shown_metrics(self) -> dict[str, dict[str, Json]]:
        """The metrics of tables/NAME by heading and of claims/NAME by name, as JSON."""
        return {
            "/".join(at): {heading: metric.brief for heading, metric in entry.metrics.items()}
            for at, entry in self.paper.entries.items()
            if not isinstance(entry, FigureEntry)
        }

    def shown_runs(self, section: str, name: str) -> list[str]:
        """Return the ids of the runs that an entry of the paper shows, in order."""
        entry = self.paper.entries[section, name]
        return [run.run for run in self.candidates if is_shown(run, entry)]

    def shown_sweep(self, name: str) -> str | None:
        """Return the id of the sweep that a figure of kind sweep shows; None for other kinds."""
        entry = self.paper.figures[name]
        if entry.kind != "sweep":
            return None
        [experiment] = entry.experiments
        return next(id for id, found in self.sweeps.items() if found.id == experiment)


def load_project(config: Json, config_files: Sequence[str], root: Path = Path()) -> Project:
    """Read the configuration, its experiments and its paper, and check them together.

    Args:
        config: config.yaml with what the command line put over it, as Snakemake has it.
        config_files: the files that it was read from, for messages.
        root: the folder that paths in `config` start from.

    Raises:
        SpecError: the first thing that is wrong in any of the files.
    """
    where = key_finder(config_files)
    settings = parse_settings(config, where)
    groups = settings.wandb.groups
    experiments: dict[str, Experiment] = {}
    files = experiment_files(settings.experiments, root, lambda index: where(_place(config, index)))
    for path in files:
        experiment = load_experiment(path, settings.defaults, groups, root)
        if is_snapshot(path):  # of one experiment there may be several
            experiments[Path(path).stem] = experiment
            continue
        if experiment.id in experiments:
            other = experiments[experiment.id].source.path
            is_name = isinstance(experiment.source, SweepFile)
            mend = "rename one of the files" if is_name else "choose another"
            raise SpecError(
                f"id: {experiment.id!r} is the id of {other} too; {mend}",
                experiment.source.where(["id"]),
            )
        experiments[experiment.id] = experiment
    for index, rules in enumerate(settings.custom_rules):
        if not is_file(root / rules):
            raise SpecError(
                f"custom_rules[{index}]: {rules} doesn't exist; give its path from the folder you "
                "work in",
                where(["custom_rules", index]),
            )
    paper, where_paper = load_paper(settings.paper, where, root)
    plans = [experiment.plan for experiment in experiments.values()]
    has_sweeps = any(experiment.sweep for experiment in experiments.values())
    if has_sweeps:
        paper = _without_trials(paper, experiments)
    check_paper(paper, plans, list(groups), where_paper)
    if has_sweeps:
        paper = _with_sweeps(paper, experiments)
    runs = {run.id: (found, run) for found in experiments.values() for run in found.runs}
    members: dict[str, list[str]] = {}
    for name, experiment in experiments.items():
        members.setdefault(experiment.spec.group, []).append(name)
    sweeps = {found.sweep.id: found for found in experiments.values() if found.sweep}
    for experiment in sweeps.values():
        if settings.export.is_remote and experiment.sweep and experiment.sweep.is_chosen_by_server:
            raise SpecError(
                "sweep.engine: found 'wandb': a server gives runs its own ids, and they can't be "
                "found by ours; set export.source to local, or list the W&B project under "
                "export.projects",
                experiment.source.where(["sweep", "engine"]),
            )
    return Project(settings, paper, experiments, runs, _datasets(experiments), members, sweeps)


def _place(config: Json, index: int) -> list[Key]:
    """Return the keys of an item of `experiments`, which is one path or a list of them."""
    is_list = isinstance(config, dict) and isinstance(config["experiments"], list)
    return ["experiments", index] if is_list else ["experiments"]


def _without_trials(paper: Paper, experiments: Mapping[str, Experiment]) -> Paper:
    """Name the experiments of entries that name none, so that they show no trials of sweeps.

    An entry that names groups shows these whole.
    """
    others = [found.id for found in experiments.values() if not found.sweep]

    def named(entry: _Entry) -> _Entry:
        is_of_sweeps = isinstance(entry, FigureEntry) and entry.kind == "sweep"
        if entry.experiments or entry.groups or is_of_sweeps:
            return entry
        return replace(entry, experiments=tuple(others))

    return replace(
        paper,
        tables={name: named(entry) for name, entry in paper.tables.items()},
        figures={name: named(entry) for name, entry in paper.figures.items()},
        claims={name: named(entry) for name, entry in paper.claims.items()},
    )


def _with_sweeps(paper: Paper, experiments: Mapping[str, Experiment]) -> Paper:
    """Leave the sweeps alone in figures of kind sweep."""
    sweeps = [found.id for found in experiments.values() if found.sweep]

    def alone(entry: FigureEntry) -> FigureEntry:
        names = entry.experiments or sweeps
        return replace(entry, experiments=tuple(name for name in names if name in sweeps))

    figures = {
        name: alone(entry) if entry.kind == "sweep" else entry
        for name, entry in paper.figures.items()
    }
    return replace(paper, figures=figures)


def _datasets(experiments: Mapping[str, Experiment]) -> dict[str, Dataset]:
    """Return each dataset by its name.

    Raises:
        SpecError: two experiments declare different datasets of the same name.
    """
    datasets: dict[str, Dataset] = {}
    declared_in: dict[str, Source] = {}
    for experiment in experiments.values():
        dataset = experiment.spec.dataset
        if dataset is None:
            continue
        known = datasets.setdefault(dataset.name, dataset)
        source = declared_in.setdefault(dataset.name, experiment.source)
        if known != dataset:
            raise SpecError(
                f"dataset: {dataset.name!r} is declared differently at "
                f"{source.where(['dataset'])}; make both equal or choose another name",
                experiment.source.where(["dataset"]),
            )
    return datasets
