"""The logs of a run, and the rows of each attempt that belong to the run.

The step from which an attempt resumed is the first of these that is known: the step that it noted
when it restored a checkpoint; the step of its first row, if that isn't 0; the place of a metric
that counts its progress in the rows of earlier attempts (`wandb_log.resuming`). Otherwise it
started afresh, and its rows replace all earlier ones.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from caduceus.io.files import digest_text
from caduceus.io.names import is_safe_name
from caduceus.runs.files.attempt import Attempt, Restored, StartedRun
from caduceus.runs.folder import RunFolder
from caduceus.runs.started_runs import started_runs
from caduceus.wandb_log import (
    Part,
    Segment,
    has_ended,
    has_rows,
    is_empty,
    read_head,
    read_log,
    stitch,
)
from caduceus.wandb_log.reading import exit_code
from caduceus.wandb_log.resuming import Evidence, Resumption, find_resumption

_NaturalKey = list[tuple[str, int]]  # of a name: its parts of text, each with the number after it


def logs_of_attempt(folder: RunFolder, number: int | str) -> list[Path]:
    """Return the run's logs in an attempt that aren't empty, in the order of their start."""
    return [log for log in _logs(folder, number) if not is_empty(log)]


def _logs(folder: RunFolder, number: int | str) -> list[Path]:
    own = _logs_of(folder, number, folder.path.name)
    if not any(not is_empty(log) for log in own) and (other := stand_in(folder, number)):
        return _logs_of(folder, number, other)
    return own


def _logs_of(folder: RunFolder, number: int | str, run_id: str) -> list[Path]:
    return sorted(folder.wandb(number).glob(f"wandb/*run-*/run-{run_id}.wandb"))


def stand_in(folder: RunFolder, number: int | str) -> str | None:
    """The id of the further run that is taken for the run itself in an attempt; None for none.

    The program's own process has the run. Where it has logged nothing, as a launcher whose workers
    log, the first of the further runs by name takes its place, whichever process was faster; of
    equal names, the first by the names and command lines of the processes. Those of a single
    process have an order: the first takes its place.
    """
    if folder.is_further or number == "upload":
        return None
    logged = further_ids(folder, number)
    own = _logs_of(folder, number, folder.path.name)
    if not logged or any(not is_empty(log) for log in own):
        return None
    started = started_runs(folder, int(number))
    logged.sort(key=_natural)  # RUN-2 was started before RUN-10
    if len({each.pid for each in started}) == 1:
        return logged[0]
    starts = {f"{folder.path.name}-{each.number}": each for each in started}
    return min(logged, key=lambda run_id: _place(folder, number, run_id, starts.get(run_id)))


def _place(
    folder: RunFolder, number: int | str, run_id: str, start: StartedRun | None
) -> list[_NaturalKey]:
    """Sort key of a further run that doesn't depend on which process was faster."""
    if start is None:
        return [_natural(_name(folder, number, run_id))]
    name = _name(folder, number, run_id) if start.name else ""  # else its number, which does
    return [_natural(name), _natural(start.process), _natural(start.command)]


def notable_starts(folder: RunFolder, number: int) -> list[StartedRun]:
    """Return the runs that an attempt has started, by number; none if there is one, which logged.

    Whichever process started the only one, such as that of a launcher, it is the run itself. Of a
    run that several processes started, such as after a restart, the first is returned.
    """
    found: dict[int, StartedRun] = {}
    for each in started_runs(folder, number):
        found.setdefault(each.number, each)
    taken = stand_in(folder, number)
    if len(found) < 2 and (taken or not found.keys() - {1}):
        return []
    # An id that a process without the shim chose has no number.
    place = "1" if taken is None else taken.rpartition("-")[2]
    own = int(place) if place.isdecimal() else 0
    return [replace(found[each], is_own=each == own) for each in sorted(found)]


def further_ids(folder: RunFolder, number: int | str) -> list[str]:
    """The ids under which an attempt has logged further runs, sorted; each can name a folder."""
    logs = folder.wandb(number).glob("wandb/*run-*/run-*.wandb")
    found = {log.stem.removeprefix("run-") for log in logs if not is_empty(log)}
    return sorted(filter(is_safe_name, found - {folder.path.name}))


def _name(folder: RunFolder, number: int | str, run_id: str) -> str:
    header = read_head(_logs_of(folder, number, run_id)[0])[0].run
    return header.name if header else run_id


def _natural(name: str) -> _NaturalKey:
    """Sort key by which `fold 2` comes before `fold 10`."""
    parts = re.findall(r"(\D*)(\d*)", name)
    return [(text, int(number or 0)) for text, number in parts]


def is_whole(folder: RunFolder, number: int) -> bool:
    """Whether everything that an attempt logged is there: its log, if it has one, has an end."""
    logs = _logs(folder, number)
    return not logs or (not is_empty(logs[-1]) and has_ended(logs[-1]))


def stitch_attempts(folder: RunFolder, attempts: Sequence[Attempt]) -> list[Part]:
    """Return the segments of the run: those of its last attempt and of all that it resumed.

    An attempt without a row, as it was ended too early, replaces no earlier rows. A finished one is
    never resumed: if others follow, the run was trained again.
    """
    logs = _Logs()
    for attempt in last_training(attempts):
        own = logs_of_attempt(folder, attempt.number)
        if own and (len(attempts) == 1 or has_rows(own[0])):
            step = attempt.resumed_from
            if attempt.state == "running" or folder.is_further:
                step = resumed_from(folder, attempt, logs.parts())
            logs.start(own[0], step)
        logs.add(folder, attempt, own)
    return logs.parts()


def stitch_attempt(folder: RunFolder, attempt: Attempt, start: int | None) -> list[Part]:
    """Return the segments of one attempt, which resumed from the step `start`."""
    logs, own = _Logs(), logs_of_attempt(folder, attempt.number)
    logs.start(own[0], start)
    logs.add(folder, attempt, own)
    return logs.parts()


class _Logs:
    """The logs of a run, and where each of them resumes."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._steps: dict[Path, int | None] = {}
        self._continuing: set[Path] = set()

    def parts(self) -> list[Part]:
        """Return the segments of the run."""
        return stitch(self._paths, self._steps, self._continuing)

    def start(self, log: Path, step: int | None) -> None:
        """Note from which step a log resumes; a fresh start replaces all logs before."""
        if step is None:
            self._paths.clear()
            self._steps.clear()
        self._steps[log] = step

    def add(self, folder: RunFolder, attempt: Attempt, logs: Sequence[Path]) -> None:
        """Add the logs of an attempt: a program may start its run again.

        Where the process before ended well, as a training before its evaluation, the rows follow.
        Otherwise a launcher has restarted the program, and its rows decide where it resumed.
        """
        for place, log in enumerate(logs):
            if place and (exit_code(logs[place - 1]) == 0 or not has_rows(log)):
                self._continuing.add(log)
            elif place:
                restored = _restored(folder, attempt, log)
                self.start(log, (restored or find_resumption(self.parts(), log)).step)
            self._paths.append(log)


def last_training(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """Return the attempts after the last finished one that others follow; all if there is none."""
    finished = [i for i, attempt in enumerate(attempts[:-1]) if attempt.state == "finished"]
    return attempts[finished[-1] + 1 if finished else 0 :]


def resumed_from(folder: RunFolder, attempt: Attempt, earlier: Sequence[Part]) -> int | None:
    """Return the first step that an attempt ran itself; None if it started afresh."""
    return resumption(folder, attempt, earlier).step


def resumption(folder: RunFolder, attempt: Attempt, earlier: Sequence[Part]) -> Resumption:
    """Return the first step that an attempt ran itself, and how that is known."""
    logs = logs_of_attempt(folder, attempt.number)
    if restored := _restored(folder, attempt, logs[0] if logs else None):
        return restored
    first = read_head(logs[0])[1] if logs else None
    if first is None:
        return Resumption(None, Evidence.NOTHING)
    if earlier:
        return find_resumption(earlier, logs[0])
    # wandb before 0.31 may lose all rows of a killed program. Some programs count steps from 1.
    if first > 1 and has_lost_log(folder, attempt.number - 1):
        return Resumption(first, Evidence.STEPS)
    return Resumption(None, Evidence.NOTHING)


def _restored(folder: RunFolder, attempt: Attempt, log: Path | None) -> Resumption | None:
    """Return what the process of a log noted when it restored a checkpoint; None for nothing."""
    note = None if folder.is_further else Restored.read_if_there(folder.restored(attempt.number))
    if note is None or (log and note.log not in (None, log.parent.name)):
        return None
    return Resumption(note.resumed_from, Evidence.CHECKPOINT)


def with_resumption(folder: RunFolder, attempt: Attempt, earlier: Sequence[Attempt]) -> Attempt:
    """Record from which step an attempt that has ended resumed, and how that is known."""
    is_trained_again = bool(earlier) and earlier[-1].state == "finished"
    parts = [] if is_trained_again else stitch_attempts(folder, earlier)
    found = resumption(folder, attempt, parts)
    by = found.by if earlier else None
    return replace(attempt, resumed_from=found.step, resumed_by=by, resumed_metric=found.metric)


def has_lost_log(folder: RunFolder, number: int) -> bool:
    """Whether an attempt started the run, and its log is empty, as the program was killed."""
    logs = _logs(folder, number)
    return bool(logs) and all(map(is_empty, logs))


def saved_when(folder: RunFolder, attempt: Attempt) -> float | None:
    """Return when the checkpoint that an attempt restored was saved, in seconds since 1970."""
    restored = Restored.read_if_there(folder.restored(attempt.number))
    return restored.saved_at if restored else None


def description_at_start(folder: RunFolder) -> str | None:
    """Return the notes with which the latest attempt was started; None if they aren't known."""
    found = RunFolder(folder.owner).work.glob("wandb/[0-9]*/description.txt")
    latest = max(found, key=lambda path: int(path.parent.name), default=None)
    return None if latest is None else latest.read_text()


def installed_packages(folder: RunFolder, number: int) -> str | None:
    """Return the sha256 of wandb's list of a program's packages; None if there is no list.

    Its lines are sorted first, as wandb lists packages in the order of the file system.
    """
    listed = packages_file(folder, number)
    return (
        None if listed is None else digest_text("\n".join(sorted(listed.read_text().splitlines())))
    )


def packages_file(folder: RunFolder, number: int) -> Path | None:
    """Return wandb's list of the packages of an attempt; None if there is none."""
    found = sorted(folder.wandb(number).glob("wandb/*run-*/files/requirements.txt"))
    return found[0] if found else None


def read_uploads(folder: RunFolder) -> list[Segment]:
    """Read the segments with the artifacts that were logged after the program."""
    return [read_log(path) for path in upload_logs(folder)]


def upload_logs(folder: RunFolder) -> list[Path]:
    """Return the logs with the artifacts that were logged after the program."""
    return logs_of_attempt(folder, "upload")
