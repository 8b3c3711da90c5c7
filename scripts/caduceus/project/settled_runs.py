"""Runs whose jobs have nothing to do: `caduceus build` leaves these jobs out of Snakemake's graph.

Snakemake is the judge. When it has looked at all jobs of a run and found nothing to do for them,
the state of everything that it went by is kept. While all of it is as it was then, looking again
would find the same, so jobs that take a run's files get these as files that no rule makes. Whatever
isn't known, or has changed, stays in the graph.

A run's jobs go by its files and Snakemake's records of them, by the files that the run used beyond
its code, by the record of its dataset, and by the params of the rules. They go by no other job: a
job of another kind may run without them. Runs of sweeps wait for each other and never settle.
"""

import hashlib
import json
import marshal
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from caduceus.io.files import canonical_json, write_whole
from caduceus.project.experiments import Experiment
from caduceus.project.project import Project
from caduceus.project.run_jobs import OUTPUTS, definition_param, identity_param, outputs
from caduceus.runs.files.plan import Run
from caduceus.system.file_states import FileStates, State
from caduceus.system.recorded_reads import adopt
from caduceus.system.snakemake_records import record_path
from caduceus.system.stamp import FOLDER, have_settled

_FILE = "settled"  # below FOLDER

_FOLDERS = ("media", "artifacts")
_TIME = ".snakemake_timestamp"  # in an output that is a folder: its time for Snakemake
_CODE = "work/code"  # without it a run may have been unpacked from an archive
_WHOLE = 5  # numbers in the state of a file that exists
_TAKEN = ("manifest.json", "run.json", "train.json")  # by jobs that aren't a run's own
_Known = tuple[str, tuple[str, ...]]  # `digest` and `used` of a `_Look`


class Job(Protocol):
    """The used part of a job of Snakemake."""

    @property
    def input(self) -> Iterable[str]:
        """The files that it takes."""

    @property
    def output(self) -> Iterable[str]:
        """The files that it makes."""

    @property
    def wildcards(self) -> object:
        """The values of its rule's wildcards, as attributes."""


class Graph(Protocol):
    """The used part of Snakemake's graph of jobs."""

    @property
    def jobs(self) -> Iterable[Job]:
        """All jobs."""

    def needrun(self, job: Job) -> bool:
        """Whether a job has to run."""


@dataclass(frozen=True)
class _Look:
    """The state that decides whether the jobs of a run have something to do.

    Attributes:
        inputs: the files that they take and the run's own.
        digest: of all that decides.
        states: of every file that was looked at.
        used: the files that the run used beyond its code.
    """

    inputs: Collection[str]
    digest: str
    states: Mapping[bytes, State]
    used: tuple[str, ...]


class SettledRuns:
    """The runs of a project whose jobs have nothing to do, as far as it is known.

    Args:
        project: all that is planned, in the present folder.
        common: what decides for all runs alike, such as the rules.
        began_ns: a time before Snakemake looked at anything, by the file system's clock.

    Attributes:
        runs: their ids.
    """

    def __init__(self, project: Project, common: str, began_ns: int) -> None:
        self._project = project
        self._common = hashlib.sha256(common.encode()).hexdigest()
        self._began_ns = began_ns
        self._files = FileStates()
        self._datasets: dict[str, dict[bytes, State] | None] = {}
        self._known = self._read()
        self._looks: dict[str, _Look] = {}
        settled: set[str] = set()
        states: dict[bytes, State] = {}
        for run, (experiment, planned) in project.runs.items():
            known = self._known.get(run)
            look = self._look(experiment, planned, known[1]) if known else None
            if known and look and known[0] == look.digest:
                settled.add(run)
                states |= look.states
                continue
            # A training since then may have used other files.
            look = self._look(experiment, planned, _used(Path(f"results/runs/{run}/train.json")))
            if look and have_settled(look.states.values(), began_ns):
                self._looks[run] = look
        self.runs = frozenset(settled)
        adopt(states)  # Snakemake doesn't look at them, and has nothing to do only while they stay

    @property
    def files(self) -> frozenset[str]:
        """The files of settled runs that jobs of other kinds take."""
        return frozenset(f"results/runs/{run}/{name}" for run in self.runs for name in _TAKEN)

    def record(self, graph: Graph) -> None:
        """Keep which further runs have settled, once Snakemake has judged all jobs of its graph.

        Runs that another choice of experiments has stay known, until their folders are deleted.
        """
        jobs: dict[str, list[Job]] = {}
        for job in graph.jobs:
            if (run := getattr(job.wildcards, "run", None)) in self._looks:
                jobs.setdefault(run, []).append(job)
        found = {
            run: known
            for run, known in self._known.items()
            if run in self.runs or (run not in self._project.runs and _has_folder(run))
        }
        for run, its in jobs.items():
            look = self._looks[run]
            files = {str(path) for job in its for path in (*job.input, *job.output)}
            is_all = len(its) == len(OUTPUTS) and files == look.inputs
            if is_all and not any(map(graph.needrun, its)):
                found[run] = (look.digest, look.used)
        if found != self._known:
            text = json.dumps({"common": self._common, "runs": found})
            with suppress(OSError):  # such as a full disk
                write_whole(FOLDER / _FILE, text)

    def _read(self) -> dict[str, _Known]:
        try:
            found = json.loads((FOLDER / _FILE).read_bytes())
            of_runs = found["runs"] if found["common"] == self._common else {}
            return {run: (str(digest), tuple(used)) for run, (digest, used) in of_runs.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def _look(self, experiment: Experiment, run: Run, used: tuple[str, ...] | None) -> _Look | None:
        """Look at all that decides for a run; None if it can't have settled.

        Args:
            experiment: the run's.
            run: the run.
            used: the files that it used beyond its code; None if they aren't known.
        """
        if experiment.sweep is not None or used is None:
            return None
        folder = f"results/runs/{run.id}"
        made = outputs(run.id)
        states = self._of([*made, f"{folder}/{_CODE}"])
        if states is None:
            return None
        times = [f"{folder}/{name}/{_TIME}" for name in _FOLDERS]
        others = map(os.fsencode, (*times, *map(record_path, made), *used))
        states |= {name: self._files.of(name) for name in others}
        inputs = [*made]
        # The params, less those that are the same for all runs.
        texts = [
            definition_param(run),
            canonical_json(experiment.spec.code),
            identity_param(self._project, experiment, run),
        ]
        if dataset := experiment.spec.dataset:
            record = f"results/datasets/{dataset.name}/dataset.json"
            if record not in self._datasets:
                self._datasets[record] = self._of([record])
            if (found := self._datasets[record]) is None:
                return None
            states |= found
            name = os.fsencode(record_path(record))
            states[name] = self._files.of(name)
            inputs.append(record)
            texts.append(canonical_json(dataset.to_json()))
        decides = marshal.dumps([inputs, texts, list(states.items())], 2)
        return _Look(frozenset(inputs), hashlib.sha256(decides).hexdigest(), states, used)

    def _of(self, paths: Iterable[str]) -> dict[bytes, State] | None:
        """Return the states of files; None if one of them is missing."""
        found = {}
        for path in map(os.fsencode, paths):
            found[path] = state = self._files.of(path)
            if len(state) < _WHOLE:
                return None
        return found


def _has_folder(run: str) -> bool:
    return Path("results/runs", run).is_dir()


def _used(train: Path) -> tuple[str, ...] | None:
    """Return the files that a run used beyond its code; None if its train.json is damaged."""
    try:
        usages = [each.get("usage") or {} for each in json.loads(train.read_bytes())["attempts"]]
        found = {str(name) for usage in usages for name in usage.get("files") or ()}
        return tuple(sorted(found, key=os.fsencode))  # not every text can be a name
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
