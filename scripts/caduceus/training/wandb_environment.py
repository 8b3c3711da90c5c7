"""What wandb is told through the environment, so that an unchanged program logs as its run."""

import os
from pathlib import Path

from caduceus.io.files import write_json
from caduceus.runs.files.identity import Identity
from caduceus.system.wandb_account import dotenv_variables

# The same list as in shim/caduceus_shim/first_process.py.
RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def of_run(identity: Identity, folder: Path) -> dict[str, str]:
    """The variables under which `wandb.init()` starts the run, and logs below `folder`.

    What .env in the folder we work in says comes first, then the run's identity. The shim
    puts the run's parameters into `wandb.config`.

    The program logs offline in either mode: what it logs reaches a server from its log, and
    nothing that happens to the server reaches the program.
    """
    folder = folder.absolute()
    config = folder / "config.json"
    write_json(config, identity.config)
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
        # Where copies of artifacts wait for a sync: inside the run, so that they move with it.
        "WANDB_DATA_DIR": str(folder / "data"),
        # A killed run loses a quarter of a second of its log, not fifteen (it costs nothing).
        "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "0.25",
    }
    if identity.notes:
        environment["WANDB_NOTES"] = identity.notes
    if identity.entity:
        environment["WANDB_ENTITY"] = identity.entity
    return environment


def rank() -> str | None:
    """The variable that says we aren't the first of several processes; None if none does.

    The shim goes by the same ones.
    """
    found = next((name for name in RANKS if os.environ.get(name)), None)
    return None if found is None or os.environ[found] == "0" else f"{found}={os.environ[found]}"


def with_shim(python_path: str) -> str:
    """PYTHONPATH that lets Python run shim/sitecustomize.py before a program.

    What is said to `wandb.init` itself would win over the environment; the shim sees to that.
    """
    shim = str(Path(__file__).parent / "shim")
    return os.pathsep.join([shim, python_path]) if python_path else shim
