"""Sweeps on a W&B server: each of ours is made there once, and its runs belong to it.

W&B gives a sweep its id. The receipt work/server.json in the sweep's folder keeps it, of each
server and project that it was made on.
"""

import yaml

from caduceus.errors import ServerError
from caduceus.io.files import read_json, write_json
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.sweeps.folders import SweepFolder
from caduceus.system import leases

_UPSERT = """
mutation UpsertSweep($entity: String, $project: String, $config: String, $description: String) {
  upsertSweep(input: {
    entityName: $entity, projectName: $project, config: $config, description: $description
  }) { sweep { name } }
}
"""


def sweep_on_server(folder: SweepFolder, server: Server, project: ProjectPath) -> str:
    """W&B's id of a sweep, which is made if the server hasn't got it.

    Args:
        folder: the sweep's.
        server: the server.
        project: the project of its runs there.

    Raises:
        ServerError: the server refuses, or can't be asked.
    """
    receipt = folder.path / "work/server.json"
    lease, lock = folder.path / "work/server.lease", folder.path / "work/server.lock"
    with leases.held(lease, lock, waits=lambda where: None):
        known = read_json(receipt) if receipt.exists() else []
        for made in known:
            if (made["server"], made["project"]) == (server.account.base_url, str(project)):
                return str(made["sweep"])
        config = {"name": folder.path.name} | dict(folder.config().raw)
        if read_json(folder.plan)["engine"] == "wandb":
            config.pop("run_cap", None)  # how many there are is counted here, and may be raised
        answer = server.query(
            _UPSERT,
            **project.variables,
            config=yaml.safe_dump(config, sort_keys=False),
            description=config.get("description"),
        )
        try:
            name = str(answer["upsertSweep"]["sweep"]["name"])
        except (KeyError, TypeError):
            raise ServerError("it made no sweep", str(project)) from None
        made = {"server": server.account.base_url, "project": str(project), "sweep": name}
        write_json(receipt, [*known, made])
        return name
