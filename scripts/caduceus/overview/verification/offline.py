"""Check that this set-up can track runs offline, without an account."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from caduceus.errors import AccountError, CaduceusError
from caduceus.exports.run import export_run_into
from caduceus.io.files import Json
from caduceus.overview.verification.checks import Check, look_at
from caduceus.overview.verification.test_run import make_run
from caduceus.runs.files.export import Summary
from caduceus.runs.folder import RunFolder
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.suggestions import suggest
from caduceus.system.wandb_account import find_account

_SWEEP: dict[str, Json] = {
    "method": "bayes",
    "metric": {"name": "val/accuracy", "goal": "maximize"},
    "parameters": {"learning_rate": {"min": 1e-4, "max": 1e-1}},
}


def check_offline() -> Iterator[Check]:
    """Yield the checks of a set-up without a server."""
    yield _check_login()
    with tempfile.TemporaryDirectory(prefix="caduceus-verify-") as parent:
        folder = RunFolder(Path(parent, "runs", f"verify-{secrets.token_hex(4)}"))
        failure = make_run(folder, "offline", None)
        logs = list(folder.work.rglob("*.wandb"))
        evidence = failure or (f"{logs[0].stat().st_size} bytes" if logs else "no log")
        mend = "check that wandb can be imported, and that the disk has space"
        yield Check("a test run logs", not failure and bool(logs), evidence, mend)
        if failure or not logs:
            return
        export = Path(parent, "export")
        try:
            export_run_into(folder, export, None)
        except CaduceusError as error:
            yield Check("the export works", False, str(error), "as the line says")
            return
        summary = Summary.read(export / "run_summary.json")
        yield from look_at(export, [], summary.group, summary.tags)
    yield _check_sweep()


def _check_login() -> Check:
    try:
        account = find_account()
    except AccountError:
        return Check("login works", True, "offline: no account is needed, and there is none")
    evidence = f"offline: not needed; there is a key for {account.base_url} ({account.key_from})"
    return Check("login works", True, evidence)


def _check_sweep() -> Check:
    try:
        found = suggest(read_config(_SWEEP, lambda keys: "verification"), "gp", 0, 0, [])
    except CaduceusError as error:
        return Check("a sweep can be initiated", False, str(error), "as the line says")
    return Check("a sweep can be initiated", found is not None, f"its first trial: {found}")
