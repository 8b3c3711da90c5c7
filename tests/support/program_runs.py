"""Programs that are started as `caduceus train` starts them, and what they logged."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from caduceus.training import wandb_environment
from caduceus.wandb_log import Segment, find_logs, read_log
from run_files import identity

RUN = "toy-0123456789ab"
IDENTITY = identity(
    RUN,
    name="toy seed=0",
    tags=("toy",),
    config={"batch_size": 64, "model": {"width": 128}, "seed": 0},
)


def start(
    project: Path,
    code: str,
    python: str = sys.executable,
    arguments: Sequence[str] = (),
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a program of a project as `caduceus train` does, and return how it ended."""
    program = project / "program.py"
    program.write_text(code)
    work = project / "results/runs" / RUN
    for folder in (work / "wandb", work / "used"):
        folder.mkdir(parents=True, exist_ok=True)
    IDENTITY.write(work / "run.json")
    environment = os.environ | wandb_environment.of_run(IDENTITY, work / "wandb")
    environment |= {
        "CADUCEUS_RUN": str(work / "run.json"),
        "CADUCEUS_PROJECT_DIR": str(project),
        "CADUCEUS_USED": str(work / "used"),
        "PYTHONPATH": wandb_environment.with_shim(os.environ.get("PYTHONPATH", "")),
    }
    # Files, not pipes: a service of wandb before 0.18 outlives a killed program.
    with (project / "out.txt").open("w") as out, (project / "err.txt").open("w") as err:
        done = subprocess.run(
            [python, str(program), *arguments],
            cwd=project,
            env=environment | variables,
            stdout=out,
            stderr=err,
            timeout=1200,
        )
    _end_services(environment["CADUCEUS_RUN"])
    printed = [(project / name).read_text() for name in ("out.txt", "err.txt")]
    return subprocess.CompletedProcess(done.args, done.returncode, *printed)


def _end_services(run: str) -> None:
    """End the processes that a program has left behind, as `caduceus train` does."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("CADUCEUS_RUN") == run:
                process.terminate()
                process.wait(300)


def logged(project: Path) -> dict[str, Segment]:
    """The segment of each run, by its id."""
    segments = [read_log(log) for log in find_logs(project / "results/runs" / RUN)]
    return {segment.run.id: segment for segment in segments if segment.run}
