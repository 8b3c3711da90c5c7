"""Write the log of a process that resumes a run and logs artifacts.

The SDK needs a CPU second for such a process, most of it to import wandb and to start wandb-core.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from caduceus.wandb_log.rewriting import Content, summary_records
from caduceus.wandb_log.segments import SECOND, Artifact, ArtifactFile, RunHeader
from caduceus.wandb_log.wire import encode
from caduceus.wandb_log.writing import ARTIFACT, EXIT, LOG_HEADER, RUN, LogWriter, write_items

# The log's version: the oldest wandb that can read it, by wandb 0.31.
_VERSION = {"producer": "caduceus", "min_consumer": "0.70.0"}


def manifest_digest(files: Mapping[str, ArtifactFile]) -> str:
    """Return W&B's digest of an artifact with these files, in hex.

    Source: `ArtifactManifestV1.digest` in wandb/sdk/artifacts.
    """
    total = hashlib.md5(b"wandb-artifact-manifest-v1\n", usedforsecurity=False)
    for name, file in sorted(files.items()):
        total.update(f"{name}:{file.digest}\n".encode())
    return total.hexdigest()


def write_artifact_log(
    path: Path, run: RunHeader, artifacts: Iterable[Artifact], summary: Mapping[str, Any]
) -> None:
    """Write a log as of a process that resumed a run, logged artifacts and set the summary.

    Args:
        path: the file, which appears when it is complete.
        run: the identity of the run.
        artifacts: with their digests; those with `is_used` are recorded as inputs of the run.
        summary: values of the run's summary.
    """
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    with LogWriter(unfinished) as log:
        log.append(LOG_HEADER, encode("Header", {"version_info": _VERSION}))
        log.append(RUN, _run(run))
        for artifact in artifacts:
            log.append(ARTIFACT, _artifact(run, artifact))
        for kind, content in _end(summary):
            log.append(kind, content)
    unfinished.replace(path)


def _end(summary: Mapping[str, Any]) -> Iterator[Content]:
    yield from summary_records(summary)
    yield EXIT, encode("Exit", {"exit_code": 0})


def _run(run: RunHeader) -> bytes:
    start = {"seconds": run.start_ns // SECOND, "nanos": run.start_ns % SECOND}
    texts = {
        "run_id": run.id,
        "entity": run.entity,
        "project": run.project,
        "run_group": run.group,
        "job_type": run.job_type,
        "display_name": run.name,
        "notes": run.notes,
        "sweep_id": run.sweep_id,
        "host": run.host,
    }
    return encode(
        "Run",
        {name: text for name, text in texts.items() if text}
        | {
            "config": write_items([(["_wandb"], "{}")]),
            "tags": run.tags,
            "start_time": start,
            "resume": run.is_resuming,
        },
    )


def _artifact(run: RunHeader, artifact: Artifact) -> bytes:
    manifest = {
        "version": 1,
        "storage_policy": "wandb-storage-policy-v1",
        "storage_policy_config": [{"key": "storageLayout", "value_json": '"V2"'}],
        "contents": [_entry(name, file) for name, file in sorted(artifact.files.items())],
    }
    values = {
        "run_id": run.id,
        "project": run.project,
        "type": artifact.type,
        "name": artifact.name,
        "digest": artifact.digest,
        "aliases": artifact.aliases,
        "manifest": manifest,
        "finalize": True,
        "client_id": os.urandom(64).hex(),  # wandb's random ids have 128 characters too
        "sequence_client_id": os.urandom(64).hex(),
        "digest_algorithm": "MANIFEST_MD5",
    }
    if artifact.metadata:
        values["metadata"] = json.dumps(artifact.metadata, separators=(",", ":"))
    if artifact.is_used:
        values |= {"user_created": True, "use_after_commit": True}
    return encode("Artifact", values)


def _entry(name: str, file: ArtifactFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": name, "digest": file.digest, "size": file.bytes}
    if file.ref:
        entry["ref"] = file.ref
    if file.path is not None:
        entry["local_path"] = str(file.path)
    return entry
