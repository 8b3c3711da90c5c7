"""When the W&B account is checked again: before runs get an identity, and at no other time."""

from collections.abc import Iterable
from pathlib import Path

from caduceus.io.files import digest_text, read_json


def checked_for(account: Path, runs: Iterable[Path]) -> str:
    """Return what the check of an account is for, by which Snakemake knows whether it is due.

    Args:
        account: results/account.json, the record of the last check.
        runs: the folders of the planned runs.

    Returns:
        A digest of the runs without an identity. If all have one, it is that of the last check, so
        that none is due; empty if there was none.
    """
    waiting = sorted(run.name for run in runs if not (run / "run.json").exists())
    if waiting:
        return digest_text("\n".join(waiting))
    return str(read_json(account).get("checked_for", "")) if account.exists() else ""
