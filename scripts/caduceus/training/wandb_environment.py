"""The environment variables that make an unchanged program log as its run."""

import os
from pathlib import Path

from caduceus.io.files import write_json, write_whole
from caduceus.runs.files.identity import Identity
from caduceus.system.wandb_account import dotenv_variables

SHIM = Path(__file__).parent / "shim"
# shim/caduceus_shim/first_process.py repeats this list, since it imports nothing of Caduceus.
RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def of_run(identity: Identity, folder: Path) -> dict[str, str]:
    """Return the variables with which `wandb.init()` starts the run and logs below `folder`.

    The run's identity takes precedence over .env in the current folder. The shim puts the run's
    parameters into `wandb.config`.

    The program logs offline in either mode. Online, an uploader sends its log to the server, so
    that nothing that happens to the server reaches the program.
    """
    folder = folder.absolute()
    config = folder / "config.json"
    write_json(config, identity.config)
    # It tells the program's own notes from the description, which may be edited later.
    write_whole(folder / "description.txt", identity.notes)
    environment = dotenv_variables() | {
        "WANDB_MODE": "offline",
        "WANDB_PROJECT": identity.project,
        "WANDB_RUN_ID": identity.id,
        "WANDB_RESUME": "allow",
        "WANDB_NAME": identity.name,
        "WANDB_RUN_GROUP": identity.group,
        "WANDB_JOB_TYPE": identity.job_type,
        "WANDB_TAGS": ",".join(identity.tags),
        "WANDB_DIR": str(folder),
        "CADUCEUS_WANDB_DIR": str(folder),
        "CADUCEUS_CONFIG": str(config),
        # Artifact staging: inside the run's folder, so that it moves with the run.
        "WANDB_DATA_DIR": str(folder / "data"),
        # A killed run loses 0.25 s of its log instead of 15 s; this costs nothing.
        "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "0.25",
    }
    if identity.notes:
        environment["WANDB_NOTES"] = identity.notes
    if identity.entity:
        environment["WANDB_ENTITY"] = identity.entity
    return environment


def rank() -> str | None:
    """Return the variable by which this isn't the first of several processes; None if none does.

    The shim reads the same variables.
    """
    found = next((name for name in RANKS if os.environ.get(name)), None)
    return None if found is None or os.environ[found] == "0" else f"{found}={os.environ[found]}"


def with_shim(python_path: str) -> str:
    """Return PYTHONPATH with the shim, which Python runs before a program.

    The program's own arguments of `wandb.init` would take precedence over the environment; the shim
    prevents that.
    """
    return os.pathsep.join([str(SHIM), python_path]) if python_path else str(SHIM)
