"""A run on a server as a log: all it logged, fetched into a `.wandb` file and files beside it.

So one exporter serves both sources. Rows are written as their pages come; what was fetched before
a failure isn't asked for again.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from caduceus.accounts import find_account
from caduceus.errors import ServerError
from caduceus.files import read_json, write_json
from caduceus.server import Server
from caduceus.server_runs import (
    RunPath,
    RunState,
    ServerArtifact,
    read_about,
    read_addresses,
    read_artifacts,
    read_entries,
    read_events,
    read_files,
    read_history,
)
from caduceus.wandb_log import LogWriter, Segment, iter_rows
from caduceus.wandb_log.records import HISTORY, SUMMARY
from caduceus.wandb_log.stitching import step_of
from caduceus.wandb_log.wire import encode
from caduceus.wandb_log.writing import ARTIFACT, CONFIG, ENVIRONMENT, EXIT, RUN, STATS, write_items

_METADATA = "wandb-metadata.json"
_FLUSHED_ROWS = 5000
_EXIT_CODES = {"finished": 0, "failed": 1, "crashed": 1, "killed": 1}
_PREFIX = "system."  # before the name of each of W&B's own system metrics
Items = Iterator[tuple[tuple[str, ...], str]]


def fetched_log(state: RunState, folder: Path) -> Path:
    """The log of a run in this state, fetched now unless that was done before.

    Args:
        state: the run and how far it has come.
        folder: takes the log, and notes of which state it is.

    Raises:
        AccountError: there is no account to ask with.
        ServerError: something can't be had; the next call goes on from there.
    """
    log, noted = folder / f"run-{state.path.run}.wandb", folder / "state.json"
    if not (log.exists() and noted.exists() and read_json(noted) == state.as_json()):
        fetch_log(Server(find_account()), state, log)
        write_json(noted, state.as_json())
    return log


def fetch_log(server: Server, state: RunState, log: Path, with_files: bool = True) -> None:
    """Fetch everything that a run logged, up to its `state`.

    Args:
        server: the server.
        state: the run and how far it has come.
        log: takes the log; files/media/ and artifacts/ come to lie beside it.
        with_files: whether to fetch media and the files of artifacts too.

    Raises:
        ServerError: something can't be had; the next call goes on from there.
    """
    path, folder = state.path, log.parent
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = log.with_name(f"{log.name}.part")
    about = read_about(server, path)
    files = read_files(server, path)
    metadata = json.loads(server.read(files[_METADATA])) if _METADATA in files else {}
    rows, last = _fetched(unfinished, about)
    with LogWriter(unfinished) as writer:
        if not writer.last_record:
            writer.append(RUN, _run_record(path, about))
        for text in read_history(server, path, last + 1, state.last_step, state.rows):
            writer.append(HISTORY, _row(text))
            rows += 1
            if rows % _FLUSHED_ROWS == 0:
                writer.flush()
        if rows < state.rows:
            raise ServerError(
                f"{rows} of {state.rows} rows came; try again, and if it stays so, the server "
                "has lost some",
                str(path),
            )
        for text in read_events(server, path, about["eventsLineCount"] or 0):
            writer.append(STATS, _stats(json.loads(text)))
        writer.append(ENVIRONMENT, _environment(about, metadata))
        writer.append(CONFIG, write_items(_config(about["config"])))
        writer.append(SUMMARY, write_items(_values(json.loads(about["summaryMetrics"] or "{}"))))
        for artifact in read_artifacts(server, path):
            target = folder / "artifacts" if with_files else None
            writer.append(ARTIFACT, _artifact(server, artifact, target))
        if about["state"] in _EXIT_CODES:
            writer.append(EXIT, _exit(about))
    for name, url in files.items() if with_files else ():
        target = folder / "files" / name
        if name.startswith("media/") and target.resolve().is_relative_to(folder.resolve()):
            server.download(url, target)
    unfinished.replace(log)


def _fetched(log: Path, about: Mapping[str, Any]) -> tuple[int, int]:
    """How many rows an earlier call has fetched, and the last one's step; -1 without any."""
    rows, last = 0, -1
    if log.exists():
        segment = Segment(log)
        for row in iter_rows(segment):
            rows, last = rows + 1, step_of(row)
        was_begun = segment.run is not None and segment.run.start_time == _created(about)
        if not was_begun or segment.environment or segment.summary:
            log.unlink()  # of another run under this name, or past its rows
            return 0, -1
    return rows, last


def _created(about: Mapping[str, Any]) -> float:
    moment = datetime.fromisoformat(about["createdAt"].replace("Z", "+00:00"))
    return float(int(moment.timestamp()))


def _run_record(path: RunPath, about: Mapping[str, Any]) -> bytes:
    return encode(
        "Run",
        {
            "run_id": path.run,
            "entity": path.entity,
            "project": path.project,
            "run_group": about["group"] or "",
            "job_type": about["jobType"] or "",
            "display_name": about["displayName"] or "",
            "notes": about["notes"] or "",
            "tags": about["tags"] or [],
            "sweep_id": about["sweepName"] or "",
            "host": about["host"] or "",
            "start_time": {"seconds": int(_created(about))},
        },
    )


def _row(text: str) -> bytes:
    return write_items(_leaves(json.loads(text)))


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Items:
    """Each value with the keys that lead to it, as wandb's own log holds them."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), json.dumps(value, ensure_ascii=False)


def _config(json_text: str | None) -> Items:
    config = json.loads(json_text or "{}")
    return _values({key: entry["value"] for key, entry in config.items() if "value" in entry})


def _values(values: Mapping[str, Any]) -> Items:
    for key, value in values.items():
        yield (key,), json.dumps(value, ensure_ascii=False)


def _stats(sample: Mapping[str, Any]) -> bytes:
    time = sample["_timestamp"]
    # A float near 1.7e9 resolves 240 ns, so these nanoseconds give the same one again.
    stamp = {"seconds": int(time), "nanos": round((time - int(time)) * 1e9)}
    items = [
        {"key": name.removeprefix(_PREFIX), "value_json": json.dumps(value)}
        for name, value in sample.items()
        if name.startswith(_PREFIX) or name == "_runtime"
    ]
    return encode("Stats", {"timestamp": stamp, "item": items})


def _environment(about: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
    git = metadata.get("git") or {}
    return encode(
        "Environment",
        {
            "program": metadata.get("program") or "",
            "code_path": metadata.get("codePath") or "",
            "host": metadata.get("host") or about["host"] or "",
            "git": {
                "commit": git.get("commit") or about["commit"] or "",
                "remote_url": git.get("remote") or "",
            },
        },
    )


def _exit(about: Mapping[str, Any]) -> bytes:
    runtime = json.loads(about["summaryMetrics"] or "{}").get("_runtime") or 0
    return encode("Exit", {"exit_code": _EXIT_CODES[about["state"]], "runtime": int(runtime)})


def _artifact(server: Server, artifact: ServerArtifact, folder: Path | None) -> bytes:
    """The record of an artifact, its files fetched into `folder`; of one that was used, none."""
    entries = read_entries(server, artifact)
    addresses: dict[str, str] = {}
    if folder and not artifact.is_used and any("ref" not in entry for entry in entries.values()):
        addresses = read_addresses(server, artifact)
    contents = []
    for name, entry in entries.items():
        found = {"path": name, "digest": entry["digest"], "size": entry.get("size") or 0}
        if "ref" in entry:
            found["ref"] = entry["ref"]
        elif folder and name in addresses:
            # Under its digest, since a later version may have a file of the same name.
            target = folder / entry["digest"].replace("/", "_")
            if not target.exists():
                server.download(addresses[name], target, entry["digest"])
            found["local_path"] = os.fspath(target.absolute())
        contents.append(found)
    return encode(
        "Artifact",
        {
            "name": artifact.name,
            "type": artifact.type,
            "digest": artifact.digest,
            "metadata": json.dumps(artifact.metadata),
            "use_after_commit": artifact.is_used,
            "aliases": artifact.aliases,
            "manifest": {"contents": contents},
        },
    )
