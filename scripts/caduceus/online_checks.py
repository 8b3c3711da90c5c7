"""Is a set-up fit to track online? A test run takes the way that every run takes, and is looked at.

The run goes to the project `caduceus-verification` of the same owner, so that the user's own
project stays clean.
"""

import csv
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caduceus import nvml, processes, wandb_environment
from caduceus.accounts import Account, find_account
from caduceus.attempts import Attempt, console_path, summarize, write_attempt
from caduceus.deliveries import compare, deliver
from caduceus.errors import CaduceusError
from caduceus.exports import export_logs
from caduceus.files import files_below, read_json, write_json, write_whole
from caduceus.runs import RunFolder
from caduceus.server import Server
from caduceus.server_logs import fetch_log
from caduceus.server_runs import RunPath, check_access, read_about

PROJECT = "caduceus-verification"
_GROUP, _TAG = "verification", "caduceus-verify"
_PROGRAM = "caduceus.verification_run"
_LIMIT_S = 120.0
_SWEEP = {"method": "random", "parameters": {"rate": {"values": [0.1, 0.2]}}}


@dataclass(frozen=True)
class Check:
    """A thing that must work: whether it does, how that was seen, and what mends it."""

    name: str
    is_ok: bool
    evidence: str
    mend: str = ""

    def __str__(self) -> str:
        if self.is_ok:
            return f"ok    {self.name}: {self.evidence}"
        return f"FAIL  {self.name}: {self.evidence}\n      to mend it: {self.mend}"


def check_online(wandb_settings: Mapping[str, Any]) -> Iterator[Check]:
    """Check a set-up with a server, one thing after the other.

    Args:
        wandb_settings: `wandb` of config.yaml: entity, project, patience_s.
    """
    try:
        account = find_account()
        server = Server(account, patience_s=2)
        entity = check_access(server, wandb_settings["entity"], wandb_settings["project"])
        check_access(server, entity, PROJECT)
    except CaduceusError as error:
        yield Check("login works", False, str(error), "as the line says")
        return
    yield Check("login works", True, f"{entity} on {account.base_url}, key from {account.key_from}")
    with tempfile.TemporaryDirectory(prefix="caduceus-verify-") as parent:
        account.use(Path(parent, "logs"))
        folder = RunFolder(Path(parent, "runs", f"verify-{secrets.token_hex(4)}"))
        path = RunPath(entity, PROJECT, folder.path.name)
        said = _make_run(folder, account, path)
        if said:
            yield Check("a test run logs", False, said, "see that wandb and torch can be imported")
            return
        delivery = deliver(folder, server, entity, wandb_settings["patience_s"])
        state, found = None, list[str]()
        if not delivery["error"]:
            state, found = compare(folder, server, path, with_files=True)
        yield Check(
            "a test run logs",
            state is not None,
            f"{account.url}/{entity}/{PROJECT}/runs/{path.run}" if state else delivery["error"],
            "see to the network and to proxies; then try again",
        )
        if state is not None:
            fetched = Path(parent, "fetched", f"run-{path.run}.wandb")
            fetch_log(server, state, fetched)
            export_logs([fetched], Path(parent, "export"))
            yield from _look_at(Path(parent, "export"), found, read_about(server, path))
        yield _check_sweep(account, entity)


def _make_run(folder: RunFolder, account: Account, path: RunPath) -> str:
    """Run the program as a run is run; returns what went wrong."""
    spec = folder.path / "verification.yaml"
    write_whole(spec, "id: verification\n")
    identity = {
        "id": path.run,
        "name": path.run,
        "experiment": "verification",
        "variant": "",
        "seed": 0,
        "mode": "online",
        "entity": path.entity,
        "project": path.project,
        "group": _GROUP,
        "job_type": "verify",
        "tags": [_TAG],
        "notes": "Made by `caduceus verify --online`; may be deleted.",
        "config": {"seed": 0},
    }
    write_json(folder.path / "run.json", identity)
    output = folder.path / "output"
    environment = (
        os.environ
        | wandb_environment.of_run(identity, folder.wandb(1))
        | {
            "CADUCEUS_RUN": str(folder.path / "run.json"),
            "CADUCEUS_EXPERIMENT": str(spec),
            "CADUCEUS_OUTPUT_DIR": str(output),
        }
    )
    console = console_path(folder.attempts, 1)
    console.parent.mkdir(parents=True)
    with console.open("wb") as stream:
        outcome = processes.run(
            [sys.executable, "-m", _PROGRAM], Path(), environment, stream, _LIMIT_S
        )
    attempt: Attempt = {
        "attempt": 1,
        "state": "finished" if outcome.exit_code == 0 else "failed",
        "resumed_from": None,
        "lost_s": None,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "gpus": [],
        "exit_code": outcome.exit_code,
        "error": None,
        "output": {},
        "wall_s": outcome.wall_s,
        "cpu_s": outcome.cpu_s,
        "peak_memory_gb": outcome.peak_memory_bytes / 1e9,
    }
    write_attempt(folder.attempts, attempt)
    write_json(folder.path / "train.json", summarize(path.run, [attempt]))
    if outcome.exit_code == 0:
        return ""
    return (console.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]


def _look_at(export: Path, different: Sequence[str], about: Mapping[str, Any]) -> Iterator[Check]:
    """What has arrived, as it was exported from the server."""
    with (export / "metrics_history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (export / "system_metrics.csv").open(newline="") as stream:
        system = [name for name in next(csv.reader(stream)) if name.startswith("system")]
    summary = read_json(export / "run_summary.json")
    again = "type the command again; if it stays so, the server loses data"
    metrics = [line for line in different if line.startswith(("metrics", "summary"))]
    yield Check(
        "metrics arrive", bool(rows) and not metrics, _said(metrics, len(rows), "rows"), again
    )
    media = [line for line in different if line.startswith("media")]
    files = files_below(export / "media")
    yield Check("media arrive", bool(files) and not media, _said(media, len(files), "files"), again)
    artifacts = [line for line in different if line.startswith("artifacts")]
    digests = [f"{a['name']} {a['digest']}" for a in summary["artifacts"]]
    yield Check(
        "artifacts come back with equal digests",
        bool(digests) and not artifacts,
        "; ".join(artifacts or digests),
        "see that the server's file store can be reached from here",
    )
    yield Check(
        "the export from the server equals the local one",
        not different,
        "; ".join(different) or "every byte, times and system metrics too",
        again,
    )
    gpus = len(nvml.visible_gpus())
    has_gpu = "system/gpu_utilization" in system
    yield Check(
        "system metrics are there",
        bool(system) and has_gpu == bool(gpus),
        f"{len(system)} of them; GPUs seen here: {gpus}",
        "see that the NVIDIA driver works: nvidia-smi",
    )
    commit = summary["git"]["commit"]
    yield Check(
        "the git commit is captured",
        bool(commit),
        commit or "none",
        "work in a git repository with a commit, and unset WANDB_DISABLE_GIT",
    )
    named = {"group": about["group"], "tags": about["tags"]}
    yield Check(
        "tags and groups are right",
        named == {"group": _GROUP, "tags": [_TAG]},
        str(named),
        "unset WANDB_TAGS and WANDB_RUN_GROUP in the environment",
    )


def _said(wrong: list[str], count: int, what: str) -> str:
    return "; ".join(wrong) or f"{count} {what}, equal to the last byte"


def _check_sweep(account: Account, entity: str) -> Check:
    from caduceus import wandb_sdk

    try:
        sweep = wandb_sdk.create_sweep(_SWEEP, entity, PROJECT)
    except CaduceusError as error:
        return Check("a sweep can be created", False, str(error), "ask for the right to do so")
    where = f"{account.url}/{entity}/{PROJECT}/sweeps/{sweep}"
    return Check("a sweep can be created", True, where)
