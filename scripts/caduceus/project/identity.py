"""Who a run is in W&B."""

from collections.abc import Mapping
from typing import Any

from caduceus.project.experiments import Experiment, Run


def identity(experiment: Experiment, run: Run, wandb_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Who the run is in W&B, as run.json holds it.

    Args:
        experiment: the run's experiment.
        run: the run.
        wandb_settings: mode, entity, project, patience_s, scratch, and artifact_types by name.

    Returns:
        `id`, `name`, `experiment`, `variant`, `seed`, `mode`, `entity`, `project`, `group`,
        `job_type`, `tags`, `notes`, `config` (what W&B shows as the run's configuration),
        `artifact_types` (the declared ones), `patience_s` (for a server that doesn't answer),
        `scratch` (where W&B's folder lies while the program runs; null for the run's own), `sweep`
        (the id of the one that chose its parameters, or null), `keep_checkpoints` and `url` (null
        unless it goes to a server). Of a trial that a server chose, `init_run` adds `handed_out`,
        its id there.
    """
    spec = experiment.spec
    dataset = spec["dataset"] and spec["dataset"]["name"]
    sweep = experiment.sweep.id if experiment.sweep else None
    tags = [spec["id"], spec["type"], *([f"dataset-{dataset}"] if dataset else []), *spec["tags"]]
    tags += [sweep] if sweep else []
    about = {
        "experiment": spec["id"],
        "hypothesis": spec["hypothesis"],
        "baseline": spec["baseline"],
        "dataset": dataset,
    }
    return {
        "id": run.id,
        "name": experiment.run_name(run),
        "experiment": spec["id"],
        "variant": run.variant,
        "seed": run.seed,
        "sweep": sweep,
        "mode": wandb_settings["mode"],
        "entity": wandb_settings["entity"],
        "project": wandb_settings["project"],
        "group": spec["group"],
        "job_type": "train",
        "tags": list(dict.fromkeys(tags)),
        "notes": spec["description"].strip(),
        # What isn't set here stays the program's own to set.
        "config": {k: v for k, v in about.items() if v} | run.parameters | {"seed": run.seed},
        "artifact_types": list(wandb_settings["artifact_types"]),
        "patience_s": wandb_settings["patience_s"],
        "keep_checkpoints": spec["keep_checkpoints"],
        "scratch": wandb_settings["scratch"],
        "url": None,
    }
