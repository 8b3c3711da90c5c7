"""The artifacts of a run: those that its program logged, and those that are logged for it."""

import base64
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.exports.history import read_segment
from caduceus.io.files import Json, files_below, md5_base64
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.files.upload import Upload, UploadedArtifact
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs, left_logs
from caduceus.runs.logs import read_uploads, stitch_attempts
from caduceus.runs.source_code import snapshot_content
from caduceus.system.dataset_artifact import dataset_artifact
from caduceus.wandb_log import Artifact, ArtifactFile, RunHeader, Segment
from caduceus.wandb_log.artifact_log import manifest_digest, write_artifact_log
from caduceus.wandb_log.segments import SECOND

_WRITABLE = 0o222
Files = dict[str, Path]  # by their names inside an artifact


def upload_artifacts(path: Path, dataset_json: Path | None) -> Upload:
    """Log the artifacts that a finished run lacks, and return the receipt for all that it has.

    The program may have logged its model, results, experiment file and dataset itself, as
    `caduceus.tracking` does. All others are logged here, in a log of their own that resumes the
    run. A failed run keeps the artifacts that it has.

    Args:
        path: results/runs/RUN.
        dataset_json: the record of its dataset, or None.

    Raises:
        ResultError: a log isn't what an attempt left; an artifact isn't in the run's log after it
            was logged.
    """
    folder = RunFolder(path)
    train = Train.read(folder.train_json)
    check_logs(folder, train.attempts)
    trained = [read_segment(part.path) for part in stitch_attempts(folder, train.attempts)]
    logged = _logged(trained, folder)
    identity = Identity.read(folder.run_json)
    if train.state == "finished":
        dataset = DatasetRecord.read(dataset_json) if dataset_json else None
        wanted = _wanted(folder, identity.experiment)
        missing = {name: wanted[name] for name in wanted if name not in logged}
        if dataset and f"dataset-{dataset.name}" in logged:
            dataset = None
        if missing or dataset:
            _log(folder, identity, missing, dataset, trained)
            logged = _logged(trained, folder)
        lost = wanted.keys() - logged.keys()
        if lost:
            raise ResultError(
                f"artifacts didn't reach the log: {', '.join(sorted(lost))}", path.name
            )
    if train.state == "finished":
        _tidy(folder)
    return Upload(run=path.name, artifacts=logged, logs=left_logs(folder, "upload"))


def _tidy(folder: RunFolder) -> None:
    """Remove wandb's own logs: a tenth of a run's inodes, of which clusters allow few.

    The logs of failed attempts stay.
    """
    for wandb in folder.work.glob("wandb/*/wandb"):
        for path in (*wandb.glob("*run-*/tmp"), *wandb.glob("*run-*/logs")):
            if not path.parent.is_symlink():
                shutil.rmtree(path)
        for path in (*wandb.glob("debug*.log"), wandb / "latest-run"):
            path.unlink(missing_ok=True)


def _wanted(folder: RunFolder, experiment: str) -> dict[str, tuple[str, Files]]:
    """Return type and files of the artifacts that a finished run should have, by name.

    They are the experiment file, the code that ran, the model (a file or folder in output/ that is
    called `model`, with any suffix) and all other files in output/ as results.
    """
    run_id = folder.path.name
    wanted = {
        f"spec-{experiment}": ("experiment-spec", {folder.experiment.name: folder.experiment})
    }
    code = snapshot_content(folder.code)
    if code:
        wanted[f"code-{experiment}"] = ("code", code)
    for file in files_below(folder.output):
        inside = file.relative_to(folder.output)
        kind = "model" if inside.parts[0].partition(".")[0] == "model" else "results"
        wanted.setdefault(f"{kind}-{run_id}", (kind, {}))[1][inside.as_posix()] = file
    return wanted


def _logged(trained: Sequence[Segment], folder: RunFolder) -> dict[str, UploadedArtifact]:
    return {
        artifact.name: UploadedArtifact(artifact.type, artifact.digest, artifact.is_used)
        for segment in [*trained, *read_uploads(folder)]
        for artifact in segment.artifacts
    }


def _summary(trained: Sequence[Segment]) -> dict[str, Json]:
    """Return the summary that the program left, without wandb's own values."""
    summary: dict[str, Json] = {}
    for segment in trained:
        summary |= segment.summary
    return {name: value for name, value in summary.items() if not name.startswith("_")}


def _log(
    folder: RunFolder,
    identity: Identity,
    missing: Mapping[str, tuple[str, Files]],
    dataset: DatasetRecord | None,
    trained: Sequence[Segment],
) -> None:
    """Write a log with these artifacts, as W&B's SDK does for a process that resumes the run."""
    started = datetime.now()
    upload = folder.wandb("upload").absolute()
    staging = upload / "data/artifacts/staging"
    staging.mkdir(parents=True, exist_ok=True)
    artifacts = [_staged(name, kind, files, staging) for name, (kind, files) in missing.items()]
    if dataset:
        artifacts.append(dataset_artifact(dataset.to_json(), Path(dataset.path)))
    headers = [segment.run for segment in trained if segment.run]
    run = RunHeader(
        id=identity.id,
        entity=identity.entity or (headers[-1].entity if headers else ""),
        project=identity.project,
        group=identity.group,
        job_type=identity.job_type,
        name=identity.name,
        notes=identity.notes,
        tags=tuple(identity.tags),
        sweep_id="",
        host=os.uname().nodename,
        start_ns=int(started.timestamp() * SECOND),
        is_resuming=True,
        starting_step=0,
    )
    log = upload / f"wandb/offline-run-{started:%Y%m%d_%H%M%S}-{identity.id}"
    log.mkdir(parents=True, exist_ok=True)
    # W&B takes the summary of the run's last process, which is this one.
    write_artifact_log(log / f"run-{identity.id}.wandb", run, artifacts, _summary(trained))


def _staged(name: str, kind: str, files: Files, staging: Path) -> Artifact:
    """Return an artifact of copies of these files, since the files may change until they are sent.

    The name of a copy is its md5.
    """
    copies = {}
    for inside, path in files.items():
        copy = staging / ".part"
        copy.unlink(missing_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(stat.S_IMODE(copy.stat().st_mode) & ~_WRITABLE)
        digest = md5_base64(copy)
        copy = copy.replace(staging / base64.b64decode(digest).hex())
        copies[inside] = ArtifactFile(digest, copy.stat().st_size, copy, "")
    return Artifact(name, kind, manifest_digest(copies), ("latest",), None, False, copies)
