"""Whether a run that was trained elsewhere is the planned one, and equals the one that is here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from caduceus.exports.equality import differences
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.record import RunRecord

# Keys of run_summary.json that say how a run is called and tracked, not what it resulted in.
_ABOUT = (
    *("name", "experiment", "variant", "entity", "project", "group", "job_type", "tags", "notes"),
    *("config", "git", "program", "used_artifacts"),
)
# Artifacts that Caduceus logs for a run. Comments of an experiment's file or program differ there.
_DESCRIPTIONS = ("experiment-spec", "code")
# Settings of run.json that decide how a run is trained and sent, and that no export shows.
_OF_MACHINE = ("patience_s", "scratch", "keep_checkpoints", "handed_out", "url")


@dataclass(frozen=True)
class Planned:
    """A run as it is planned here.

    Attributes:
        definition: of a sweep's run without what the sweep chooses.
        identity: the same, before it has a page on a server.
        trial: its sweep and its trial there; None without a sweep.
    """

    definition: Params
    identity: Identity
    trial: tuple[str, str] | None = None


def is_definition(planned: Planned, found: Params) -> bool:
    """Whether a run was trained by the definition that is planned, or by the one it adopts."""
    wanted, ran = replace(planned.definition, adopted=None), replace(found, adopted=None)
    if adopted := planned.definition.adopted:
        old = {name: getattr(adopted, name) for name in ("program", "code", "parameters")}
        if all(getattr(ran, name) == of for name, of in old.items()):
            return ran.seed == wanted.seed
    if planned.trial is not None:
        own = ran.parameters
        if any(name not in own or own[name] != of for name, of in wanted.parameters.items()):
            return False
        ran = replace(ran, parameters=wanted.parameters)
    return ran == wanted


def is_identity(planned: Planned, found: Identity) -> bool:
    """Whether a run's identity is the planned one, so that its export needn't be made again."""
    wanted = planned.identity
    left_out = {name: getattr(wanted, name) for name in _OF_MACHINE}
    if wanted.entity is None:  # filled in by the account
        left_out["entity"] = None
    if planned.trial is not None:
        if any(name not in found.config for name in wanted.config):
            return False
        left_out["config"] = wanted.config
    return replace(found, **left_out, unknown={}) == replace(wanted, unknown={})


def same_attempts(first: Sequence[Attempt], second: Sequence[Attempt]) -> bool:
    """Whether the shorter of two lists of attempts is the beginning of the other."""
    pairs = zip(first, second, strict=False)
    return all(_key(here) == _key(there) for here, there in pairs)


def result_differences(here: RunRecord, there: RunRecord) -> list[str]:
    """Return a line for each difference between the results in two exports of a run."""
    if here.manifest and there.manifest and here.manifest.files == there.manifest.files:
        return []
    folders = here.folder.path, there.folder.path
    artifacts = (*here.summary.artifacts, *there.summary.artifacts)
    described = tuple(each.name for each in artifacts if each.type in _DESCRIPTIONS)
    left_out = (
        *(f"{key}{after}" for key in _ABOUT for after in (":", ".")),
        *(f"artifacts{mark}{name}" for name in described for mark in (".", "/")),
    )
    found = differences(*folders, with_times=False, elsewhere="there")
    return [line for line in found if not line.startswith(left_out)]


def _key(attempt: Attempt) -> tuple[object, ...]:
    return attempt.number, attempt.host, attempt.started_at, attempt.pid
