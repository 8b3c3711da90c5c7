"""The first incumbent of a ledger: code that ran before the edit, or that of the ledger before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import Json, read_if_there, sha256
from caduceus.io.phrases import listed, pasted
from caduceus.io.yaml_files import load
from caduceus.project.experiments import Experiment
from caduceus.project.snapshots import read_snapshot_commit, take_snapshot
from caduceus.runs import source_code
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.tries import Code, LedgerFolder, tried_runs
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord, read_records
from caduceus.runs.used_files import used_files
from caduceus.runs.variants import leaves
from caduceus.tries.codes import code_of, experiment_file, keep_experiment

_SHOWN = 5  # runs that a message names
_UNKNOWN = "delete it; the commit is then unknown"


@dataclass(frozen=True)
class FirstIncumbent:
    """Code whose snapshot can be copied into a new ledger.

    Attributes:
        code: the code.
        root: the folder of its snapshot.
        experiment: its experiment, composed.
        commit: the git commit of the code.
        used: the sha256 of further files when it ran, by their paths in the project.
        logged: the names of what its run logged; empty if that isn't known.
        origin: where it comes from, for a message.
    """

    code: Code
    root: Path
    experiment: Mapping[str, Json]
    commit: Mapping[str, Json]
    used: Mapping[str, str]
    logged: tuple[str, ...]
    origin: str

    def keep(self, folder: LedgerFolder, project: Path) -> None:
        """Copy its snapshot into a ledger, from which further runs of it are planned.

        Args:
            folder: the ledger's.
            project: the project's folder, which has the program of the dataset.
        """
        keep_experiment(self.experiment, self.code, folder)
        dataset = self.experiment.get("dataset")
        program = dataset.get("program") if isinstance(dataset, Mapping) else None
        others = {program: project / program} if isinstance(program, str) else {}
        files = source_code.snapshot_files(self.root)
        take_snapshot(files, self.root, folder.code(self.code.id), self.commit, others)

    def digests(self, present: Mapping[str, str], before: Iterable[str]) -> dict[str, str]:
        """Return the digests of protected files as they were when it ran.

        Args:
            present: the digests now, which stand where nothing else is known.
            before: the protected files in the folder of its snapshot. Those that are code count,
                though they may be gone now.
        """
        code = source_code.snapshot_content(self.root)
        of_code = {name: sha256(code[name]) for name in (*present, *before) if name in code}
        of_others = {name: self.used.get(name, digest) for name, digest in present.items()}
        return of_others | of_code


def of_ledger(folder: LedgerFolder, code: Code) -> FirstIncumbent:
    """Return the incumbent of another ledger."""
    return FirstIncumbent(
        code=code,
        root=folder.code(code.id),
        experiment=load(experiment_file(folder, code)).value,
        commit=read_snapshot_commit(folder.code(code.id)),
        used={},
        logged=(),
        origin=f"the incumbent of {folder.path}",
    )


def of_run(
    results: Path, experiment: Experiment, present: Code, against: str | None
) -> FirstIncumbent:
    """Return the code of a run that has finished before the edit.

    Args:
        results: the folder results/.
        experiment: as it is now.
        present: the code of its variant as it is now.
        against: the run's id; None for the only other version that has finished.

    Of several versions that of the last plan is taken, whose runs tables show.

    Raises:
        SpecError: there is no such run, it has no snapshot, or there are several versions, none of
            which the last plan has.
    """
    found = _versions(results, experiment, present.variant, against)
    versions = {id: each for id, each in found.items() if id != present.id}
    others = list(versions.values())
    if len(others) > 1:
        planned = _planned_codes(results, experiment, present.variant)
        others = [each for id, each in versions.items() if id in planned] or others
    if len(others) == 1:
        return _of_record(*others[0])
    if found and not others:
        raise SpecError("the code equals the incumbent's; edit it first", experiment.source.path)
    if against is not None:
        raise SpecError(
            f"{pasted(against)} is no finished run of {experiment.id} whose code is still there; "
            "`caduceus status` lists runs",
            "--against",
        )
    if not others:
        raise SpecError(
            f"there is no incumbent yet: no run of variant {pasted(present.variant)} had finished "
            "before the edit; take the edit back (as by `git stash`), run `caduceus build`, and "
            "edit again",
            experiment.source.path,
        )
    runs = [f"{record.run} (of {record.attempts[-1].started_at})" for record, _ in others]
    raise SpecError(
        f"{len(runs)} earlier versions have run, and the last plan has none of them; choose the "
        f"incumbent by one of its runs, the latest first: {listed(runs, _SHOWN)}",
        "--against",
    )


def first_seeds(experiment: Mapping[str, Json], wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Return the seeds on which tries are screened at first.

    Args:
        experiment: the incumbent's, composed.
        wanted: `seeds` of the settings.
    """
    listed = experiment.get("seeds") if wanted is None else wanted
    if not isinstance(listed, Sequence):
        return ()
    return tuple(seed for seed in listed if isinstance(seed, int))


def _of_record(record: RunRecord, code: Code) -> FirstIncumbent:
    used = {name: file.sha256 for name, file in used_files(record.attempts) if file.sha256}
    return FirstIncumbent(
        code=code,
        root=record.folder.code,
        experiment=load(record.folder.experiment).value,
        commit=read_if_there(record.folder.commit, _UNKNOWN),
        used=used,
        logged=tuple(dict(leaves(record.exported.summary))) if record.exported else (),
        origin=f"the code of run {record.run}",
    )


def _planned_codes(results: Path, experiment: Experiment, variant: str) -> set[str]:
    """Return the ids of the code of a variant in the last plan of its experiment."""
    plan = Plan.read_if_there(results / "experiments" / f"{experiment.id}.json")
    argument = experiment.spec.seed_argument
    runs = plan.runs if plan else ()
    return {code_of(run.definition, "", argument).id for run in runs if run.variant == variant}


def _versions(
    results: Path, experiment: Experiment, variant: str, against: str | None
) -> dict[str, tuple[RunRecord, Code]]:
    """Return a run of each version of the code that has run, the latest first."""
    if against is None:
        tried = tried_runs(results)
        records = [record for record in read_records(results) if record.run not in tried]
    else:
        records = [RunRecord(RunFolder(results / "runs" / Path(against).name))]
    found = []
    for record in records:
        run = record.folder
        if record.damage or not record.is_planned:
            continue
        identity, train = record.identity, record.train
        is_other = identity.experiment != experiment.id or identity.sweep is not None
        if is_other or (against is None and identity.variant != variant):
            continue
        has_code = run.experiment.exists() and run.code.is_dir()
        if train is None or train.state != "finished" or not has_code:
            continue
        code = code_of(record.params, identity.variant or "", experiment.spec.seed_argument)
        found.append((train.attempts[-1].started_at or "", record, code))
    found.sort(key=lambda each: each[0], reverse=True)
    versions: dict[str, tuple[RunRecord, Code]] = {}
    for _, record, code in found:
        versions.setdefault(code.id, (record, code))
    return versions
