"""For training programs that want more than `wandb.log`: start, log, save, in a line each.

    from caduceus import tracking

    with tracking.start() as run:
        for step in range(run.restore(model=model, optimizer=optimizer), steps):
            ...
            run.log({"train/loss": loss}, step=step)
            run.checkpoint(step)
        run.save_model(path, {"test/accuracy": accuracy})

Under Caduceus the run gets its identity, parameters, dataset and folders. Started by hand, the same
program is a plain wandb run with its files in ./output and without checkpoints.
"""

from caduceus.tracking.run import (
    DivergedError,
    TrackedRun,
    dataset_path,
    output_folder,
    start,
)

__all__ = ["DivergedError", "TrackedRun", "dataset_path", "output_folder", "start"]
