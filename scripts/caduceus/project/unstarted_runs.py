"""Runs of which nothing exists: `caduceus plan` doesn't put their jobs into Snakemake's graph.

Where neither a run's folder nor a record of its files exists, each of its jobs is missing and has
to run. So one job stands for those of all such runs of an experiment, and Snakemake judges all
others by it. Runs of sweeps wait for each other and stay in the graph.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from caduceus.project.project import Project
from caduceus.project.run_jobs import OUTPUTS, definition_param, identity_param, outputs
from caduceus.system.snakemake_records import may_have_record, record_names

_RUNS = "results/runs/"
_Path = TypeVar("_Path")


class UnstartedRuns:
    """The runs of a project of which nothing exists in the present folder.

    Args:
        project: all that is planned.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._experiments: dict[str, str] = {}  # by run
        records = record_names()
        for run, (experiment, _) in project.runs.items():
            if experiment.sweep is not None or os.path.lexists(f"{_RUNS}{run}"):
                continue
            if not any(may_have_record(records, path) for path in outputs(run)):
                self._experiments[run] = experiment.id

    def replaced(
        self, paths: Iterable[_Path], stand_in: Callable[[str, list[str]], _Path]
    ) -> list[_Path]:
        """Replace the files of unstarted runs by one file for each experiment.

        Args:
            paths: the files that a job takes.
            stand_in: returns the file, given the id of an experiment and the files.
        """
        others: list[_Path] = []
        replaced: dict[str, list[str]] = {}
        for path in paths:
            text = str(path)
            run = text[len(_RUNS) :].partition("/")[0] if text.startswith(_RUNS) else ""
            if experiment := self._experiments.get(run):
                replaced.setdefault(experiment, []).append(text)
            else:
                others.append(path)
        return [*others, *(stand_in(*item) for item in replaced.items())]

    def jobs(self, experiment: str, threads: int) -> Iterator[Mapping[str, object]]:
        """Yield the jobs of an experiment's unstarted runs: fields of `snakemake_dry_run.Job`.

        Args:
            experiment: its id.
            threads: of a training.
        """
        for run in (run for run, its in self._experiments.items() if its == experiment):
            of, planned = self._project.runs[run]
            params = {
                "plan_run": {"definition": definition_param(planned)},
                "init_run": {"identity": identity_param(self._project, of, planned)},
            }
            for rule, names in OUTPUTS.items():
                made = [f"{_RUNS}{run}/{name}" for name in names]
                yield {
                    "rule": rule,
                    "wildcards": {"run": run},
                    "outputs": made,
                    "reason": f"Missing output files: {', '.join(made)}",
                    "params": params.get(rule, {}),
                    "threads": threads if rule == "train" else 1,
                }
