"""Record the rows that wandb drops: those with a step below that of an earlier row.

wandb only prints a warning for each. The records are kept beside the log, so that the export can
tell how many rows of which metrics are missing.
"""

import functools
import json
import os
import sys


def wrap_log(folder):
    """Wrap `Run.log` so that dropped rows are recorded.

    Args:
        folder: where dropped-rows-PID.jsonl is written: a line per row, with the `run`, its `step`
            and the `names` of its metrics.
    """
    module = sys.modules.get("wandb.sdk.wandb_run")
    if module is None or hasattr(module.Run, "is_caduceus"):
        return
    original = module.Run.log
    steps = {}  # by the run's id: the step of the row that wandb still collects

    @functools.wraps(original)
    def log(self, data, step=None, commit=None, *others, **named):
        result = original(self, data, step, commit, *others, **named)
        try:
            current = steps.get(self.id, 0)
            if step is not None and step < current:
                names = sorted(map(str, data))
                _append(folder, {"run": self.id, "step": int(step), "names": names})
            is_closed = step is None if commit is None else commit
            steps[self.id] = max(current, current if step is None else step) + bool(is_closed)
        except Exception:  # whatever a program logs, this record must not end it
            pass
        return result

    module.Run.log = log
    module.Run.is_caduceus = True


def _append(folder, row):
    path = os.path.join(folder, "dropped-rows-{}.jsonl".format(os.getpid()))
    with open(path, "a") as stream:
        stream.write(json.dumps(row) + "\n")
