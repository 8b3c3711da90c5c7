"""Decide which run each `wandb.init` of an attempt starts, and with which arguments."""

import contextlib
import json
import os
import sys

from caduceus_shim import first_process

_REPORTED = ("id", "name", "project", "entity", "group", "job_type", "dir", "mode")
_COMMAND = 200  # characters of a command line that are recorded
_OF_ANOTHER_RUN = ("resume_from", "fork_from")  # arguments that name another run: left out


class Runs:
    """The runs of one attempt: RUN, RUN-2, RUN-3, and so on.

    RUN is the first run of the first process, whenever it starts, or of the process to which a
    launcher such as torchrun gave rank 0. Runs of other processes, such as one per fold, have
    numbers from 2 on. If no process starts RUN, Caduceus uses one of the others as RUN. A process
    that resumes the run of one that has ended, by the id that both give, gets its number.

    Args:
        identity: the contents of run.json.
        folder: the folder of the runs' logs. All processes of the attempt share one numbering, by
            a file there to which each new run appends a byte.
        own_id: the id that the environment gives, such as a shell script for its programs.
    """

    def __init__(self, identity, folder, own_id=None):
        self._identity = identity
        self._folder = folder
        self._own_id = own_id
        self._numbers = {identity["id"]: 1}  # by the id that the program gives
        self._names = {1: identity["name"]}
        self._started_in = None  # the process that has started a run; a forked child inherits it

    @property
    def folder(self):
        """The folder of the runs' logs."""
        return self._folder

    def decide(self, given, is_active):
        """Return the arguments for `wandb.init`, given those of the program.

        Args:
            given: the program's arguments by name.
            is_active: whether wandb knows of a run that has started and not ended; a forked child
                knows of its parent's, and starts one of its own.
        """
        if argument(given, "mode") == "disabled":
            return given
        if first_process.rank() != "0":
            return dict(given, mode="disabled")  # the process of rank 0 tracks the run
        if is_active and self._started_in == os.getpid() and not _starts_new_run(given):
            return given  # wandb returns the active run
        wanted = argument(given, "id") or os.environ.get("WANDB_RUN_ID") or self._own_id
        is_resuming = argument(given, "resume") not in (None, False, "never")
        number = self._number(wanted, is_resuming or not argument(given, "id"))
        ours = self._arguments(given, number)
        self._record("run-ids.jsonl", {"ids": [wanted, ours["id"]], "number": number, **_place()})
        if self._started_in != os.getpid():
            self._report(given, ours)
        self._started_in = os.getpid()
        self._record_start(number, given)
        kept = {name: value for name, value in given.items() if name not in _OF_ANOTHER_RUN}
        return dict(kept, **ours)

    def _number(self, wanted, is_resuming):
        """Return the number of the run that the program means by the id `wanted`, or by None."""
        number = self._numbers.get(wanted)
        if number is None and wanted and is_resuming:
            number = self._number_of_ended(wanted)
        if number is None and self._started_in is None:
            # torchrun restarts its processes when one has failed: they continue the first run.
            number = 1 if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0" else None
        if number is None and (first_process.is_first() or first_process.is_ranked()):
            number = 1 if self._take_first() else None
        number = number or self._claim()
        if wanted:
            self._numbers[wanted] = number
        return number

    def _number_of_ended(self, wanted):
        """Return the number of the run that a process which has ended started by this id.

        A service that a parent shares with its children may keep the run open: it gets no second
        log then.
        """
        path = os.path.join(self._folder, "run-ids.jsonl")
        if os.environ.get("WANDB_SERVICE") or not os.path.exists(path):
            return None
        with open(path) as stream:
            starts = [json.loads(line) for line in stream]
        same = [start for start in starts if wanted in start["ids"]]
        is_shared = any(start["host"] != _place()["host"] or _is_alive(start) for start in same)
        return same[-1]["number"] if same and not is_shared else None

    def _take_first(self):
        """Claim number 1, and return whether no other process of the attempt has it."""
        try:
            os.close(os.open(os.path.join(self._folder, "claimed-1"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _claim(self):
        """Return the next number from 2 on; appending a byte is atomic, so no two are the same."""
        claims = os.path.join(self._folder, "claims")
        descriptor = os.open(claims, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o666)
        try:
            os.write(descriptor, b".")
            return 1 + os.lseek(descriptor, 0, os.SEEK_CUR)
        finally:
            os.close(descriptor)

    def _arguments(self, given, number):
        """Return the arguments that Caduceus decides, by name."""
        run_id = self._identity["id"]
        if number > 1:
            run_id = "{}-{}".format(run_id, number)
            own_name = "{}, {}".format(self._identity["name"], argument(given, "name") or number)
            self._names.setdefault(number, own_name)
            self._numbers[run_id] = number
        tags = [*self._identity["tags"], *(argument(given, "tags") or ())]
        notes = [self._identity["notes"], argument(given, "notes")]
        return {
            "id": run_id,
            "name": self._names[number],
            "project": self._identity["project"],
            "entity": self._identity["entity"],
            "group": self._identity["group"],
            "job_type": self._identity["job_type"],
            "notes": "\n\n".join(dict.fromkeys(filter(None, notes))) or None,
            "tags": list(dict.fromkeys(tags)),
            "dir": self._folder,
            "mode": "offline",
            "resume": "allow",
        }

    def _record_start(self, number, given):
        """Record which process starts the run, as a line of JSON."""
        start = {
            "number": number,
            "name": argument(given, "name"),
            "pid": os.getpid(),
            "is_first_process": first_process.is_first(),
            "rank": first_process.rank(),
            "process": first_process.name(),
            "command": " ".join(sys.argv)[:_COMMAND],
        }
        self._record("started-runs.jsonl", start)

    def record_disabled(self):
        """Record that `wandb.init` started no run in this process."""
        with contextlib.suppress(OSError):  # it only serves a message
            self._record("disabled-runs.jsonl", {"rank": first_process.rank()})

    def _record(self, name, entry):
        with open(os.path.join(self._folder, name), "a") as stream:
            stream.write(json.dumps(entry) + "\n")

    def _report(self, given, ours):
        changed = [
            "{}={!r}".format(name, given[name])
            for name in _REPORTED
            if given.get(name) not in (None, ours[name])
        ]
        if changed:
            ignored = "ignored wandb.init({})".format(", ".join(changed))
            kept = "the run is {!r} in project {!r}".format(ours["name"], ours["project"])
            sys.stderr.write("caduceus: {}: {}\n".format(ignored, kept))


def _place():
    return {"host": os.uname().nodename if hasattr(os, "uname") else "", "pid": os.getpid()}


def _is_alive(start):
    try:
        os.kill(start["pid"], 0)
    except OSError:  # it has ended, and no process of ours has its id
        return False
    return start["pid"] != os.getpid()


def argument(given, name):
    """Return an argument of `wandb.init`, its value in `settings`, or that in the environment."""
    value = given.get(name)
    if value is None:
        settings = given.get("settings") or {}
        inside = {"id": "run_id", "name": "run_name", "tags": "run_tags", "notes": "run_notes"}
        inside = inside.get(name, name)
        if isinstance(settings, dict):
            value = settings.get(inside)
        else:
            value = getattr(settings, inside, None)
    if name in ("mode", "reinit") and value in (None, "default", "online"):
        value = os.environ.get("WANDB_" + name.upper())
    return value


def _starts_new_run(given):
    """Whether wandb starts another run while one is active, as by default in notebooks."""
    reinit = argument(given, "reinit")
    if reinit in (None, "default"):
        return _is_notebook()
    return reinit in (True, "true", "True", "1", "finish_previous", "create_new")


def _is_notebook():
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
