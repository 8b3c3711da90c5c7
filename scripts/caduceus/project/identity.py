"""A run's identity in W&B."""

from caduceus.project.experiments import Experiment, asks_for_seed
from caduceus.project.settings import WandbSettings
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Run


def identity(experiment: Experiment, run: Run, wandb: WandbSettings) -> Identity:
    """Return the content of run.json before the run has a page on a server.

    Args:
        experiment: the run's experiment.
        run: the run.
        wandb: `wandb` of config.yaml.
    """
    spec = experiment.spec
    dataset = spec.dataset.name if spec.dataset else None
    sweep = experiment.sweep.id if experiment.sweep else None
    tags = [spec.id, spec.type, *([f"dataset-{dataset}"] if dataset else []), *spec.tags]
    tags += [sweep] if sweep else []
    about = {
        "experiment": spec.id,
        "hypothesis": spec.hypothesis,
        "baseline": spec.baseline,
        "dataset": dataset,
    }
    return Identity(
        id=run.id,
        name=run.name,
        experiment=spec.id,
        variant=run.variant,
        seed=run.seed,
        sweep=sweep,
        mode=wandb.mode,
        entity=wandb.entity,
        project=wandb.project,
        group=spec.group,
        job_type="train",
        tags=tuple(dict.fromkeys(tags)),
        notes=spec.description.strip(),
        # The program may set all other keys itself.
        config={
            **{key: value for key, value in about.items() if value},
            **run.definition.parameters,
            **({"seed": run.seed} if asks_for_seed(spec, run.trial) else {}),
        },
        artifact_types=wandb.known_artifact_types,
        patience_s=wandb.patience_s,
        keep_checkpoints=spec.keep_checkpoints,
        scratch=wandb.scratch,
        url=None,
    )
