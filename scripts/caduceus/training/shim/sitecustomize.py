"""What every Python under `caduceus train` starts with: whatever a program says, its run stays its.

Python imports a module of this name before a program, if it lies in a folder of PYTHONPATH. It
waits for wandb to be imported and wraps `wandb.init`; the program notices neither. It also runs
where Caduceus isn't installed, under any Python that wandb supports: it needs nothing but Python.
"""

import functools
import importlib.machinery
import importlib.util
import inspect
import json
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_REPORTED = ("id", "name", "project", "entity", "group", "job_type", "notes", "dir", "mode")
_OF_ANOTHER_RUN = ("resume_from", "fork_from")
# Which of several processes this is: by torchrun, srun, Open MPI, MPICH.
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


class Runs:
    """The runs of one attempt: the first `wandb.init` starts RUN, the next ones RUN-2, RUN-3, …

    Args:
        identity: the content of run.json.
        folder: where they log. Processes count together, through a file in it that each claim of a
            number makes longer by a byte.
    """

    def __init__(self, identity, folder):
        self._identity = identity
        self._folder = folder
        self._numbers = {identity["id"]: 1}  # by the ids under which the program knows them
        self._names = {1: identity["name"]}
        self._has_begun = False

    def decide(self, given, is_active):
        """The arguments that `wandb.init` gets, from those that the program gives.

        Args:
            given: by name.
            is_active: whether a run has begun and not ended.
        """
        if _said(given, "mode") == "disabled":
            return given
        if _rank() != "0":
            return dict(given, mode="disabled")  # the first of the processes tracks the run
        if is_active and _said(given, "reinit") not in (True, "finish_previous", "create_new"):
            return given  # wandb returns the run that has begun
        number = self._number(_said(given, "id"))
        ours = self._ours(given, number)
        if not self._has_begun:
            self._report(given, ours)
        self._has_begun = True
        kept = {name: value for name, value in given.items() if name not in _OF_ANOTHER_RUN}
        return dict(kept, **ours)

    def _number(self, wanted):
        """Which of the attempt's runs is meant."""
        number = self._numbers.get(wanted)
        if number is None and not self._has_begun:
            # torchrun starts its processes again when one has failed.
            number = 1 if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0" else None
        number = number or self._claim()
        if wanted:
            self._numbers[wanted] = number
        return number

    def _claim(self):
        claims = os.path.join(self._folder, "claims")
        descriptor = os.open(claims, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        try:
            os.write(descriptor, b".")
            return os.lseek(descriptor, 0, os.SEEK_CUR)
        finally:
            os.close(descriptor)

    def _ours(self, given, number):
        run_id = self._identity["id"]
        if number > 1:
            run_id = f"{run_id}-{number}"
            own_name = "{}, {}".format(self._identity["name"], _said(given, "name") or number)
            self._names.setdefault(number, own_name)
            self._numbers[run_id] = number
        tags = [*self._identity["tags"], *(_said(given, "tags") or ())]
        return {
            "id": run_id,
            "name": self._names[number],
            "project": self._identity["project"],
            "entity": self._identity["entity"],
            "group": self._identity["group"],
            "job_type": self._identity["job_type"],
            "notes": self._identity["notes"] or None,
            "tags": list(dict.fromkeys(tags)),
            "dir": self._folder,
            "mode": "offline",
            "resume": "allow",
        }

    def _report(self, given, ours):
        changed = [
            f"{name}={given[name]!r}"
            for name in _REPORTED
            if given.get(name) not in (None, ours[name])
        ]
        if changed:
            said = "wandb.init({}) isn't followed".format(", ".join(changed))
            stays = "the run stays {!r} in project {!r}".format(ours["name"], ours["project"])
            sys.stderr.write(f"caduceus: {said}: {stays}\n")


def _said(given, name):
    """An argument of `wandb.init`: given as such, in `settings` or in the environment."""
    value = given.get(name)
    if value is None:
        settings = given.get("settings") or {}
        inside = {"id": "run_id", "name": "run_name", "tags": "run_tags"}.get(name, name)
        if isinstance(settings, dict):
            value = settings.get(inside)
        else:
            value = getattr(settings, inside, None)
    if name in ("mode", "reinit") and value in (None, "default", "online"):
        value = os.environ.get("WANDB_" + name.upper())
    return value


def _rank():
    return next((os.environ[name] for name in _RANKS if os.environ.get(name)), "0")


def _stay_offline():
    """A program that asks for a server would be asked for a key."""
    if os.environ.get("WANDB_MODE") != "disabled":
        os.environ["WANDB_MODE"] = "offline"


def _wrap(wandb, runs):
    original_init, original_login = wandb.init, wandb.login
    signature = inspect.signature(original_init)

    @functools.wraps(original_init)
    def init(*arguments, **named):
        _stay_offline()
        given = signature.bind_partial(*arguments, **named).arguments
        return original_init(**runs.decide(given, wandb.run is not None))

    @functools.wraps(original_login)
    def login(*arguments, **named):
        _stay_offline()
        original_login(*arguments, **named)
        return True  # all that needs an account is done elsewhere

    for name in ("wandb", "wandb.sdk", "wandb.sdk.wandb_init", "wandb.sdk.wandb_login"):
        module = sys.modules.get(name)
        for replaced in (init, login):
            if hasattr(module, replaced.__name__):
                setattr(module, replaced.__name__, replaced)


class _Finder:
    """Finds wandb as the others do, and wraps it once it is imported."""

    def __init__(self, runs):
        self._runs = runs

    def find_spec(self, name, path=None, target=None):
        if name != "wandb":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _wrap(module, self._runs)

            spec.loader.exec_module = exec_module
        return spec


def _begin():
    with open(os.environ["CADUCEUS_RUN"]) as stream:
        identity = json.load(stream)
    sys.meta_path.insert(0, _Finder(Runs(identity, os.environ["CADUCEUS_WANDB_DIR"])))


def _make_way():
    """Leave the path as it was, and import the module of this name that stood behind this one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if "CADUCEUS_WANDB_DIR" in os.environ:
    _begin()
_make_way()
