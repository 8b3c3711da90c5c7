"""Wrap `wandb.init` and `wandb.login` when wandb is imported."""

import functools
import inspect
import os
import sys
import threading

from caduceus_shim import (
    dropped_rows,
    installed_packages,
    parameters,
    private_names,
    service_start,
    termination,
    used_files,
)


def install(runs):
    """Install the import hook that wraps wandb."""
    sys.meta_path.insert(0, _Finder(runs))


class _Finder:
    """An import hook that finds wandb by the other finders, and wraps it after each execution.

    It stays installed, since a program may look up the spec of wandb long before it imports wandb
    (accelerate, transformers and Lightning do), or execute wandb twice.
    """

    def __init__(self, runs):
        self._runs = runs
        self._lookup = threading.local()  # `is_active` while the other finders are called

    def find_spec(self, name, path=None, target=None):
        if name != "wandb" or getattr(self._lookup, "is_active", False):
            return None
        self._lookup.is_active = True
        try:
            spec = _find_spec(name, path)
        finally:
            self._lookup.is_active = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _wrap(module, self._runs)

            spec.loader.exec_module = exec_module
        return spec


def _find_spec(name, path):
    """Return the spec of the other finders; in a reload `importlib.util.find_spec` has the old."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return spec
    return None


def _wrap(wandb, runs):
    is_wandb = all(hasattr(wandb, name) for name in ("init", "login", "run"))
    if not is_wandb or getattr(wandb.init, "is_caduceus", False):
        return  # a module of the program's own that stands in for wandb tracks nothing
    original_init, original_login = wandb.init, wandb.login
    signature = inspect.signature(original_init)
    parameters.wrap_config()
    dropped_rows.wrap_log(runs.folder)
    installed_packages.wrap_list()
    service_start.look_often()
    termination.install()  # `wandb.init` may be called in a thread, which can't

    @functools.wraps(original_init)
    def init(*arguments, **named):
        _stay_offline()
        given = signature.bind_partial(*arguments, **named).arguments
        active = wandb.run
        run = original_init(**runs.decide(given, active is not None))
        if private_names.is_disabled(run):
            runs.record_disabled()
        elif run is not None and run is not active:
            parameters.apply(run)
            termination.guard(run)
            private_names.report_once(getattr(wandb, "__version__", ""))
            used_files.record_packages()
        return run

    @functools.wraps(original_login)
    def login(*arguments, **named):
        _stay_offline()
        original_login(*arguments, **named)
        return True  # the program logs offline; Caduceus does what needs an account

    init.is_caduceus = True
    for name in private_names.MODULES:
        module = sys.modules.get(name)
        for replaced in (init, login):
            if hasattr(module, replaced.__name__):
                setattr(module, replaced.__name__, replaced)


def _stay_offline():
    """Set WANDB_MODE to offline, as online wandb would ask for a key."""
    if os.environ.get("WANDB_MODE") != "disabled":
        os.environ["WANDB_MODE"] = "offline"
