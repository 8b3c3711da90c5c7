"""Keep the runs of a training program to their identity, whatever it passes to `wandb.init`.

Python imports a module of this name before a program starts, if it is in a folder of PYTHONPATH;
`caduceus train` sets that. This one waits until wandb is imported, and wraps `wandb.init` and
`wandb.login`. It must work under any Python that wandb supports, also without Caduceus installed,
so it imports the standard library only.
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
_OF_ANOTHER_RUN = ("resume_from", "fork_from")  # arguments that name another run: left out
# The process's rank, as set by torchrun, srun, Open MPI, MPICH.
_RANK_VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


class Runs:
    """The runs of one attempt: the first `wandb.init` starts RUN, the next ones RUN-2, RUN-3, …

    Args:
        identity: the contents of run.json.
        folder: the folder of the runs' logs. All processes of the attempt share one numbering,
            by a file there to which each new run appends a byte.
    """

    def __init__(self, identity, folder):
        self._identity = identity
        self._folder = folder
        self._numbers = {identity["id"]: 1}  # by the id that the program gives
        self._names = {1: identity["name"]}
        self._has_started = False

    def decide(self, given, is_active):
        """Return the arguments for `wandb.init`, given those of the program.

        Args:
            given: the program's arguments by name.
            is_active: whether a run has started and not ended.
        """
        if _setting(given, "mode") == "disabled":
            return given
        if _rank() != "0":
            return dict(given, mode="disabled")  # the process of rank 0 tracks the run
        if is_active and _setting(given, "reinit") not in (True, "finish_previous", "create_new"):
            return given  # wandb returns the active run
        number = self._number(_setting(given, "id"))
        ours = self._our_arguments(given, number)
        if not self._has_started:
            self._report(given, ours)
        self._has_started = True
        kept = {name: value for name, value in given.items() if name not in _OF_ANOTHER_RUN}
        return dict(kept, **ours)

    def _number(self, wanted):
        """Return the number of the run that the program means, by the id that it gives or None."""
        number = self._numbers.get(wanted)
        if number is None and not self._has_started:
            # torchrun restarts its processes when one has failed: they continue the first run.
            number = 1 if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0" else None
        number = number or self._claim()
        if wanted:
            self._numbers[wanted] = number
        return number

    def _claim(self):
        """Return the next free number; appending a byte is atomic, so that no two get the same."""
        claims = os.path.join(self._folder, "claims")
        descriptor = os.open(claims, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        try:
            os.write(descriptor, b".")
            return os.lseek(descriptor, 0, os.SEEK_CUR)
        finally:
            os.close(descriptor)

    def _our_arguments(self, given, number):
        """Return the arguments that the run's identity decides."""
        run_id = self._identity["id"]
        if number > 1:
            run_id = f"{run_id}-{number}"
            own_name = "{}, {}".format(self._identity["name"], _setting(given, "name") or number)
            self._names.setdefault(number, own_name)
            self._numbers[run_id] = number
        tags = [*self._identity["tags"], *(_setting(given, "tags") or ())]
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
            ignored = "ignored wandb.init({})".format(", ".join(changed))
            kept = "the run is {!r} in project {!r}".format(ours["name"], ours["project"])
            sys.stderr.write(f"caduceus: {ignored}: {kept}\n")


def _setting(given, name):
    """Return a setting of `wandb.init`, from its arguments, its `settings` or the environment."""
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
    return next((os.environ[name] for name in _RANK_VARIABLES if os.environ.get(name)), "0")


def _stay_offline():
    """Set WANDB_MODE to offline, as online wandb would ask for a key."""
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
        return True  # logged in, as far as the program can tell; uploads are done by `sync`

    for name in ("wandb", "wandb.sdk", "wandb.sdk.wandb_init", "wandb.sdk.wandb_login"):
        module = sys.modules.get(name)
        for replaced in (init, login):
            if hasattr(module, replaced.__name__):
                setattr(module, replaced.__name__, replaced)


class _Finder:
    """An import hook that finds wandb by the other finders, and wraps it after its import."""

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


def _install():
    """Install the import hook for the run that the environment names."""
    with open(os.environ["CADUCEUS_RUN"]) as stream:
        identity = json.load(stream)
    sys.meta_path.insert(0, _Finder(Runs(identity, os.environ["CADUCEUS_WANDB_DIR"])))


def _import_next():
    """Remove this folder from the path, and import the next module of this name, if any."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if "CADUCEUS_WANDB_DIR" in os.environ:
    _install()
_import_next()
