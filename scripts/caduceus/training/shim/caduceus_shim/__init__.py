"""Keeps a program's `wandb.init` to the run that Caduceus gave it, and notes what the program read.

| | |
|---|---|
| `first_process` | which process of an attempt is the program itself |
| `runs` | which run each `wandb.init` starts, and with which arguments |
| `wandb_hooks` | finds wandb as it is imported, and wraps it |
| `parameters` | the experiment's parameters in `wandb.config` |
| `dropped_rows` | counts the rows that wandb drops |
| `termination` | finishes the log when the program is ended by SIGTERM |
| `used_files` | notes the project's files that were read and the packages that were imported |

Everything goes by the environment that `caduceus train` sets: CADUCEUS_RUN (run.json),
CADUCEUS_WANDB_DIR (where runs log), CADUCEUS_CONFIG (the parameters as JSON), CADUCEUS_USED (a
folder for notes) and CADUCEUS_PROJECT_DIR.
"""

import json
import os

from caduceus_shim import first_process, used_files, wandb_hooks
from caduceus_shim.runs import Runs


def start():
    """Install the hooks; called before the program starts."""
    first_process.mark()
    used_files.watch()
    with open(os.environ["CADUCEUS_RUN"]) as stream:
        identity = json.load(stream)
    wandb_hooks.install(Runs(identity, os.environ["CADUCEUS_WANDB_DIR"]))
