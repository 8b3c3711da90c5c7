"""Why a run would be trained: what distinguishes it from the runs that exist."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from caduceus.io.files import canonical_json
from caduceus.io.phrases import listed
from caduceus.overview.progress import last_step
from caduceus.runs import source_code
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.used_files import stale_files
from caduceus.system.leases import is_held


@dataclass(frozen=True)
class PlannedRun:
    """A run as params.json (`definition`) and run.json (`identity`) hold it, or would.

    The definition is everything that decides the result; the identity is the run's name, group,
    tags and so on in W&B.
    """

    definition: Params
    identity: Identity
    folder: RunFolder

    @property
    def run(self) -> str:
        """Its id."""
        return self.folder.path.name

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.definition.seed

    @property
    def variant(self) -> str:
        """Its variant."""
        return self.identity.variant

    @property
    def experiment(self) -> str:
        """Its experiment."""
        return self.identity.experiment


def planned_runs(records: Iterable[RunRecord]) -> list[PlannedRun]:
    """Return the planned runs, oldest first; runs with a damaged file are left out."""
    planned = [record for record in records if not record.damage and record.is_planned]
    planned.sort(key=lambda record: record.folder.params_json.stat().st_mtime)
    return [PlannedRun(record.params, record.identity, record.folder) for record in planned]


class TrainedRuns:
    """The runs that were trained before, by experiment, variant and seed.

    Args:
        known: every run that was planned, see `planned_runs`.
    """

    def __init__(self, known: Iterable[PlannedRun]) -> None:
        self._found: dict[str, dict[str, dict[int, list[PlannedRun]]]] = {}
        for each in known:
            if _is_trained(each.folder):
                variants = self._found.setdefault(each.experiment, {})
                variants.setdefault(each.variant, {}).setdefault(each.seed, []).append(each)

    def why_trained(self, run: PlannedRun, root: Path = Path()) -> str:
        """Return why a run would be trained.

        Args:
            run: the run.
            root: the project's folder.
        """
        if reason := _why_again(run.folder):
            return reason
        if run.identity.sweep is not None:
            return self._why_trial(run, root)
        variants = self._found.get(run.experiment, {})
        seeds = variants.get(run.variant, {})
        if not any(each.run != run.run for alike in seeds.values() for each in alike):
            if variants.keys() <= {run.variant}:
                return "nothing of its experiment is trained yet"
            return "its variant is new"
        twins = [each for each in seeds.get(run.seed, ()) if each.run != run.run]
        if not twins:
            return "its seed is new"
        # Compare with the most similar earlier run; break ties by the latest.
        fewest = min((list(_differences(twin, run, root)) for twin in reversed(twins)), key=len)
        return ", ".join(fewest) or "it was deleted"

    def _why_trial(self, run: PlannedRun, root: Path) -> str:
        """Return why a trial would run: what changed since the sweep before, if there was one."""
        seeds = self._found.get(run.experiment, {}).get(run.variant, {})
        before = [e for e in seeds.get(run.seed, ()) if e.identity.sweep != run.identity.sweep]
        if not before:
            return "its sweep hasn't run it yet"
        # The sweep chooses its parameters anew.
        parameters = run.definition.parameters
        last = replace(before[-1], definition=replace(before[-1].definition, parameters=parameters))
        return ", ".join(_differences(last, run, root)) or "its sweep changed"


def _is_trained(folder: RunFolder) -> bool:
    return (folder.path / "train.json").exists() or (folder.path / "manifest.json").exists()


def _why_again(folder: RunFolder) -> str | None:
    """Return the reason if the run has attempts; None if it has none."""
    attempts = read_attempts(folder.attempts)
    if not attempts:
        return None
    state = attempts[-1].state
    if state == "running" and is_held(folder.lease, folder.lock):
        return "it is running; Snakemake waits for it"
    if state == "finished":
        stale = stale_files(folder)
        is_again = f"{listed(stale, 2)} changed since it ran" if stale else ""
        return is_again or "it has finished; only its record is written again"
    if state == "failed":
        return "it failed, and will be retried"
    step = last_step(folder, attempts[-1])
    saved = folder.checkpoints.is_dir() and any(folder.checkpoints.iterdir())
    how = "resumes from its checkpoint" if saved else "starts again, as it has no checkpoint"
    return f"it was interrupted{'' if step is None else f' at step {step}'}, and {how}"


def _differences(old: PlannedRun, new: PlannedRun, root: Path) -> Iterator[str]:
    was, now = old.definition, new.definition
    if was.program != now.program:
        yield "its program changed"
    if was.command != now.command:
        yield "its command changed"
    for key in sorted(was.parameters.keys() | now.parameters.keys()):
        values = [each.parameters.get(key, "–") for each in (was, now)]
        if canonical_json(values[0]) != canonical_json(values[1]):  # 16.0 isn't 16
            yield f"{key} changed from {values[0]} to {values[1]}"
    if was.dataset != now.dataset:
        yield "its dataset changed"
    if was.code != now.code:
        yield _changed_code(old.folder, was, now, root)


def _changed_code(folder: RunFolder, was: Params, now: Params, root: Path) -> str:
    """Return which files of the code changed since a run's snapshot was taken."""
    versions = [each.code for each in (was, now)]
    if any(version.startswith("version ") for version in versions):
        return f"its code changed from {versions[0][:16]} to {versions[1][:16]}"
    snapshot = source_code.snapshot_content(folder.code)
    changed = [
        name
        for name, path in snapshot.items()
        if not (root / name).exists()
        or source_code.digest([path], folder.code) != source_code.digest([root / name], root)
    ]
    return f"{listed(changed, 2)} changed" if changed else "its code includes other files"
