"""Files that a program uses though no static search finds them: recorded, and said."""

import hashlib
import json
import os
from typing import Any

import pytest
from caduceus.runs.attempts import read_attempts
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import check_logs
from online import account
from projects import EXPORTS, ONE_RUN, REPOSITORY, Project
from wandb_server import WandbServer

pytestmark = pytest.mark.usefixtures("fresh_programs")

# Imports by a computed name, from a folder that it adds to its path, and reads a file beside it.
PROGRAM = """\
import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, "third/party")
import wandb

part = importlib.import_module("off" + "sets")
settings = (Path(__file__).parent / "settings.txt").read_text()
accuracy = part.OFFSET + float(settings)
Path(os.environ["CADUCEUS_OUTPUT_DIR"], "model.txt").write_text(str(accuracy))
with wandb.init() as run:
    run.log({"val/accuracy": accuracy, "val/loss": 1.0})
"""
FILES = {
    "experiments/train.py": PROGRAM,
    "experiments/settings.txt": "0.25",
    "third/party/offsets.py": "OFFSET = 0.5\n",
}


@pytest.fixture
def computed(project: Project) -> Project:
    """A project whose program uses two files that a static search doesn't find."""
    for name, text in FILES.items():
        project.write(name, text)
    project.change("experiments/toy.yaml", **ONE_RUN)
    return project


def usage(project: Project) -> Any:
    [run] = project.runs
    return project.read_json(f"results/runs/{run.name}/train.json")["attempts"][-1]["usage"]


def test_what_ran_beyond_the_code_is_recorded_and_said(computed: Project) -> None:
    console = computed.snakemake(*EXPORTS).check()

    beyond = ("experiments/settings.txt", "third/party/offsets.py")
    found = usage(computed)["files"]
    assert {name: file["sha256"] for name, file in found.items()} == {
        name: hashlib.sha256(FILES[name].encode()).hexdigest() for name in beyond
    }
    assert usage(computed)["packages"].keys() >= {"wandb"}
    line = (
        "ran or read third/party/offsets.py, experiments/settings.txt, which aren't counted as "
        "its code; add them under `code:`, which then lists all of it"
    )
    [run] = computed.runs
    assert f"\ncaduceus train: {run.name}: {line}\n" in console.output
    log = computed.path / f"results/logs/train/{run.name}.log"
    assert line in log.read_text()


def test_declared_files_are_no_news(computed: Project) -> None:
    computed.change("experiments/toy.yaml", code=["experiments/*.txt", "third/**/*.py"])
    console = computed.snakemake(*EXPORTS).check()

    assert usage(computed)["files"] == {}
    assert "counted as its code" not in console.output


def value(project: Project) -> float:
    table = project.path / "results/paper/tables/accuracy.json"
    [row] = json.loads(table.read_text())["rows"]
    return float(row["cells"]["accuracy"]["value"])


def test_a_run_is_trained_again_if_a_file_that_it_used_has_changed(computed: Project) -> None:
    """Once, from the start, under its id; nothing else makes it stale."""
    computed.write(
        "experiments/train.py",
        PROGRAM + "left = Path('left.txt')\nassert not left.exists()\nleft.touch()\n",
    )
    computed.snakemake("--until", "record_provenance").check()
    assert value(computed) == 0.75
    later = computed.path / "third/party/offsets.py"
    os.utime(later, (later.stat().st_mtime + 10,) * 2)
    computed.write("third/party/offsets.py", "# A half.\nOFFSET = 0.5\n")
    assert "train" not in computed.planned()

    computed.write("third/party/offsets.py", "OFFSET = 0.625\n")
    assert computed.planned()["train"] == 1
    [run] = computed.runs
    reason = "third/party/offsets.py changed since it ran"
    snakefile = ["--", "--snakefile", str(REPOSITORY / "Snakefile")]
    record = f"results/runs/{run.name}/train.json"
    for words in (["status"], ["plan", *snakefile], ["why", record], ["why", "tables/accuracy"]):
        assert reason in computed.caduceus(*words).output
    console = computed.snakemake("--until", "train").check()
    said = f"{run.name} is trained again: third/party/offsets.py changed since it ran"
    assert said in console.output
    check_logs(RunFolder(run), read_attempts(RunFolder(run).attempts))
    computed.snakemake("--until", "record_provenance").check()
    assert value(computed) == 0.875
    assert (run / f"artifacts/model-{run.name}/model.txt").read_text() == "0.875"
    assert "train" not in computed.planned()
    assert computed.runs == [run]


def test_what_a_server_keeps_of_the_run_before_is_said(
    computed: Project, wandb_server: WandbServer
) -> None:
    """A server never replaces a row: it has the old one, the export the new, and both are named."""
    computed.change("config.yaml", wandb={"project": "tests", "mode": "online"}, paper={})
    variables = account(wandb_server, computed)
    computed.snakemake(*EXPORTS, **variables).check()
    computed.write("third/party/offsets.py", "OFFSET = 0.625\n")
    computed.snakemake(*EXPORTS, **variables).check()

    # A second attempt has system metrics of its own, in the places of the first one's.
    wandb_server.problems[:] = [p for p in wandb_server.problems if "wandb-events" not in p]

    (run,) = wandb_server.runs
    assert [row["val/accuracy"] for row in run.history] == [0.75]
    [folder] = computed.runs
    assert "0.875" in (folder / "metrics_history.csv").read_text()
    delivery = computed.read_json(f"results/runs/{folder.name}/work/delivery.json")
    assert any("0.875 here, 0.75 on the server" in line for line in delivery["differences"])
