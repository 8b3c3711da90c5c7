"""The environment variables that tell a program of its run, apart from those of wandb."""

import os
from pathlib import Path

from caduceus.runs import command_line, source_code
from caduceus.runs.folder import RunFolder
from caduceus.training import wandb_environment


def program_environment(
    folder: RunFolder, attempt: int, threads: int, dataset: Path | None
) -> dict[str, str]:
    """Return the variables of a program.

    Args:
        folder: the run's folder.
        attempt: the number of the attempt.
        threads: processor threads of the program.
        dataset: the record of the run's dataset, or None.
    """
    environment = {
        "CADUCEUS_RUN": str(folder.run_json.absolute()),
        "CADUCEUS_EXPERIMENT": str(folder.experiment.absolute()),
        "CADUCEUS_PROJECT_DIR": str(Path().absolute()),
        "CADUCEUS_OUTPUT_DIR": str(folder.program_output.absolute()),
        "CADUCEUS_CHECKPOINT_DIR": str(folder.checkpoints.absolute()),
        "CADUCEUS_USED": str(folder.used(attempt).absolute()),
        "CADUCEUS_RESTORED": str(folder.restored(attempt).absolute()),
        **dict.fromkeys(
            ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads)
        ),
    }
    python_path = source_code.snapshot_path(os.environ.get("PYTHONPATH", ""), Path(), folder.code)
    environment["PATH"] = command_line.search_path(os.environ.get("PATH", os.defpath))
    environment["PYTHONPATH"] = wandb_environment.with_shim(python_path)
    if dataset is not None:
        environment["CADUCEUS_DATASET"] = str(dataset.absolute())
    return environment
