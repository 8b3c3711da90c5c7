"""Further runs, which a program starts beside its own run by calling `wandb.init` again.

Each gets a folder below its run's folder with the same layout, so that exports, uploads and
comparisons treat it as any run. Its logs stay in the work folder of its run.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace

from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.files.upload import Upload
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import further_ids, last_training, logs_of_attempt, stand_in
from caduceus.wandb_log import read_head

_SHARED = ("wandb", "attempts", "lock")  # parts of the work folder that further runs link to


def lay_out_further_runs(folder: RunFolder, train: Train) -> list[str]:
    """Make the folder of each further run of a run that has ended, and return their ids.

    Args:
        folder: the run's folder.
        train: its train.json.
    """
    ids = _ids(folder, [attempt.number for attempt in last_training(train.attempts)])
    for old in folder.further.glob("*"):
        if old.name not in ids:
            shutil.rmtree(old)
    identity = Identity.read(folder.run_json)
    for run_id in ids:
        nested = RunFolder(folder.further / run_id)
        nested.work.mkdir(parents=True, exist_ok=True)
        for name in _SHARED:
            link = nested.work / name
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(folder.work / name, nested.work))
        logs = [
            log for attempt in train.attempts for log in logs_of_attempt(nested, attempt.number)
        ]
        header = read_head(logs[-1])[0].run
        name = header.name if header else run_id
        url = identity.url and f"{identity.url.rpartition('/')[0]}/{run_id}"
        own = replace(identity, id=run_id, name=name, url=url, handed_out=None)
        own.write(nested.run_json)
        replace(train, run=run_id, output={}).write(nested.train_json)
        Upload(run=run_id).write(nested.upload_json)
    return ids


def with_further_runs(folder: RunFolder) -> list[RunFolder]:
    """Return the folders of a run and of its further runs."""
    return [folder, *map(RunFolder, sorted(folder.further.glob("*")))]


def _ids(folder: RunFolder, attempts: Sequence[int]) -> list[str]:
    """The ids of the further runs, less those that are taken for the run itself."""
    found: set[str] = set()
    for number in attempts:
        found |= {*further_ids(folder, number)} - {stand_in(folder, number)}
    return sorted(found)
