"""The files that each job of the workflow takes, as paths below results/.

Snakemake reruns a job by the files that it takes. Four rules are Caduceus's own:

- Lost logs. A run that has ended and whose logs are gone, as in an unpacked archive, or have been
  cut short since, takes a file that nothing makes: `Targets.lost_logs`. Where its export isn't
  whole, the file of a rule that fails, so that Snakemake doesn't delete the rest of the export:
  `Targets.logged`.
- Ancient. `train` takes params.json, run.json and dataset.json as `ancient()`, so that a new tag or
  a touched file never retrains. `export_run` takes the same files as ordinary inputs, since
  Snakemake checks no parameters of the jobs above one that it reaches through ancient inputs alone:
  `Targets.logged` and `Targets.first_identity`.
- Stale runs are forced, by `get_training_data` in common.smk: see `runs.used_files.stale_files`.
- Remote runs. With `export.source: api` runs are read from a W&B server, and other files say that a
  run has ended: `run_files.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from caduceus.io.files import read_if_there
from caduceus.project.deleted_files import EXPORTED, PLANNED, deleted_files
from caduceus.project.project import Project
from caduceus.project.run_files import LOCAL, REMOTE, RunFiles
from caduceus.runs.folder import RunFolder
from caduceus.runs.lost_logs import are_logs_lost
from caduceus.sweeps.plans import Sweep

CHECKED_LOGS = "checked_logs"  # in a run's folder: what the rule check_logs never makes


@dataclass(frozen=True)
class Targets:
    """Lists the files that jobs take.

    Attributes:
        project: all that is planned.
        exists: whether a path that starts with results/ exists.
        are_logs_lost: whether the logs of an ended run are lost, given its folder below results/.
        server_groups: the W&B group of each run of each W&B project in `export.projects`, as
            `snakemake refresh` has written them to results/projects/PROJECT/runs.json.
    """

    project: Project
    exists: Callable[[str], bool]
    are_logs_lost: Callable[[str], bool]
    server_groups: Mapping[str, Mapping[str, str]]

    @property
    def _is_remote(self) -> bool:
        return self.project.settings.export.is_remote

    @property
    def _run_files(self) -> RunFiles:
        return REMOTE if self._is_remote else LOCAL

    # One run

    def lost_logs(self, folder: str, kept: Iterable[str] = EXPORTED) -> list[str]:
        """The logs of a run that has ended and of which only files made from them are left.

        No rule makes them, and Snakemake takes as given what it can't make: it neither trains such
        a run nor exports it again, whatever the times of its files.

        Args:
            folder: results/runs/RUN or results/projects/PROJECT/runs/RUN.
            kept: the files to take as given.

        Returns:
            Nothing if the run hasn't ended, its logs are whole, or one of these files is missing.
        """
        are_there = all(self.exists(f"{folder}/{name}") for name in kept)
        return [f"{folder}/work/lost_logs"] if are_there and self._lacks_logs(folder) else []

    def _lacks_logs(self, folder: str) -> bool:
        has_ended = any(self.exists(f"{folder}/{name}") for name in ("train.json", "server.json"))
        return has_ended and self.are_logs_lost(folder)

    def trial(self, run: str) -> list[str]:
        """The trial that gives a sweep's run its parameters."""
        if lost := self.lost_logs(f"results/runs/{run}", PLANNED):
            return lost
        experiment, planned = self.project.runs[run]
        if experiment.sweep is None:
            return []
        return [f"results/sweeps/{experiment.sweep.id}/trials/{planned.trial}.json"]

    def sweep(self, run: str) -> list[str]:
        """The plan of a run's sweep."""
        sweep = self.project.runs[run][0].sweep
        if sweep is None or self.lost_logs(f"results/runs/{run}", PLANNED):
            return []
        return [f"results/sweeps/{sweep.id}/sweep.json"]

    def first_identity(self, run: str) -> list[str]:
        """The run.json of the sweep's first run, for a trial that waits for earlier ones.

        The way from such a trial to the earlier runs leads through ancient inputs. Through this
        ordinary one a change of all identities, such as a new tag, reaches it.
        """
        experiment, planned = self.project.runs[run]
        sweep = experiment.sweep
        if sweep is None or planned.trial is None:
            return []
        is_confirmation = not planned.trial.isdigit()
        if not is_confirmation and not sweep.waits_for(int(planned.trial)):
            return []
        return _of_runs(sweep.trial_runs(0)[:1], "run.json")

    def dataset(self, run: str) -> list[str]:
        """The record of a run's dataset."""
        dataset = self.project.runs[run][0].spec.dataset
        return [f"results/datasets/{dataset.name}/dataset.json"] if dataset else []

    def kept_without_dataset(self, run: str, made: str) -> list[str]:
        """A file that no rule makes, if `made` exists and the record of its dataset was deleted.

        Where an ancient input is missing, Snakemake runs all jobs that take it. Where this one is
        in its place, Snakemake takes `made` as given.

        Args:
            run: the run.
            made: train.json or upload.json, which are made with the record.
        """
        is_kept = self.exists(f"results/runs/{run}/{made}")
        return [
            f"{path}.deleted" for path in self.dataset(run) if is_kept and not self.exists(path)
        ]

    def logged(self, run: str) -> list[str]:
        """The files that `export_run` takes besides params.json and run.json.

        A local run's dataset is among it, since `train` takes that as ancient.
        """
        folder = f"results/runs/{run}"
        if lost := self.lost_logs(folder):
            return lost
        if not self._is_remote and self._lacks_logs(folder):
            return [f"{folder}/{CHECKED_LOGS}"]
        dataset = [] if self._is_remote else self.dataset(run)
        return [*(f"{folder}/{name}" for name in self._run_files.logged), *dataset]

    # All runs

    def plans(self) -> list[str]:
        """The plan of each experiment."""
        return _plans(self.project.experiments)

    def remote_plans(self) -> list[str]:
        """The plans of the experiments whose runs are read from a server."""
        return self.plans() if self._is_remote else []

    def datasets(self) -> list[str]:
        """The record of each dataset that is made here."""
        datasets = () if self._is_remote else self.project.datasets
        return [f"results/datasets/{dataset}/dataset.json" for dataset in datasets]

    def started(self) -> list[str]:
        """The identity of each run."""
        return _of_runs(self.project.runs, "run.json")

    def ended(self) -> list[str]:
        """The file of each run that exists once it has ended."""
        return _of_runs(self.project.runs, self._run_files.ended)

    def deleted(self) -> list[str]:
        """Files that are missing though what is made with or from them exists.

        The user or `caduceus retry` has deleted them, as the message about a damaged file says to.
        """
        return deleted_files(self, () if self._is_remote else LOCAL.logged)

    # Sweeps

    def _sweep(self, sweep: str) -> Sweep:
        found = self.project.sweeps[sweep].sweep
        assert found is not None  # `Project.sweeps` has only experiments with one
        return found

    def observations(self, sweep: str, trial: str, file: str) -> list[str]:
        """A file of the runs that a trial waits for, whose results are new to it."""
        return _of_runs(self._sweep(sweep).waits_for(int(trial)), file)

    def trial_before(self, sweep: str, trial: str) -> list[str]:
        """The trial before one that learns from results; of the first, the known runs."""
        found = self._sweep(sweep)
        if int(trial) == 0:
            return _of_runs(self.project.planned_runs(found.plan.known or ()), "manifest.json")
        before = f"results/sweeps/{sweep}/trials/{int(trial) - 1:04d}.json"
        return [before] if found.is_sequential else []

    def trials(self, sweep: str) -> list[str]:
        """Every trial of a sweep, confirmations included."""
        trials = dict.fromkeys(run.trial for run in self.project.sweeps[sweep].runs)
        return [f"results/sweeps/{sweep}/trials/{trial}.json" for trial in trials]

    def trial_results(self, sweep: str) -> list[str]:
        """The result of each run of a sweep's trials, confirmations left out."""
        found = self._sweep(sweep)
        runs = [run for number in range(found.count) for run in found.trial_runs(number)]
        return _of_runs(runs, self._run_files.observation)

    def sweep_manifests(self, sweep: str) -> list[str]:
        """The export of each run of a sweep."""
        return _of_runs((run.id for run in self.project.sweeps[sweep].runs), "manifest.json")

    def outcomes(self, sweep: str) -> list[str]:
        """The result of each run of a remote sweep; train.json holds a local run's."""
        runs = self.project.sweeps[sweep].runs if self._is_remote else ()
        return _of_runs((run.id for run in runs), "outcome.json")

    # Groups, and whole projects on a W&B server

    def group_plans(self, group: str) -> list[str]:
        """The plans of the experiments in a W&B group."""
        return _plans(self.project.groups[group])

    def group_manifests(self, group: str) -> list[str]:
        """The export of each run in a W&B group."""
        return _of_runs(self.project.run_ids(self.project.groups[group]), "manifest.json")

    def group_files(self, file: str) -> list[str]:
        """A file of every W&B group, of experiments and of whole projects."""
        groups = [f"results/groups/{group}/{file}" for group in self.project.groups]
        return groups + self.server_group_files(file)

    def server_group_files(self, file: str) -> list[str]:
        """A file of every W&B group of whole projects."""
        return [
            f"results/projects/{project}/groups/{group}/{file}"
            for project, groups in self.server_groups.items()
            for group in sorted(set(groups.values()))
        ]

    def server_group_manifests(self, project: str, server_group: str) -> list[str]:
        """The export of each run in a group of a whole project."""
        return [
            f"results/projects/{project}/runs/{run}/manifest.json"
            for run, its_group in self.server_groups[project].items()
            if its_group == server_group
        ]

    def server_state(self, project: str, run: str) -> list[str]:
        """The state on the server of a run of a whole project."""
        folder = f"results/projects/{project}/runs/{run}"
        return self.lost_logs(folder) or [f"{folder}/server.json"]

    # The paper

    def shown_plans(self, section: str, name: str) -> list[str]:
        """The plans of the experiments that an entry of the paper shows."""
        runs = self.project.shown_runs(section, name)
        return _plans(dict.fromkeys(self.project.runs[run][0].id for run in runs))

    def shown_manifests(self, section: str, name: str) -> list[str]:
        """The export of each run that an entry of the paper shows."""
        return _of_runs(self.project.shown_runs(section, name), "manifest.json")

    def all_shown_manifests(self) -> list[str]:
        """The export of each run that the paper shows."""
        return _of_runs(self.project.all_shown_runs, "manifest.json")

    def figure_manifests(self, figure: str) -> list[str]:
        """The export of each run that a figure shows; a sweep's figure takes its trials instead."""
        is_of_sweep = self.project.shown_sweep(figure)
        return [] if is_of_sweep else self.shown_manifests("figures", figure)

    def figure_trials(self, figure: str) -> list[str]:
        """The table of the trials that a sweep's figure shows."""
        sweep = self.project.shown_sweep(figure)
        return [f"results/sweeps/{sweep}/trials.csv"] if sweep else []

    def claim_plans(self) -> list[str]:
        """The plans of the experiments that any claim is about."""
        claims = self.project.paper.claims
        return list(dict.fromkeys(p for c in claims for p in self.shown_plans("claims", c)))

    def claim_manifests(self) -> list[str]:
        """The export of each run that any claim is about."""
        claims = self.project.paper.claims
        return list(dict.fromkeys(p for c in claims for p in self.shown_manifests("claims", c)))

    def entries(self) -> list[str]:
        """The numbers of each table, of each figure and of the claims."""
        return [
            *self._tables("json"),
            *self._figures("json"),
            *(["results/paper/claims.json"] if self.project.paper.claims else []),
        ]

    def refuted(self) -> list[str]:
        """The check that no claim is refuted, if config.yaml has `claims: strict`."""
        is_strict = self.project.settings.claims == "strict" and self.project.paper.claims
        return ["results/refuted.json"] if is_strict else []

    def verification(self) -> list[str]:
        """The result of `snakemake verify`, which the report shows if it exists."""
        path = "results/verification.json"
        return [path] if self.exists(path) else []

    def paper(self) -> list[str]:
        """All that is made by default, but for the checks that fail the build."""
        return [
            *self.group_files("runs.csv"),
            *(f"results/sweeps/{sweep}/trials.csv" for sweep in self.project.sweeps),
            *self._tables("md"),
            *self._figures("pdf"),
            *(["results/paper/claims.md"] if self.project.paper.claims else []),
            "results/paper/compute.json",
            "results/paper/attempts.csv",
            "results/paper/provenance.json",
            "results/paper/checklist.md",
            "results/report/index.html",
        ]

    def _tables(self, suffix: str) -> list[str]:
        return [f"results/paper/tables/{name}.{suffix}" for name in self.project.paper.tables]

    def _figures(self, suffix: str) -> list[str]:
        return [f"results/paper/figures/{name}.{suffix}" for name in self.project.paper.figures]


def load_targets(project: Project, prefixed: Callable[[str], str]) -> Targets:
    """The targets of a project in the folder that Snakemake works in.

    Args:
        project: all that is planned.
        prefixed: turns a path that starts with results/ into the path of that file.
    """
    projects = [chosen.project for chosen in project.settings.export.projects]
    indexes = {name: Path(prefixed(f"results/projects/{name}/runs.json")) for name in projects}
    return Targets(
        project,
        exists=lambda path: Path(prefixed(path)).exists(),
        are_logs_lost=cache(lambda folder: are_logs_lost(RunFolder(Path(prefixed(folder))))),
        server_groups={name: read_if_there(index) for name, index in indexes.items()},
    )


def _of_runs(runs: Iterable[str], file: str) -> list[str]:
    return [f"results/runs/{run}/{file}" for run in runs]


def _plans(experiments: Iterable[str]) -> list[str]:
    return [f"results/experiments/{experiment}.json" for experiment in experiments]
