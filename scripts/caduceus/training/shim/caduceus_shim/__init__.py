"""Give each `wandb.init` of a program the run that Caduceus planned, and record what was used.

| | |
|---|---|
| `first_process` | which process of an attempt is the program itself |
| `runs` | the run that each `wandb.init` starts, and its arguments |
| `wandb_hooks` | the import hook that wraps wandb |
| `private_names` | the private names of wandb that the hooks use |
| `parameters` | the experiment's parameters in `wandb.config` |
| `dropped_rows` | the record of rows that wandb drops |
| `installed_packages` | the list of installed packages, made without parsing all metadata |
| `service_start` | shorter waits for the start of wandb's service |
| `termination` | the handler that finishes the log at SIGTERM |
| `snapshot_paths` | the search path, which leads to the snapshot of the code |
| `used_files` | the record of the project's files that were read, and of imported packages |

The environment, which `caduceus train` sets, has all settings: CADUCEUS_RUN (run.json),
CADUCEUS_WANDB_DIR (the folder of the logs), CADUCEUS_CONFIG (the parameters as JSON),
CADUCEUS_USED (the folder of the records of used files) and CADUCEUS_PROJECT_DIR.
"""

import json
import os

from caduceus_shim import first_process, snapshot_paths, used_files, wandb_hooks
from caduceus_shim.runs import Runs


def start():
    """Install the hooks; called before the program starts."""
    first_process.mark()
    with open(os.environ["CADUCEUS_RUN"]) as stream:
        identity = json.load(stream)
    # A child without these hooks (python -I) would log to the run under its id, as if it went on.
    run_id = os.environ.pop("WANDB_RUN_ID", None)
    own_id = None if run_id == identity["id"] else run_id
    # First, since a run that isn't tracked is worse than what else may fail.
    wandb_hooks.install(Runs(identity, os.environ["CADUCEUS_WANDB_DIR"], own_id))
    snapshot_paths.redirect()
    used_files.watch()
