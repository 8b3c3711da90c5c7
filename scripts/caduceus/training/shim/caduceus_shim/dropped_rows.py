"""Record the rows that wandb drops: those with a step below that of an earlier row.

wandb only prints a warning for each. The records are kept beside the log, so that the export can
tell how many rows of which metrics are missing.
"""

import functools
import json
import os
import weakref

from caduceus_shim import private_names


def wrap_log(folder):
    """Wrap `Run.log` so that dropped rows are recorded.

    Args:
        folder: where dropped-rows-PID.jsonl is written: a line per row, with the `run`, its `step`
            and the `names` of its metrics.
    """
    run_class = private_names.run_class()
    if run_class is None or hasattr(run_class, "is_caduceus"):
        return
    original = run_class.log
    # By run: the step of the row that wandb still collects. A run that is started again counts
    # from 0 in a log of its own.
    steps = weakref.WeakKeyDictionary()

    @functools.wraps(original)
    def log(self, data, step=None, commit=None, *others, **named):
        result = original(self, data, step, commit, *others, **named)
        try:
            current = steps.get(self, 0)
            if step is not None and step < current:  # its `commit` is dropped too
                names = sorted(map(str, data))
                _append(folder, {"run": self.id, "step": int(step), "names": names})
            else:
                is_closed = step is None if commit is None else commit
                steps[self] = (current if step is None else step) + bool(is_closed)
        except Exception:  # whatever a program logs, this record must not end it
            pass
        return result

    run_class.log = log
    run_class.is_caduceus = True


def _append(folder, row):
    path = os.path.join(folder, "dropped-rows-{}.jsonl".format(os.getpid()))
    with open(path, "a") as stream:
        stream.write(json.dumps(row) + "\n")
