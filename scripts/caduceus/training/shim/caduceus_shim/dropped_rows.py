"""Counts the rows that wandb drops: those logged with a step below that of an earlier row.

wandb warns of them in the console and goes on. The counts are kept beside the log, so that the
export can say how many rows of which metrics are missing.
"""

import functools
import json
import os
import sys


def wrap_log(folder):
    """Watch `Run.log`.

    Args:
        folder: takes dropped-rows-PID.jsonl, one line for each row: the `run`, its `step` and the
            `names` of its metrics.
    """
    module = sys.modules.get("wandb.sdk.wandb_run")
    if module is None or hasattr(module.Run, "is_caduceus"):
        return
    original = module.Run.log
    steps = {}  # the step of the row that is open, by the run's id

    @functools.wraps(original)
    def log(self, data, step=None, commit=None, *others, **named):
        result = original(self, data, step, commit, *others, **named)
        try:
            current = steps.get(self.id, 0)
            if step is not None and step < current:
                _note(folder, {"run": self.id, "step": int(step), "names": sorted(map(str, data))})
            is_closed = step is None if commit is None else commit
            steps[self.id] = max(current, current if step is None else step) + bool(is_closed)
        except Exception:  # whatever a program logs, counting must not end it
            pass
        return result

    module.Run.log = log
    module.Run.is_caduceus = True


def _note(folder, note):
    path = os.path.join(folder, "dropped-rows-{}.jsonl".format(os.getpid()))
    with open(path, "a") as stream:
        stream.write(json.dumps(note) + "\n")
