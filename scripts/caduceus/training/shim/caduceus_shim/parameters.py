"""Put the experiment's parameters into `wandb.config`, and record changes by the program.

Like the parameters of a W&B sweep, they override those that the program passes to `wandb.init`.
Unlike those they aren't locked: a value that the program reports later, such as a halved batch
size, is recorded, so that the config holds what the run used. That also applies where plain wandb
would raise an error, since the program didn't pass `allow_val_change`.
"""

import functools
import json
import os

from caduceus_shim import private_names

_OURS = "_caduceus"  # the attribute of a run's config that holds the experiment's parameters


def apply(run):
    """Put the experiment's parameters into a run's config; nested mappings are merged."""
    path = os.environ.get("CADUCEUS_CONFIG")
    if not path:
        return
    with open(path) as stream:
        ours = json.load(stream)
    object.__setattr__(run.config, _OURS, ours)
    merged = {name: _merged(run.config.get(name), value) for name, value in ours.items()}
    _update(run.config, merged)


def _merged(theirs, ours):
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return ours
    kept = {name: value for name, value in theirs.items() if name not in ours}
    return dict(kept, **{name: _merged(theirs.get(name), ours[name]) for name in ours})


def _update(config, values):
    config.update(values, allow_val_change=True)


def wrap_config():
    """Wrap `wandb.config` so that a program may change an experiment's parameters."""
    config_class = private_names.config_class()
    if config_class is None or hasattr(config_class, "is_caduceus"):
        return
    original_update, original_set = config_class.update, config_class.__setitem__

    @functools.wraps(original_update)
    def update(self, d, allow_val_change=None):
        try:
            return original_update(self, d, allow_val_change)
        except Exception as error:
            if type(error).__name__ != "ConfigError" or not _changes_ours(self, d):
                raise
            return original_update(self, d, True)

    @functools.wraps(original_set)
    def set_item(self, key, value):
        if key in (getattr(self, _OURS, None) or ()):
            _update(self, {key: value})
        else:
            original_set(self, key, value)

    config_class.update = update
    config_class.__setitem__ = config_class.__setattr__ = set_item
    config_class.is_caduceus = True


def _changes_ours(config, given):
    """Whether `given` changes parameters of the experiment, and no others."""
    ours = getattr(config, _OURS, None) or {}
    values = given if isinstance(given, dict) else getattr(given, "__dict__", {})
    changed = [name for name, value in values.items() if config.get(name, value) != value]
    return bool(changed) and all(name in ours for name in changed)
