"""The private names of wandb that the shim uses, and a check that this wandb has them.

They differ between versions. Without a name its feature is off, which is said once per attempt.
"""

import sys

from caduceus_shim import first_process

# The modules that hold `init` and `login`, which the shim replaces.
MODULES = ("wandb", "wandb.sdk", "wandb.sdk.wandb_init", "wandb.sdk.wandb_login")
_FEATURES = (  # module, class, methods, and the feature that needs them
    ("wandb.sdk.wandb_run", "Run", ("log",), "rows that W&B drops aren't counted"),
    (
        "wandb.sdk.wandb_config",
        "Config",
        ("_sanitize", "update", "get", "items", "as_dict"),
        "the experiment's parameters aren't in wandb.config as the program changes them",
    ),
    ("wandb.sdk.wandb_run", "Run", ("finish",), "SIGTERM may take the last rows"),
)
_KEEPS_ROWS = (0, 31)  # from here on wandb writes rows to its log within a second

_has_reported = False


def run_class():
    """Return the class of runs; None if this wandb has none."""
    return _lookup("wandb.sdk.wandb_run", "Run", ("log",))


def config_class():
    """Return the class of `wandb.config`; None if this wandb has none."""
    return _lookup(*_FEATURES[1][:3])


def is_disabled(run):
    """Whether `wandb.init` has started no run."""
    return bool(getattr(run, "disabled", False)) or type(run).__name__ == "RunDisabled"


def report_once(version):
    """Say in the first process which features are off, and what this wandb can't survive."""
    global _has_reported
    if _has_reported or not first_process.is_first():
        return
    _has_reported = True
    for module, name, methods, feature in _FEATURES:
        if _lookup(module, name, methods) is None:
            _say("wandb {} lacks {}.{}: {}".format(version, module, name, feature))
    if _minor(version) < _KEEPS_ROWS:
        _say(
            "wandb {} before 0.31: kill -9, running out of memory or a lost node take all rows "
            "since the last 32 KiB of the log".format(version)
        )


def _lookup(module, name, methods):
    found = getattr(sys.modules.get(module), name, None)
    return found if all(hasattr(found, method) for method in methods) else None


def _minor(version):
    try:
        return tuple(map(int, version.split(".")[:2]))
    except ValueError:
        return _KEEPS_ROWS


def _say(message):
    sys.stderr.write("caduceus: {}\n".format(message))
