"""A run on the board: its state, and what it has logged, read again as its files change."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import Json
from caduceus.overview.board.growing_history import GrowingHistory
from caduceus.overview.board.plan_index import PlannedRun, state_of_file
from caduceus.overview.board.run_rows import (
    NO_PLAN,
    NOTHING_LIVE,
    UNKNOWN,
    Facts,
    exported_row,
    facts_of,
    flat,
    seconds,
    slurm_row,
    state_row,
)
from caduceus.overview.progress import estimate_left_s, first_step
from caduceus.overview.status import DAMAGED
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from caduceus.runs.states import state_of
from caduceus.system import slurm

UNREAD = "being read"  # the state of a run whose files haven't been read yet
_PROCESS = secrets.token_hex(3)  # no epoch of an earlier board holds
# The states in which no process writes to the run, and its export says everything.
_EXPORTED = ("finished", "failed", "skipped", "unfinished")


@dataclass(frozen=True)
class Estimates:
    """Estimates from similar runs: how many steps and seconds a run may take."""

    steps: int | None = None
    seconds: float | None = None


@dataclass
class TrackedRun:
    """A run below results/.

    Attributes:
        folder: the run's folder, which need not exist yet.
        planned: its plan; None if no experiment's plan has it.
        is_of_project: whether it was exported with a whole W&B project.
        is_tried: whether a try was trained for or decided by it.
        about: all that the page shows of it but what grows.
        facts: what it says for others.
        history: what it has logged, unless it is exported.
        is_read: whether it was read at all.
    """

    folder: RunFolder
    planned: PlannedRun | None = None
    is_of_project: bool = False
    is_tried: bool = False
    about: dict[str, Json] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    history: GrowingHistory | None = None
    is_read: bool = False
    version: int = 0  # grows with each change of its files, part of the epoch of its curves
    _attempts: Sequence[Attempt] = ()
    _exported: dict[str, Json] = field(default_factory=dict)
    _first_step: int = 0
    _quick: object = None
    _whole: object = None

    @property
    def run(self) -> str:
        """The run's id."""
        return self.folder.path.name

    @property
    def state(self) -> str:
        """Its state, one of `runs.states.STATES` or `DAMAGED`."""
        return str(self.about.get("state", ""))

    @property
    def is_exported(self) -> bool:
        """Whether its rows are in its export."""
        return bool(self._exported)

    @property
    def epoch(self) -> str:
        """Changes whenever rows that were read of it before may no longer hold."""
        part = 0 if self.history is None else self.history.epoch
        return f"{_PROCESS}.{self.version}.{part}"

    @property
    def starts(self) -> list[int]:
        """The steps at which its attempts begin, if later ones went on from earlier rows."""
        if self.history is not None:
            later = self.history.grown.starts
        else:
            later = []
            for attempt in self._attempts[1:]:
                start = attempt.resumed_from  # None: it began again, and replaced all rows
                later = [] if start is None else [*(at for at in later if at < start), start]
        return [0, *later] if later else []

    def has_changed(self, thoroughly: bool) -> bool:
        """Whether its files may say something else than when they were read.

        Files are replaced by others, which changes their folder; only damage and editors change a
        file in its place, which a thorough look finds.
        """
        if self._quick_state() != self._quick:
            return True
        return thoroughly and self._whole_state() != self._whole

    def read(self, queued: slurm.QueuedJob | None) -> bool:
        """Read its files; return whether anything that is shown differs."""
        quick, whole = self._quick_state(), self._whole_state()
        if whole != self._whole:
            self.version += 1
        before = self.about
        try:
            self.about = self._read(queued)
        except Exception as error:  # of whatever a damaged file holds: it costs only this run
            self.about = self._identity() | state_row(DAMAGED, _line(error)) | UNKNOWN
            self.history, self._exported = None, {}
        self._quick, self._whole, self.is_read = quick, whole, True
        return self.about != before

    def grow(self, budget_s: float) -> bool:
        """Read what it has logged since the last call; return whether there was anything."""
        if self.history is None:
            return False
        try:
            return self.history.update(self._attempts, budget_s)
        except Exception as error:  # as in `read`
            return self.history.give_up(_line(error))

    def live(self, estimates: Estimates) -> dict[str, Json]:
        """Return what grows while it runs, as the page takes it."""
        if self.history is None:
            return {**NOTHING_LIVE, **self._exported, "epoch": self.epoch}
        grown = self.history.grown
        left_s = None
        if self.state == "running" and self._attempts:
            elapsed_s = time.time() - self._attempts[-1].start_s
            left_s = estimate_left_s(
                elapsed_s, grown.step, self._first_step, estimates.steps, estimates.seconds
            )
        return {
            "rows": grown.rows,
            "samples": grown.samples,
            "step": grown.step,
            "steps": estimates.steps,
            "left_s": left_s,
            "updated_at": grown.updated_at,
            "epoch": self.epoch,
            "diverged": grown.diverged,
            "last": dict(grown.last),
        }

    def unread_row(self) -> dict[str, Json]:
        """Return what is known of it before its files are read: its plan."""
        return self._identity() | state_row(UNREAD, "") | UNKNOWN

    def notes(self) -> list[str]:
        """Return what is odd about what it logged."""
        if self.history is None:
            return []
        grown = self.history.grown
        notes = list(grown.damage)
        if grown.left_out:
            notes.append("it logs more metrics than the board draws; the export has all")
        return notes

    def _read(self, queued: slurm.QueuedJob | None) -> dict[str, Json]:
        record = RunRecord(self.folder)
        about = self._identity()
        if not self.folder.path.is_dir():
            self.history, self._exported = None, {}
            known = ("queued", f"SLURM job {queued.job_id}") if queued else ("to do", "")
            return about | state_row(*known) | UNKNOWN | {"slurm": slurm_row(queued)}
        if record.damage:
            self.history, self._exported = None, {}
            return about | state_row(DAMAGED, "; ".join(record.damage)) | UNKNOWN
        state, reason = state_of(record, queued)
        self._attempts = record.attempts
        self._take_history(record, state)
        self.facts = facts_of(record, state)
        return (
            about
            | state_row(state, reason)
            | self._of_record(record)
            | {"slurm": slurm_row(queued)}
        )

    def _take_history(self, record: RunRecord, state: str) -> None:
        if record.exported is not None and (state in _EXPORTED or not record.attempts):
            self.history = None
            self._exported = exported_row(record.exported)
            return
        self._exported = {}
        if self.history is None:
            self.history = GrowingHistory(self.folder)
        if state == "running" and self._attempts:
            self._first_step = first_step(self.folder, self._attempts[-1])

    def _identity(self) -> dict[str, Json]:
        """Return what its plan says of it; what its folder says is laid over it."""
        if self.planned is None:
            kind = "try" if self.is_tried else "abandoned"
            kind = "project" if self.is_of_project else kind
            return {"run": self.run, "kind": kind} | NO_PLAN
        run, spec = self.planned.run, self.planned.plan.spec
        return {
            "run": self.run,
            "kind": self.planned.kind,
            "experiment": spec.id,
            "variant": run.variant,
            "seed": run.seed,
            "group": spec.group,
            "name": run.name,
            "metric": spec.metric.name if spec.metric else None,
            "parameters": flat(run.definition.parameters),
            "sweep": None,
            "trial": run.trial,
        }

    def _of_record(self, record: RunRecord) -> dict[str, Json]:
        """Return what the files of a whole run say."""
        found: dict[str, Json] = {}
        if self.planned is None and record.exported is not None:
            exported = record.exported
            found |= {
                "experiment": exported.experiment,
                "variant": exported.variant,
                "seed": exported.seed,
                "group": exported.group,
                "name": exported.name,
                "parameters": flat(exported.config),
            }
        if record.folder.run_json.exists():
            identity = record.identity
            found |= {
                "name": identity.name,
                "group": identity.group,
                "project": identity.project,
                "sweep": identity.sweep,
            }
            if self.planned is None:
                found |= {
                    "experiment": identity.experiment,
                    "variant": identity.variant,
                    "seed": identity.seed,
                }
        if record.folder.params_json.exists():
            found["parameters"] = flat(record.params.parameters)
        last = record.attempts[-1] if record.attempts else None
        train = record.train
        return found | {
            "attempts": len(record.attempts),
            "host": last.host if last else None,
            "started_at": seconds(last.started_at) if last else None,
            "runtime_s": train.compute.wall_s if train else None,
            "notes": [
                note for note in (last and last.untracked, last and last.logged_elsewhere) if note
            ],
        }

    def _quick_state(self) -> object:
        return _mtime(self.folder.path), _mtime(self.folder.attempts)

    def _whole_state(self) -> object:
        folder = self.folder
        files = (
            *(folder.params_json, folder.run_json, folder.train_json),
            *(folder.summary_json, folder.manifest_json),
        )
        return [state_of_file(path) for path in files]

    def is_running_still(self) -> bool:
        """Whether the state that the files had, running or not, still holds."""
        record = RunRecord(self.folder)
        try:
            return state_of(record)[0] == self.state
        except (ResultError, OSError, ValueError):
            return False


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, ResultError) else f"its files can't be read ({text})"


def _mtime(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
