"""Sweeps on a W&B server: each of ours is created there once, and its runs belong to it.

W&B chooses the id of a sweep. work/server.json in the sweep's folder records it for each server and
project on which the sweep was created.
"""

import yaml

from caduceus.io.files import write_json
from caduceus.runs.files.sweep import ServerSweep
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


def find_or_create_sweep(folder: SweepFolder, server: Server, project: ProjectPath) -> str:
    """Return W&B's id of a sweep; create the sweep if the server doesn't have it.

    Args:
        folder: the sweep's folder.
        server: the server.
        project: the project of its runs there.

    Raises:
        ServerError: the server refuses, or can't be reached.
    """
    receipt = folder.path / "work/server.json"
    lease, lock = folder.path / "work/server.lease", folder.path / "work/server.lock"
    with leases.held(lease, lock, on_wait=lambda where: None):
        known = ServerSweep.read_list(receipt)
        for created in known:
            if (created.server, created.project) == (server.account.base_url, str(project)):
                return created.sweep
        config = {"name": folder.path.name} | dict(folder.config().raw)
        if isinstance(rule := config.get("early_terminate"), dict):
            config["early_terminate"] = {k: v for k, v in rule.items() if k != "axis"}  # ours alone
        if folder.read_plan().is_chosen_by_server:
            config.pop("run_cap", None)  # we count the trials ourselves, and may raise the number
        answer = server.query(
            _UPSERT,
            **project.variables,
            config=yaml.safe_dump(config, sort_keys=False),
            description=config.get("description"),
        )
        name = answer["upsertSweep"]["sweep"]["name"].text()
        created = ServerSweep(server=server.account.base_url, project=str(project), sweep=name)
        write_json(receipt, [entry.to_json() for entry in (*known, created)])
        return name
