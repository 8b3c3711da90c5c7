"""The test run of a verification, made the way every run is made."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from caduceus.io.files import write_whole
from caduceus.overview.verification import program
from caduceus.runs import source_code
from caduceus.runs.attempts import console_path, write_attempt
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.system import processes
from caduceus.training import wandb_environment

PROJECT = "caduceus-verification"  # so that the user's own project stays clean
GROUP, TAG = "verification", "caduceus-verify"
_LIMIT_S = 120.0


def make_run(folder: RunFolder, mode: str, entity: str | None) -> str:
    """Run the program as a run from the current folder; return what went wrong, if anything.

    Args:
        folder: the run's folder; its name is the run's id.
        mode: "offline" or "online".
        entity: the W&B user or team.
    """
    run = folder.path.name
    spec = folder.path / "verification.yaml"
    write_whole(spec, "id: verification\n")
    identity = Identity(
        id=run,
        name=run,
        experiment="verification",
        variant="",
        seed=0,
        mode=mode,
        entity=entity,
        project=PROJECT,
        group=GROUP,
        job_type="verify",
        tags=(TAG,),
        notes="Made by `caduceus verify`; may be deleted.",
        config={"seed": 0},
    )
    identity.write(folder.run_json)
    code = Path(program.__file__)
    source_code.snapshot([code], code.parent, folder.code)
    environment = (
        os.environ
        | wandb_environment.of_run(identity, folder.wandb(1))
        | {
            "CADUCEUS_RUN": str(folder.run_json),
            "CADUCEUS_EXPERIMENT": str(spec),
            "CADUCEUS_OUTPUT_DIR": str(folder.output),
        }
    )
    console = console_path(folder.attempts, 1)
    console.parent.mkdir(parents=True)
    with console.open("wb") as stream:
        outcome = processes.run(
            [sys.executable, "-m", program.__name__], Path(), environment, stream, _LIMIT_S
        )
    attempt = Attempt(
        attempt=1,
        state="finished" if outcome.exit_code == 0 else "failed",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        exit_code=outcome.exit_code,
        wall_s=outcome.wall_s,
        cpu_s=outcome.cpu_s,
        peak_memory_gb=outcome.peak_memory_bytes / 1e9,
    )
    write_attempt(folder.attempts, attempt)
    Train.of(run, [attempt]).write(folder.train_json)
    if outcome.exit_code == 0:
        return ""
    return (console.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
