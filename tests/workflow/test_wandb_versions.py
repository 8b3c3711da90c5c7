"""Programs under other versions of wandb, and Caduceus itself under another; with a network."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from caduceus.exports.equality import differences
from caduceus.system import wandb_private
from online import account
from program_runs import RUN, logged, start
from projects import ONE_RUN, Project
from wandb_server import WandbServer

PROGRAMS = ("0.16.6", "0.18.7", "0.20.1", "0.22.3", "0.25.1", "0.28.0", "0.30.0", "0.31.0")
STOPPED = """\
import os, signal, sys, wandb
run = wandb.init(config={"own": {"a": 1}})
assert wandb.__version__ == %r, wandb.__version__
run.config.update({"batch_size": 32}, allow_val_change=True)
for step in range(31):
    run.log({"loss": step / 3, "nested": {"a": step}, "nan": float("nan")}, step=step)
run.log({"late": 1}, step=3)
if sys.argv[1:] == ["stop"]:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
run.finish()
"""


@pytest.fixture(scope="session")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Makes environments on demand; kept over runs where CADUCEUS_TEST_VENVS names a folder."""
    kept = os.environ.get("CADUCEUS_TEST_VENVS")
    return {"folder": kept or str(tmp_path_factory.mktemp("venvs"))}


def python_with(pythons: dict[str, str], version: str) -> str:
    """The Python of an environment that has nothing but this wandb and what that needs."""
    folder = Path(pythons["folder"], version)
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        packages = [f"wandb=={version}", "numpy<2", "setuptools<80"]  # what old versions take
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    return str(python)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["ends", "stop"])
@pytest.mark.parametrize("version", PROGRAMS)
def test_a_program_keeps_its_rows(
    tmp_path: Path, pythons: dict[str, str], version: str, how: str
) -> None:
    done = start(tmp_path, STOPPED % version, python_with(pythons, version), arguments=[how])
    assert done.returncode == (0 if how == "ends" else -signal.SIGTERM), done.stderr
    segment = logged(tmp_path)[RUN]
    assert [int(row["_step"]) for row in segment.history] == list(range(31))
    assert [json.loads(row["loss"]) for row in segment.history] == [n / 3 for n in range(31)]
    assert {row["nan"] for row in segment.history} == {"NaN"}
    assert segment.config["batch_size"] == 32 and segment.config["own"] == {"a": 1}
    assert segment.exit_code == (0 if how == "ends" else 143)
    (dropped,) = (tmp_path / "results/runs" / RUN / "wandb").glob("dropped-rows-*.jsonl")
    assert json.loads(dropped.read_text())["names"] == ["late"]
    is_older = tuple(map(int, version.split(".")[:2])) < (0, 31)
    assert done.stderr.count("before 0.31: kill -9") == is_older
    assert "lacks" not in done.stderr


@pytest.fixture(params=["0.30.0"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The Python of an environment with this project and another wandb than this one."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    pip = [sys.executable, "-m", "pip", "-q", f"--python={environment}/bin/python", "install"]
    repository = Path(__file__).parents[2]
    build = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(tmp_path / "wheel"), str(repository)], check=True)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    subprocess.run([*pip, "--no-deps", str(wheel), f"wandb=={request.param}"], check=True)
    paths = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", vars=paths))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin/python"


@pytest.mark.soak
def test_caduceus_itself_runs_exports_and_syncs_with_it(
    own: Path, project: Project, tmp_path: Path, wandb_server: WandbServer
) -> None:
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.change("config.yaml", paper={})
    variables = account(wandb_server, project) | {"PATH": f"{own.parent}:/usr/bin:/bin"}
    python = str(own)
    code = (
        "import wandb; from caduceus.system import wandb_private as p;"
        "print(p.version(), wandb.__version__, p.missing_features())"
    )
    said = project.run(python, "-c", code, **variables).check().output
    assert said.strip().endswith("0.30.0 0.30.0 []"), said
    assert "0.30" in wandb_private.TESTED

    project.run(python, *project.command("--cores", "2")[1:], **variables).check()
    project.run(python, "-m", "caduceus", "sync", **variables).check()
    (run,) = project.runs
    delivery = project.read_json(f"results/runs/{run.name}/work/delivery.json")
    assert (delivery["state"], delivery["differences"]) == ("delivered", [])
    assert len(wandb_server.runs[0].history) == 5
    before = tmp_path / "before"
    ignored = shutil.ignore_patterns(".snakemake_timestamp")
    shutil.copytree(run, before, symlinks=True, ignore=ignored)
    project.run(python, "-m", "caduceus", "export-run", "--out", f"{run}/manifest.json").check()
    assert differences(before, run) == []
