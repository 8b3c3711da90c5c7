"""The start-up shim: programs as their authors wrote them, with the real wandb, stay their run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.training import wandb_environment
from caduceus.wandb_log import Segment, find_logs, read_log
from run_files import identity

IDENTITY = identity(
    "toy-0123456789ab",
    name="toy rate=0.1 seed=0",
    tags=("toy", "baseline"),
    notes="What it is.",
    config={"rate": 0.1, "seed": 0},
)


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    folder = tmp_path / "wandb"
    folder.mkdir(exist_ok=True)
    run = tmp_path / "run.json"
    IDENTITY.write(run)
    path = wandb_environment.with_shim(os.environ.get("PYTHONPATH", ""))
    told = wandb_environment.of_run(IDENTITY, folder)
    return os.environ | told | {"CADUCEUS_RUN": str(run), "PYTHONPATH": path} | variables


def start(tmp_path: Path, code: str, **variables: str) -> str:
    program = tmp_path / "program.py"
    program.write_text(code)
    finished = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def logged(tmp_path: Path) -> dict[str, Segment]:
    """What there is of each run, by its id."""
    segments = [read_log(log) for log in find_logs(tmp_path / "wandb")]
    return {segment.run.id: segment for segment in segments if segment.run}


def test_what_a_program_says_about_its_run_is_not_followed_and_said_once(tmp_path: Path) -> None:
    console = start(
        tmp_path,
        "import os, wandb\n"
        "os.environ['WANDB_PROJECT'] = 'other'\n"
        "os.environ['WANDB_MODE'] = 'online'\n"
        "assert wandb.login()\n"
        "run = wandb.init(project='cifar', entity='me', name='best', id='abc', group='g',\n"
        "    dir='elsewhere', mode='online', resume='must', tags=['mine'], notes='n',\n"
        "    config={'rate': 0.5, 'depth': 3})\n"
        "assert wandb.init() is run\n"
        "assert (wandb.config.rate, wandb.config.depth) == (0.1, 3)\n"
        "wandb.log({'loss': 1.0})\n",
    )
    segment = logged(tmp_path)[IDENTITY.id]
    assert segment.run is not None
    for name in ("project", "group", "job_type"):
        assert getattr(segment.run, name) == getattr(IDENTITY, name), name
    assert segment.run.notes == "What it is.\n\nn"
    assert segment.run.name == IDENTITY.name
    assert list(segment.run.tags) == ["toy", "baseline", "mine"]
    assert segment.exit_code == 0
    (line,) = [line for line in console.splitlines() if line.startswith("caduceus:")]
    assert "project='cifar'" in line
    assert "id='abc'" in line
    assert not (tmp_path / "elsewhere").exists()


def test_a_program_that_says_nothing_hears_nothing(tmp_path: Path) -> None:
    console = start(tmp_path, "import wandb; wandb.init(project='tests').log({'loss': 1.0})")
    assert "caduceus" not in console
    assert list(logged(tmp_path)) == [IDENTITY.id]


def test_every_further_run_has_a_number(tmp_path: Path) -> None:
    start(
        tmp_path,
        "import subprocess, sys, wandb\n"
        "for fold in range(2):\n"
        "    run = wandb.init(name=f'fold {fold}', reinit=True)\n"
        "    run.log({'fold': fold})\n"
        "again = wandb.init(id=run.id, resume='must', reinit='finish_previous')\n"
        "again.log({'more': 1})\n"
        "child = 'import wandb; wandb.init(settings=wandb.Settings(run_id=\"x\")).log({})'\n"
        "subprocess.run([sys.executable, '-c', child], check=True)\n",
    )
    runs = logged(tmp_path)
    assert sorted(runs) == [IDENTITY.id, f"{IDENTITY.id}-2", f"{IDENTITY.id}-3"]
    second = runs[f"{IDENTITY.id}-2"]
    assert second.run is not None
    assert second.run.name == "toy rate=0.1 seed=0, fold 1"
    assert second.run.group == "baseline"
    assert second.config["rate"] == 0.1
    assert len(find_logs(tmp_path / "wandb")) == 4


def test_only_the_first_of_several_processes_tracks(tmp_path: Path) -> None:
    program = (
        "import wandb; run = wandb.init(project='p'); run.log({'loss': 1.0}); print(run.disabled)"
    )
    assert "True" in start(tmp_path, program, RANK="1")
    assert "True" in start(tmp_path, program, SLURM_PROCID="3")
    assert logged(tmp_path) == {}
    assert "False" in start(tmp_path, program, RANK="0", SLURM_PROCID="3")
    assert "False" in start(tmp_path, program, RANK="0", TORCHELASTIC_RESTART_COUNT="1")
    assert list(logged(tmp_path)) == [IDENTITY.id]


def test_a_program_may_switch_wandb_off(tmp_path: Path) -> None:
    start(tmp_path, "import wandb; wandb.init(mode='disabled', project='p').log({'loss': 1.0})")
    start(
        tmp_path,
        "import os, wandb\nos.environ['WANDB_MODE'] = 'disabled'\nwandb.init().log({'loss': 1.0})",
    )
    assert logged(tmp_path) == {}


def test_path_and_arguments_are_as_they_are_by_hand(tmp_path: Path) -> None:
    program = "import sys; print(sys.path, sys.argv, 'wandb' in sys.modules, sys.meta_path)"
    (tmp_path / "program.py").write_text(program)
    by_hand = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    under = start(tmp_path, program)
    assert (
        under.partition("'wandb'")[0]
        .partition("] [<")[0]
        .startswith(by_hand.stdout.partition("] ")[0])
    )
    assert " False " in under  # wandb isn't imported for a program that doesn't


def test_a_module_of_the_same_name_still_runs(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "sitecustomize.py").write_text("import builtins; builtins.mine = 'here'")
    path = wandb_environment.with_shim(str(mine))
    assert "here" in start(tmp_path, "print(mine)", PYTHONPATH=path)


@pytest.mark.parametrize("way", ["from wandb import init", "from wandb.sdk.wandb_init import init"])
def test_however_it_is_imported(tmp_path: Path, way: str) -> None:
    start(tmp_path, f"{way}\ninit(project='p', id='x').log({{'loss': 1.0}})")
    assert list(logged(tmp_path)) == [IDENTITY.id]


def test_what_tells_processes_apart_is_written_the_same_twice() -> None:
    """The shim imports nothing of Caduceus."""
    shim = Path(wandb_environment.__file__).with_name("shim") / "caduceus_shim/first_process.py"
    assert f"_RANKS = {json.dumps(wandb_environment.RANKS)}" in shim.read_text().replace(
        "(", "["
    ).replace(")", "]")
