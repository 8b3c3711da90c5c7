"""Put the experiment's parameters into `wandb.config`, and record what the program reports.

As with the parameters of a W&B sweep, a program that reads `wandb.config` gets the experiment's
value, whatever default it passed to `wandb.init`. A program that passes another value and never
reads `wandb.config` uses its own, such as a batch size that it halved after it parsed its
arguments: the config keeps the program's value until the program reads the parameter.

Unlike those of a sweep, parameters aren't locked: a value that the program reports later is
recorded, so that the config holds what the run used. That also applies where plain wandb would
raise an error, since the program didn't pass `allow_val_change`.
"""

import functools
import json
import os
import sys

from caduceus_shim import private_names

_OURS = "_caduceus"  # the attribute of a run's config that holds the experiment's parameters
_UNREAD = "_caduceus_unread"  # a process, and our values of parameters that it hasn't read
_READERS = {"__getitem__": True, "__getattr__": True, "get": True, "items": False, "as_dict": False}
_INTERNAL = ("wandb", "caduceus_shim")  # modules that read the config for themselves


def apply(run):
    """Put the experiment's parameters into a run's config; nested mappings are merged."""
    path = os.environ.get("CADUCEUS_CONFIG")
    if not path:
        return
    with open(path) as stream:
        ours = json.load(stream)
    is_wrapped = hasattr(type(run.config), "is_caduceus")
    recorded, unread = {}, {}
    for name, value in ours.items():
        theirs = run.config.get(name, value)
        if is_wrapped and _conflicts(theirs, value):
            recorded[name] = _merged(value, theirs)
            unread[name] = _merged(theirs, value)
        else:
            recorded[name] = _merged(theirs, value)
    object.__setattr__(run.config, _OURS, ours)
    _update(run.config, recorded)
    # A forked process must not write to the connection of its parent.
    object.__setattr__(run.config, _UNREAD, (os.getpid(), unread))


def _conflicts(theirs, ours):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return any(_conflicts(theirs[name], ours[name]) for name in theirs if name in ours)
    return not _is_equal(theirs, ours)


def _is_equal(theirs, ours):
    """Whether two values are equal but for their type, such as 1 and 1.0, or a tuple and a list."""
    try:
        theirs = list(theirs) if isinstance(theirs, tuple) else theirs
        return bool(theirs == ours) or str(theirs) == str(ours) or float(theirs) == float(ours)
    except Exception:  # such as of arrays, which have no single truth
        return False


def _merged(lower, upper):
    """Merge nested mappings; where both have a value, that of `upper` holds."""
    if not isinstance(lower, dict) or not isinstance(upper, dict):
        return upper
    kept = {name: value for name, value in lower.items() if name not in upper}
    return dict(kept, **{name: _merged(lower.get(name), upper[name]) for name in upper})


def _update(config, values):
    config.update(values, allow_val_change=True)


def wrap_config():
    """Wrap `wandb.config` so that a program may change an experiment's parameters."""
    config_class = private_names.config_class()
    if config_class is None or hasattr(config_class, "is_caduceus"):
        return
    original = config_class._sanitize  # of each value that is set, in whatever form it is passed

    @functools.wraps(original)
    def sanitize(self, key, val, allow_val_change=None):
        name = key.strip("-")
        if name in (self.__dict__.get(_OURS) or ()):
            _, unread = self.__dict__.get(_UNREAD) or (None, {})
            unread.pop(name, None)  # leave it as the program sets it now
            allow_val_change = True
        return original(self, key, val, allow_val_change)

    for name, is_of_one in _READERS.items():
        setattr(config_class, name, _reader(getattr(config_class, name), is_of_one))
    config_class._sanitize = sanitize
    config_class.is_caduceus = True


def _reader(method, is_of_one):
    """Wrap a method that reads one parameter, or all, so that the program gets our values."""

    @functools.wraps(method)
    def read(self, *arguments):
        pid, unread = self.__dict__.get(_UNREAD) or (None, {})
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if unread and pid == os.getpid() and caller.split(".")[0] not in _INTERNAL:
            names = arguments[:1] if is_of_one else list(unread)
            values = {name: unread.pop(name) for name in names if name in unread}
            if values:
                _update(self, values)
        return method(self, *arguments)

    return read
