"""Download everything that a run logged into a `.wandb` file with its files beside it.

The exporter then reads it like a log that was written here. Rows are written page by page, so that
a download that failed continues after the last row it has written.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError, ServerError
from caduceus.io.names import is_safe_name, is_safe_path, quoted
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.answers import Answer
from caduceus.server.artifacts import ServerArtifact, read_artifacts, read_entries, read_urls
from caduceus.server.client import Server
from caduceus.server.metric_definitions import metric_records
from caduceus.server.runs import (
    ServerRun,
    read_about,
    read_events,
    read_files,
    read_history,
)
from caduceus.server.tables import client_ids, read_tables
from caduceus.system.wandb_account import find_account
from caduceus.wandb_log import LogError, LogWriter, Segment, iter_rows
from caduceus.wandb_log.records import HISTORY, SUMMARY
from caduceus.wandb_log.segments import SECOND, is_programs_file
from caduceus.wandb_log.stitching import METRIC, step_of
from caduceus.wandb_log.wire import encode
from caduceus.wandb_log.writing import ARTIFACT, CONFIG, ENVIRONMENT, EXIT, RUN, STATS, write_items

_METADATA = "wandb-metadata.json"
_FLUSHED_ROWS = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXIT_CODES = {"finished": 0, "failed": 1, "crashed": 1, "killed": 1}
_PREFIX = "system."  # of the names of W&B's own system metrics
Items = Iterator[tuple[tuple[str, ...], str]]


@dataclass(frozen=True)
class _Metadata:
    """The program of a run, by its metadata file; empty texts if there is no such file."""

    program: str = ""
    code_path: str = ""
    host: str = ""
    commit: str = ""
    remote: str = ""


def fetched_log(state: ServerState, folder: Path) -> Path:
    """Return the log of a run in this state; download it unless `folder` has it already.

    Args:
        state: the run and how far it has come.
        folder: takes the log, and state.json, the state that it was downloaded in.

    Raises:
        AccountError: no account is set up.
        ServerError: a download failed; the next call continues from there.
        ResultError: the run has an id that can't name a file.
    """
    if not is_safe_name(state.path.run):
        raise ResultError(f"the run's id {quoted(state.path.run)} can't name a file", str(folder))
    log, state_json = folder / f"run-{state.path.run}.wandb", folder / "state.json"
    if not (log.exists() and ServerState.read_if_there(state_json) == state):
        fetch_log(Server(find_account()), state, log)
        state.write(state_json)
    return log


def fetch_log(server: Server, state: ServerState, log: Path, with_files: bool = True) -> None:
    """Download everything that a run logged, up to its `state`.

    Args:
        server: the server.
        state: the run and how far it has come.
        log: takes the log; files/ and artifacts/ are written beside it.
        with_files: whether to download media, the files of artifacts and saved files too.

    Raises:
        ServerError: a download failed; the next call continues from there.
    """
    path, folder = state.path, log.parent
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = log.with_name(f"{log.name}.part")
    about = read_about(server, path)
    files = read_files(server, path)
    metadata = _metadata(server, files.get(_METADATA))
    rows, last, clients = _downloaded_rows(unfinished, about)
    with LogWriter(unfinished) as writer:
        if not writer.last_record:
            writer.append(RUN, _run_record(path, about))
        for row in read_history(server, path, last + 1, state.last_step, state.rows):
            writer.append(HISTORY, _row(row))
            clients += client_ids(row.value)
            rows += 1
            if rows % _FLUSHED_ROWS == 0:
                writer.flush()
        if rows >= state.rows:
            target = folder / "artifacts" if with_files else None
            clients += client_ids(about.summary_text)
            has_tables = any(name.startswith("media/table/") for name in files)
            tables = list(dict.fromkeys(clients)) if has_tables else None
            for record in list(_records_after_rows(server, path, about, metadata, target, tables)):
                writer.append(*record)
    if rows < state.rows:
        unfinished.unlink()  # the missing rows may lie before those that we have
        raise ServerError(
            f"returned {rows} of {state.rows} rows; try again; if the numbers stay the same, the "
            "server has lost rows: where the run was trained, delete it on the server, and "
            f"`caduceus sync {path.run}` sends all rows",
            str(path),
        )
    for name, url in files.items() if with_files else ():
        is_logged = name.startswith("media/") or is_programs_file(name)
        if is_logged and is_safe_path(name):
            server.download(url, folder / "files" / name)
        elif name.startswith("media/"):
            print(f"{path}: left out, as it can't name a file: {quoted(name)}", file=sys.stderr)
    unfinished.replace(log)


def _records_after_rows(
    server: Server,
    path: RunPath,
    about: ServerRun,
    metadata: _Metadata,
    artifacts: Path | None,
    tables: Sequence[str] | None,
) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of the log's records after the rows."""
    for sample in read_events(server, path, about.events):
        yield STATS, _stats(sample.parsed())
    yield ENVIRONMENT, _environment(about, metadata)
    yield CONFIG, write_items(_values(about.config))
    yield from ((METRIC, content) for content in metric_records(about.config))
    yield SUMMARY, write_items(_values(about.summary))
    for artifact in read_artifacts(server, path):
        yield ARTIFACT, _artifact(server, artifact, artifacts)
    if artifacts and tables is not None:
        for client, table in read_tables(server, path, tables):
            yield ARTIFACT, _artifact(server, table, artifacts, client)
    if about.state in _EXIT_CODES:
        yield EXIT, _exit(about)


def _downloaded_rows(log: Path, about: ServerRun) -> tuple[int, int, list[str]]:
    """Return the rows of an earlier, failed download: their number and what is in them.

    The file is deleted if a download can't continue it.

    Returns:
        The number of rows, the last step (-1: none), and from `client_ids` their tables.
    """
    rows, last = 0, -1
    clients: list[str] = []
    if not log.exists():
        return rows, last, clients
    segment = Segment(log)
    try:
        for row in iter_rows(segment):
            rows, last = rows + 1, step_of(row)
            clients += (client for text in row.values() for client in client_ids(text))
    except LogError:
        segment.run = None
    is_same = segment.run is not None and segment.run.start_ns == _created_ns(about)
    is_past_rows = segment.stats or segment.environment or segment.config or segment.summary
    if is_same and not is_past_rows and not segment.artifacts and segment.exit_code is None:
        return rows, last, clients
    log.unlink()  # damaged, the log of another run of this id, or with records after the rows
    return 0, -1, []


def _created_ns(about: ServerRun) -> int:
    since = about.created_at - _EPOCH
    return (since.days * 86400 + since.seconds) * SECOND + since.microseconds * 1000


def _run_record(path: RunPath, about: ServerRun) -> bytes:
    seconds, nanos = divmod(_created_ns(about), SECOND)
    return encode(
        "Run",
        {
            "run_id": path.run,
            "entity": path.entity,
            "project": path.project,
            "run_group": about.group,
            "job_type": about.job_type,
            "display_name": about.name,
            "notes": about.notes,
            "tags": about.tags,
            "sweep_id": about.sweep,
            "host": about.host,
            "start_time": {"seconds": seconds, "nanos": nanos},
        },
    )


def _row(row: Answer) -> bytes:
    values = row.parsed()
    values["_step"].whole_number()
    return write_items(_leaves(values.value))


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Items:
    """Yield each value with its path of keys, which is how wandb's own log stores a row."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), json.dumps(value, ensure_ascii=False)


def _values(values: Mapping[str, Any]) -> Items:
    for key, value in values.items():
        yield (key,), json.dumps(value, ensure_ascii=False)


def _stats(sample: Answer) -> bytes:
    time = sample["_timestamp"].number()
    # A float near 1.7e9 has a resolution of 240 ns, so whole nanoseconds restore it exactly.
    stamp = {"seconds": int(time), "nanos": round((time - int(time)) * 1e9)}
    items = [
        {"key": name.removeprefix(_PREFIX), "value_json": json.dumps(value)}
        for name, value in sample.value.items()
        if name.startswith(_PREFIX) or name == "_runtime"
    ]
    return encode("Stats", {"timestamp": stamp, "item": items})


def _metadata(server: Server, url: str | None) -> _Metadata:
    if url is None:
        return _Metadata()
    found = server.read_json(url)
    git = found.optional("git")
    return _Metadata(
        program=found.optional("program").text(""),
        code_path=found.optional("codePath").text(""),
        host=found.optional("host").text(""),
        commit="" if git.is_null else git.optional("commit").text(""),
        remote="" if git.is_null else git.optional("remote").text(""),
    )


def _environment(about: ServerRun, metadata: _Metadata) -> bytes:
    return encode(
        "Environment",
        {
            "program": metadata.program,
            "code_path": metadata.code_path,
            "host": metadata.host or about.host,
            "git": {
                "commit": metadata.commit or about.commit,
                "remote_url": metadata.remote,
            },
        },
    )


def _exit(about: ServerRun) -> bytes:
    given = about.summary.get("_runtime")  # a program may have set anything
    runtime = int(given) if isinstance(given, int | float) and 0 <= given < 2**31 else 0
    return encode("Exit", {"exit_code": _EXIT_CODES[about.state], "runtime": runtime})


def _artifact(
    server: Server, artifact: ServerArtifact, folder: Path | None, client: str = ""
) -> bytes:
    """Return the record of an artifact; download its files into `folder` if the run logged it."""
    entries = read_entries(server, artifact)
    target = None if artifact.is_used else folder
    has_files = any("ref" not in dict(entry.fields()) for entry in entries.values())
    urls = read_urls(server, artifact) if target and has_files else {}
    contents = []
    for name, entry in entries.items():
        digest = entry["digest"].text()
        found: dict[str, Any] = {"path": name, "digest": digest}
        found["size"] = entry.optional("size").whole_number(0)
        if "ref" in entry.value:
            found["ref"] = entry["ref"].text()
        elif target:
            if name not in urls:
                raise ServerError(f"the server doesn't have its file {name}", artifact.name)
            # Named by its digest, since a later version may have a file of the same name.
            file_name = digest.replace("/", "_")
            if not is_safe_name(file_name):
                raise ServerError(f"its file {quoted(name)} has no digest", artifact.name)
            file = target / file_name
            if not file.exists():
                server.download(urls[name], file, digest)
            found["local_path"] = os.fspath(file.absolute())
        contents.append(found)
    return encode(
        "Artifact",
        {
            "name": artifact.name,
            "type": artifact.type,
            "digest": artifact.digest,
            "description": artifact.description,
            "metadata": json.dumps(artifact.metadata),
            "use_after_commit": artifact.is_used,
            "aliases": artifact.aliases,
            "manifest": {"contents": contents},
            "client_id": client,
        },
    )
