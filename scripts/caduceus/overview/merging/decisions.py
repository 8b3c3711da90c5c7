"""Decide for each run of another results/ whether it is taken, kept as it is here, or refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.names import is_safe_name
from caduceus.overview.merging.comparing import (
    Planned,
    is_definition,
    result_differences,
    same_attempts,
)
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.system.leases import is_held


class Outcome(StrEnum):
    """How a merge treats a run."""

    TAKEN = "taken"
    KEPT = "kept"
    REFUSED = "refused"
    UNFINISHED = "unfinished"
    UNPLANNED = "unplanned"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Decision:
    """The treatment of a run, and the reason for it.

    Attributes:
        outcome: the treatment.
        reason: why it is refused.
        has_other_attempts: of a run that is kept, whether other attempts were made there, whose
            cost the ledger takes over.
    """

    outcome: Outcome
    reason: str = ""
    has_other_attempts: bool = False


@dataclass(frozen=True)
class Rules:
    """The facts that are known before any run is looked at.

    Attributes:
        planned: what is planned here, by the run's id.
        tried: the ids of the runs of tries here.
        refused: for ids of runs, datasets or sweeps that can't be taken, why.
        with_abandoned: whether runs that nothing plans here are taken.
        with_unfinished: whether runs that haven't ended are taken.
        running: the ids of unfinished runs that a process holds there.
    """

    planned: Mapping[str, Planned]
    tried: Collection[str]
    refused_datasets: Mapping[str, str]
    refused_sweeps: Collection[str]
    with_abandoned: bool
    with_unfinished: bool
    running: Collection[str]


def decide(there: RunFolder, here: RunFolder, rules: Rules) -> Decision:
    """Decide on one run.

    Args:
        there: its folder elsewhere.
        here: its folder here, which may not exist.
        rules: what is known before.
    """
    try:
        return _decide(RunRecord(there), RunRecord(here), rules)
    except ResultError as error:
        return _refused(str(error))


def has_ended(folder: RunFolder) -> bool:
    """Whether a run has been trained, or was exported from a server."""
    is_remote = folder.server_json.exists() and folder.manifest_json.exists()
    return folder.train_json.exists() or is_remote


def _refused(reason: str) -> Decision:
    return Decision(Outcome.REFUSED, reason)


def _decide(there: RunRecord, here: RunRecord, rules: Rules) -> Decision:
    if not is_safe_name(there.run):
        return _refused("its name can't be that of a folder everywhere")
    planned = rules.planned.get(there.run)
    is_known = planned is not None or there.run in rules.tried
    if not is_known and not rules.with_abandoned:
        return Decision(Outcome.UNPLANNED)
    if there.damage:
        return _refused(there.damage[0])
    is_cleared = not there.folder.params_json.exists()  # by `caduceus retry`
    if not has_ended(there.folder) and (is_cleared or not there.attempts):
        return Decision(Outcome.NOT_STARTED)
    if planned and (reason := _mismatch(there, planned, rules)):
        return _refused(reason)
    if is_held(here.folder.lease, here.folder.lock):
        return _refused("it runs here; merge once it has ended")
    if here.damage:
        return _refused(here.damage[0])
    if not has_ended(there.folder):
        return _unfinished(there, here, rules)
    return _compared(there, here)


def _mismatch(there: RunRecord, planned: Planned, rules: Rules) -> str:
    """Return why a run can't be the planned one; empty if it can."""
    if not is_definition(planned, there.params):
        return "its params.json has another definition than the run that is planned here"
    if planned.trial is not None and planned.trial[0] in rules.refused_sweeps:
        return f"its sweep {planned.trial[0]} is refused"
    dataset = planned.definition.dataset
    return rules.refused_datasets.get(str(dataset["name"]), "") if dataset else ""


def _unfinished(there: RunRecord, here: RunRecord, rules: Rules) -> Decision:
    if has_ended(here.folder) or not rules.with_unfinished:
        is_covered = same_attempts(there.attempts, here.attempts)
        if has_ended(here.folder):
            return Decision(Outcome.KEPT, has_other_attempts=not is_covered)
        return Decision(Outcome.UNFINISHED)
    if there.run in rules.running:
        return _refused("it runs there; merge once it has ended")
    if here.attempts and not same_attempts(there.attempts, here.attempts):
        return _refused("it was begun in both places; delete one of the folders")
    if len(here.attempts) >= len(there.attempts):
        return Decision(Outcome.KEPT)
    return Decision(Outcome.TAKEN)


def _compared(there: RunRecord, here: RunRecord) -> Decision:
    """Decide on a run that has ended there."""
    if not has_ended(here.folder):
        return Decision(Outcome.TAKEN)
    state, own = _state(there), _state(here)
    if there.train and here.train and same_attempts(there.attempts, here.attempts):
        if len(there.attempts) > len(here.attempts):
            return Decision(Outcome.TAKEN)
        return Decision(Outcome.KEPT)
    if state != "finished":
        return Decision(Outcome.KEPT, has_other_attempts=there.train is not None)
    if own != "finished":
        return Decision(Outcome.TAKEN)
    for record, place in ((there, "there"), (here, "here")):
        if not record.folder.manifest_json.exists():
            return _refused(
                f"trained in both places; export it {place} by snakemake, and merge again"
            )
    if found := result_differences(here, there):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return _refused(f"two different exports: {found[0]}{more}")
    return Decision(Outcome.KEPT, has_other_attempts=there.train is not None)


def _state(record: RunRecord) -> str:
    return record.train.state if record.train else record.summary.state


def runs_below(results: Path) -> list[RunFolder]:
    """Return the folder of each run below a results/, by the runs' ids."""
    found = (path for path in (results / "runs").glob("*") if path.is_dir())
    return [RunFolder(path) for path in sorted(found)]
