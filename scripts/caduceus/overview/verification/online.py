"""Check that this set-up can track runs on a W&B server."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import CaduceusError
from caduceus.exports.run import export_logs
from caduceus.overview.verification.checks import Check, look_at
from caduceus.overview.verification.test_run import PROJECT, make_run
from caduceus.project.settings import WandbSettings
from caduceus.runs.folder import RunFolder
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log
from caduceus.server.run_sync import compare_with_server, sync_run
from caduceus.server.runs import read_about
from caduceus.system.wandb_account import Account, find_account

_SWEEP = {"method": "random", "parameters": {"rate": {"values": [0.1, 0.2]}}}


def check_online(settings: WandbSettings) -> Iterator[Check]:
    """Yield the checks of a set-up with a server.

    The run goes to the project `caduceus-verification` of the same owner.

    Args:
        settings: `wandb` of config.yaml.
    """
    try:
        account = find_account()
        server = Server(account, patience_s=2)
        planned = settings.path
        entity = check_access(server, planned).entity
        project = check_access(server, ProjectPath(entity, PROJECT))
    except CaduceusError as error:
        yield Check("login works", False, str(error), "as the line says")
        return
    yield Check("login works", True, f"{entity} on {account.base_url}, key from {account.key_from}")
    with tempfile.TemporaryDirectory(prefix="caduceus-verify-") as parent:
        account.use(Path(parent, "logs"))
        folder = RunFolder(Path(parent, "runs", f"verify-{secrets.token_hex(4)}"))
        path = project.run(folder.path.name)
        failure = make_run(folder, "online", entity)
        if failure:
            mend = "check that wandb can be imported"
            yield Check("a test run logs", False, failure, mend)
            return
        record = sync_run(folder, server, project, settings.patience_s)
        state, found = None, list[str]()
        if not record.error:
            state, found = compare_with_server(folder, server, path, with_files=True)
        yield Check(
            "a test run logs",
            state is not None,
            f"{account.url}/{project}/runs/{path.run}" if state else str(record.error),
            "check the network and proxies, then try again",
        )
        if state is not None:
            fetched = Path(parent, "fetched", f"run-{path.run}.wandb")
            fetch_log(server, state, fetched)
            export_logs([fetched], Path(parent, "export"))
            about = read_about(server, path)
            export = Path(parent, "export")
            yield from look_at(export, found, about.group, about.tags)
        yield _check_sweep(account, entity)


def _check_sweep(account: Account, entity: str) -> Check:
    from caduceus.system import wandb_sdk

    try:
        sweep = wandb_sdk.create_sweep(_SWEEP, entity, PROJECT)
    except CaduceusError as error:
        mend = "ask the project's owner for the right to create sweeps"
        return Check("a sweep can be initiated", False, str(error), mend)
    where = f"{account.url}/{entity}/{PROJECT}/sweeps/{sweep}"
    return Check("a sweep can be initiated", True, where)
