"""Take one run from another results/: copied beside its place, and then moved there at once."""

from dataclasses import dataclass, replace
from pathlib import Path

from caduceus.overview.merging.comparing import Planned, is_identity, same_attempts
from caduceus.overview.merging.copying import (
    SourceError,
    check_files,
    copy_folder,
    remove_folder,
    set_time,
)
from caduceus.overview.merging.costs import seconds_until_killed
from caduceus.overview.merging.decisions import has_ended
from caduceus.paper.ledger import record_removed
from caduceus.runs.attempts import write_attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import changed_logs
from caduceus.runs.record import RunRecord

_HELD = ("work/lock", "work/lease.json")
_AGAIN = "make its export again there, by deleting its manifest.json"


@dataclass(frozen=True)
class Staging:
    """The folder in which runs are put together: on the disk of results/, and seen by no reader.

    Attributes:
        path: results/.merge.
    """

    path: Path

    @property
    def results(self) -> Path:
        """The folder results/."""
        return self.path.parent

    def new(self, run: str) -> Path:
        """Return the place of a copy that isn't whole yet."""
        return self.path / "new" / run

    def old(self, run: str) -> Path:
        """Return the place of a run's folder that another one replaces."""
        return self.path / "old" / run

    def recover(self) -> None:
        """Finish what a killed merge has begun: a replaced folder is put back or removed."""
        for old in sorted((self.path / "old").glob("*")):
            here = RunFolder(self.results / "runs" / old.name)
            if here.path.exists():
                self.discard(old.name, here)
            else:
                old.rename(here.path)
        remove_folder(self.path / "new")

    def discard(self, run: str, new: RunFolder) -> None:
        """Remove a replaced folder, whose other attempts stay in the ledger."""
        old = RunFolder(self.old(run))
        if not same_attempts(RunRecord(old).attempts, RunRecord(new).attempts):
            record_removed(self.results, [old])
        remove_folder(old.path)


def check_run(there: RunFolder) -> None:
    """Check that a run's files and logs are those that its records list.

    Raises:
        SourceError: one isn't.
    """
    record = RunRecord(there)
    if record.manifest:
        check_files(there.path, record.manifest.files, _AGAIN)
    if record.train:
        check_files(there.output, record.train.output, _AGAIN)
    if record.train and there.code.exists():  # an archive has no logs
        for log, what in changed_logs(there, record.train.attempts):
            raise SourceError(f"{log.relative_to(there.path)}: {what}; restore it there")


def take_run(
    there: RunFolder, here: RunFolder, planned: Planned | None, staging: Staging, time_ns: int
) -> list[str]:
    """Copy a run to its place here, and return what isn't copied, as it leads out of the run.

    All files that Snakemake compares get the same time, whatever the times of the source, so that
    none is newer than what was made from it. A file that differs from what would be written here is
    left out: then its job and the export run again.

    Raises:
        SourceError: a file of the source is missing, damaged or unreadable.
        OSError: a file can't be written.
    """
    record, run = RunRecord(there), there.path.name
    left_out = set(_HELD)
    has_logs = there.code.exists() or there.server.exists()
    if planned and has_logs and there.run_json.exists():
        if not is_identity(planned, record.identity):
            left_out.add(there.run_json.name)
        if record.params.adopted != planned.definition.adopted:
            left_out.add(there.params_json.name)
    stage = RunFolder(staging.new(run))
    remove_folder(stage.path)
    try:
        outside = copy_folder(there.path, stage.path, left_out)
        check_run(stage)
        if RunRecord(stage).train != record.train:
            raise SourceError("it has changed while it was copied; merge again")
    except BaseException:
        remove_folder(stage.path)
        raise
    if has_ended(there):
        set_time(_declared(stage), time_ns)
    else:
        _record_time(there, stage)
        if planned and planned.trial is not None:
            set_time([stage.params_json, stage.run_json], time_ns)
    here.path.parent.mkdir(parents=True, exist_ok=True)
    if here.path.exists():
        staging.old(run).parent.mkdir(parents=True, exist_ok=True)
        here.path.rename(staging.old(run))
    stage.path.rename(here.path)
    if staging.old(run).exists():
        staging.discard(run, here)
    return [name for name in outside if not name.startswith("work/code/")]


def _declared(folder: RunFolder) -> list[Path]:
    """The files and folders of a run that Snakemake compares by their times."""
    files = (folder.params_json, folder.run_json, folder.train_json, folder.upload_json)
    made = (folder.summary_json, folder.manifest_json, folder.server_json)
    names = ("metrics_history.csv", "system_metrics.csv", "media", "artifacts", "outcome.json")
    return [*files, *made, *(folder.path / name for name in names)]


def _record_time(there: RunFolder, stage: RunFolder) -> None:
    """Record the time of an attempt whose end nobody saw, which the copy's files may not tell."""
    attempts = RunRecord(there).attempts
    if attempts and attempts[-1].state == "running":
        wall_s = seconds_until_killed(there, attempts[-1])
        write_attempt(stage.attempts, replace(attempts[-1], wall_s=wall_s))
