"""Runs that are interrupted, however and whenever, export what they would have."""

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from caduceus.exports.run import VOLATILE, VOLATILE_VALUES
from caduceus.runs.metric_names import is_system_metric
from caduceus.runs.preloads import VARIABLE, Preloads
from projects import Project, end

STEPS = 120
SHOWN = "results/paper/tables/accuracy.md"
TRAIN = '''\
"""A walk whose every step depends on all before it, and on three random generators."""

import argparse
import os
import random
import time
from pathlib import Path

import numpy as np
import wandb
from caduceus import tracking
from caduceus.data_order import batches

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--width", type=int)
parser.add_argument("--seed", type=int)
options = parser.parse_args()

random.seed(options.seed)
np.random.seed(options.seed)
own = np.random.default_rng(options.seed)
holds = Path(os.environ["CADUCEUS_PROJECT_DIR"], "holds")


class Model:
    def __init__(self):
        self.weights = np.zeros(options.width)

    def state_dict(self):
        return {"weights": self.weights.copy()}

    def load_state_dict(self, state):
        self.weights = state["weights"]


model = Model()
with tracking.start() as run:
    wandb.define_metric("noise", summary="min,max,mean,first,last")
    first = run.restore(model=model, own=own)
    best = run.restored.get("best", 0.0)
    order = batches(10, 4, options.seed, first)
    for step in range(first, STEPS):
        batch = next(order)
        noise = random.random() + np.random.random() + own.random()
        model.weights += options.rate * (noise + sum(batch))
        best = max(best, noise)
        run.log({"val/loss": 1 / (1 + model.weights.sum()), "noise": noise}, step=step)
        run.log({"val/accuracy": best / 10}, step=step)
        time.sleep(0.03)
        run.checkpoint(step, {"best": best}, every_s=0.2)
        while (holds / str(step)).exists():
            time.sleep(0.03)
            run.checkpoint(step, {"best": best}, every_s=0.2)
    run.log_curves(STEPS)
    output = tracking.output_folder()
    np.save(output / "model.npy", model.weights)
    run.save_model(output / "model.npy", {"best": best})
'''.replace("STEPS", str(STEPS))


def create(path: Path) -> Project:
    project = Project.create(path)
    project.write("experiments/train.py", TRAIN)
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]}, seeds=[0])
    return project


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one run that is ready to train."""
    project = create(tmp_path_factory.mktemp("planned") / "project")
    project.snakemake("--until", "init_run", "plan_run", "make_dataset").check()
    return project


@pytest.fixture
def walking(planned: Project, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of it; on a small disk of its own where the test fills it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    is_small = "disk" in request.node.name
    if is_small:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "small", folder])
        if mounted.returncode:
            pytest.skip("needs root, to mount a small disk")
    shutil.copytree(planned.path, folder / "project", symlinks=True)
    yield Project(folder / "project")
    if is_small:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The export of the run, never interrupted."""
    project = create(tmp_path_factory.mktemp("undisturbed") / "project")
    project.snakemake(SHOWN).check()
    return exported(project)


def exported(project: Project) -> dict[str, bytes]:
    """What an export says, but for times, host and system metrics."""
    (run,) = project.runs
    content = {
        path.relative_to(run).as_posix(): path.read_bytes()
        for folder in ("artifacts", "media", "output")
        for path in sorted((run / folder).rglob("*"))
        if path.is_file() and not path.name.endswith(".json")
    }
    with (run / "metrics_history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    kept = [{k: v for k, v in row.items() if k not in VOLATILE_VALUES} for row in rows]
    summary = json.loads((run / "run_summary.json").read_text())
    summary["summary"] = {k: v for k, v in summary["summary"].items() if not volatile(k)}
    summary = {key: value for key, value in summary.items() if key not in VOLATILE}
    content["metrics_history.csv"] = json.dumps(kept).encode()
    content["run_summary.json"] = json.dumps(summary).encode()
    return content | {"table": (project.path / SHOWN).read_bytes()}


def volatile(key: str) -> bool:
    return key in VOLATILE_VALUES or is_system_metric(key)


def last_checkpoint(project: Project) -> int:
    """The step of the last checkpoint; -1 without one."""
    names = [path.name for path in project.path.glob("results/runs/*/work/checkpoints/*.ckpt")]
    return max((int(name.partition("-")[0]) for name in names), default=-1)


Workflow = "subprocess.Popen[str]"
FORKED = "forked, "  # before the kind of a series whose program is forked from preloaded modules
PRELOADS = Preloads(os.getpid(), {"toy": ("numpy", "wandb")})


def begin(project: Project, kind: str) -> Workflow:
    """Start the training: by Snakemake if that is interrupted too, else as Snakemake does."""
    if kind in BY_SNAKEMAKE:
        project.caduceus("unlock").check()
        return project.begin(*project.command("--cores", "1", "--rerun-incomplete", SHOWN))
    (run,) = project.runs
    words = ["train", "results/datasets/points/dataset.json", "--retries-left", "9"]
    words += ["--out", str(run / "train.json"), "--log", f"results/logs/train/{run.name}.log"]
    forks = {VARIABLE: PRELOADS.variable} if kind.startswith(FORKED) else {}
    return project.begin(sys.executable, "-m", "caduceus", *words, **forks)


def processes_of(workflow: Workflow, project: Project) -> dict[str, psutil.Process]:
    """The supervisor, the program and wandb-core, as far as they run."""
    found: dict[str, psutil.Process] = {}
    roots = [psutil.Process(workflow.pid)]
    roots += [each for each in psutil.process_iter() if is_program_of(project, each)]
    for process in [each for root in roots for each in (root, *root.children(recursive=True))]:
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            words = process.cmdline()
            if process.name() == "wandb-core":
                found["core"] = process
            elif words[-1:] and words[-1].startswith("--seed"):
                found["program"] = process
            elif words[1:4] == ["-m", "caduceus", "train"]:
                found["supervisor"] = process
    return found


def kill(name: str, number: int) -> Callable[[Workflow, Project], None]:
    return lambda workflow, project: processes_of(workflow, project)[name].send_signal(number)


def press_ctrl_c(workflow: Workflow, _: Project) -> None:
    """As a terminal does: SIGINT to all processes of the group, which the program isn't in."""
    first = psutil.Process(workflow.pid)
    for process in [first, *first.children(recursive=True)]:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == os.getsid(0):
                process.send_signal(signal.SIGINT)


def kill_all(workflow: Workflow, _: Project) -> None:
    """As a node that dies, but for what was written."""
    tree = [psutil.Process(workflow.pid), *psutil.Process(workflow.pid).children(recursive=True)]
    for process in tree:
        with contextlib.suppress(psutil.Error):
            process.kill()


def fill_disk(workflow: Workflow, project: Project) -> None:
    """Leave no room until the program has noticed."""
    free = shutil.disk_usage(project.path).free
    filler = project.path / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as stream:
        for _ in range(free // 4096 + 1):
            stream.write(bytes(4096))
            stream.flush()
    wait_until_gone(project)
    filler.unlink()


KINDS: dict[str, Callable[[Workflow, Project], None]] = {
    "SIGTERM": kill("program", signal.SIGTERM),
    "SIGINT": kill("program", signal.SIGINT),
    "SIGUSR1": kill("program", signal.SIGUSR1),
    # As the kernel ends a program for want of memory.
    "SIGKILL": kill("program", signal.SIGKILL),
    "wandb-core": kill("core", signal.SIGKILL),
    "supervisor-gently": kill("supervisor", signal.SIGTERM),
    "supervisor": kill("supervisor", signal.SIGKILL),
    "Ctrl-C": press_ctrl_c,
    "everything": kill_all,
    "disk": fill_disk,
}


BY_SNAKEMAKE = ("Ctrl-C", "everything")
FORKING = ("SIGTERM", "SIGINT", "SIGKILL", "wandb-core", "supervisor-gently", "supervisor")


def wait_until_gone(project: Project) -> None:
    """Until the program has ended, be its supervisor alive or not."""
    while programs := [each for each in psutil.process_iter() if is_program_of(project, each)]:
        _, alive = psutil.wait_procs(programs, timeout=1200)
        assert not alive


def is_program_of(project: Project, process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        is_program = any(word.startswith("--seed") for word in process.cmdline()[-1:])
        return is_program and Path(process.cwd()).is_relative_to(project.path.resolve())
    return False


def interrupt(project: Project, kind: str, moments: list[int]) -> None:
    """Interrupt the run once each of these steps has a checkpoint, and let it end.

    An attempt that is interrupted has saved one of its own: it has gone on, not just begun. It
    doesn't go on for long, so that it is still at work however late the interruption comes.
    """
    for step in moments:
        known, workflow = last_checkpoint(project), begin(project, kind)
        wanted = max(step, known + 1)
        hold = project.write(f"holds/{wanted + random.randint(0, 8)}", "")
        until = time.monotonic() + 1200
        while last_checkpoint(project) < wanted:
            assert time.monotonic() < until
            if workflow.poll() is not None:
                finished = end(workflow)
                assert not list(project.path.glob("results/runs/*/train.json")), finished.output
                workflow = begin(project, kind)
            time.sleep(0.02)
        time.sleep(random.uniform(0, 0.15))
        KINDS[kind.removeprefix(FORKED)](workflow, project)
        wait_until_gone(project)
        end(workflow)
        hold.unlink()
    until = time.monotonic() + 1200
    while (ended := end(begin(project, kind))).code:
        assert time.monotonic() < until, ended.output
    project.caduceus("unlock").check()
    project.snakemake("--rerun-incomplete", SHOWN).check()


def check(
    project: Project, undisturbed: dict[str, bytes], interruptions: int, kind: str
) -> list[Any]:
    (run,) = project.runs
    train = json.loads((run / "train.json").read_text())
    attempts = train["attempts"]
    assert len(attempts) == interruptions + 1
    assert all(attempt["resumed_from"] for attempt in attempts[1:])
    starts = {attempt.get("start") for attempt in attempts}
    assert starts == {"forked" if kind.startswith(FORKED) else None}
    got = exported(project)
    assert got.keys() == undisturbed.keys()
    for name in undisturbed:
        assert got[name] == undisturbed[name], name
    assert 0 <= train["compute"]["lost_s"] < train["compute"]["wall_s"]
    return attempts


# Asked to stop twice; from the terminal; ended at once with its supervisor. The others: below.
@pytest.mark.parametrize(
    ("kind", "times"), [("SIGTERM", 2), ("Ctrl-C", 1), (f"{FORKED}supervisor", 1)]
)
def test_an_interrupted_run_exports_the_same(
    walking: Project, undisturbed: dict[str, bytes], kind: str, times: int
) -> None:
    moments = [random.randint(3, 25), random.randint(30, 50)][-times:]
    interrupt(walking, kind, moments)
    check(walking, undisturbed, times, kind)


@pytest.mark.soak
@pytest.mark.parametrize("kind", [*KINDS, *(FORKED + kind for kind in FORKING)])
def test_a_run_interrupted_at_twenty_moments_exports_the_same(
    planned: Project, walking: Project, undisturbed: dict[str, bytes], kind: str
) -> None:
    for _ in range(5):
        moments = sorted(random.sample(range(1, 51, 7), 4))
        interrupt(walking, kind, moments)
        check(walking, undisturbed, 4, kind)
        shutil.rmtree(walking.path / "results")
        shutil.copytree(planned.path / "results", walking.path / "results", symlinks=True)
