"""Programs as their authors wrote them, run by the workflow."""

import csv
import json
import venv
from pathlib import Path

import pytest
import wandb
from online import caduceus
from projects import EXPORTS, ONE_RUN, Project
from wandb_server import WandbServer

pytestmark = pytest.mark.usefixtures("fresh_programs")

FOLDS = """\
import wandb

for fold in range(3):
    run = wandb.init(project="mine", name=f"fold {fold}", reinit=True)
    for step in range(4):
        run.log({"val/accuracy": fold * 10 + step, "val/loss": 1.0})
    run.finish()
"""
ELSEWHERE = """\
import importlib.util
import sys

print(sys.executable, flush=True)
assert importlib.util.find_spec("caduceus") is None
import wandb

wandb.init().log({"val/accuracy": 1.0, "val/loss": 1.0})
"""
OWN_CHECKPOINT = """\
import json
import os
import sys
from pathlib import Path

import wandb

wandb.init(project="mine", id="mine", resume="allow")
saved = Path("state/last.json")
state = json.loads(saved.read_text()) if saved.exists() else {"epoch": 0, "sum": 0.0}
for epoch in range(state["epoch"], 12):
    state = {"epoch": epoch + 1, "sum": state["sum"] + 1 / (epoch + 1)}
    wandb.log({"epoch": epoch, "val/loss": state["sum"], "val/accuracy": epoch / 12})
    if epoch % 3 == 2:
        saved.parent.mkdir(exist_ok=True)
        saved.write_text(json.dumps(state))
    if epoch in (4, 8) and not Path(f"state/{epoch}").exists():
        Path(f"state/{epoch}").touch()
        sys.exit(f"no luck in epoch {epoch}")
"""

TWO_PROCESSES = """\
import torch
import torch.distributed as dist
import wandb

dist.init_process_group("gloo")
run = wandb.init(project="mine", name=f"rank {dist.get_rank()}")
for step in range(4):
    total = torch.tensor([dist.get_rank() + 1.0 + step])
    dist.all_reduce(total)
    run.log({"val/loss": total.item(), "val/accuracy": float(dist.get_rank())})
run.finish()
dist.destroy_process_group()
"""

# argparse takes --seed for --seed_model, as an abbreviation.
ABBREVIATES = """\
import argparse
import os

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--seed_model", type=int, default=42)
parser.add_argument("--out")
options = parser.parse_args()
print(options.out, os.environ["CADUCEUS_SEED"])
with wandb.init() as run:
    run.log({"val/accuracy": options.seed_model, "val/loss": options.rate})
"""


def one_run(project: Project, program: str, *targets: str) -> Path:
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.write("experiments/train.py", program)
    project.change("config.yaml", retries=2)
    project.snakemake(*targets or EXPORTS).check()
    (run,) = project.runs
    return run


def columns(run: Path, *names: str) -> list[tuple[str, ...]]:
    with (run / "metrics_history.csv").open() as stream:
        return [tuple(row[name] for name in names) for row in csv.DictReader(stream)]


def test_each_wandb_init_of_a_program_is_a_run_inside_its_run(
    project: Project, wandb_server: WandbServer
) -> None:
    group = "results/groups/baseline/runs.csv"
    run = one_run(project, FOLDS, group)
    folds = [run, *(run / "further" / f"{run.name}-{n}" for n in (2, 3))]
    for fold, path in enumerate(folds):
        assert columns(path, "_step", "val/accuracy") == [
            (str(step), str(fold * 10 + step)) for step in range(4)
        ]
    summary = json.loads((folds[2] / "run_summary.json").read_text())
    assert summary["run_id"] == f"{run.name}-3"
    assert summary["name"].endswith(", fold 2")
    assert summary["group"] == "baseline"
    assert summary["config"]["rate"] == 0.1
    with (project.path / group).open() as stream:
        assert [row["run"] for row in csv.DictReader(stream)] == [run.name]

    caduceus(project, wandb_server, "sync").check()
    assert sorted(found.name for found in wandb_server.runs) == [path.name for path in folds]
    assert all(len(found.history) == 4 for found in wandb_server.runs)
    assert "3" in caduceus(project, wandb_server, "sync").check().output
    assert project.planned(group) == {}


@pytest.mark.soak  # test_kinds.py starts another program by torchrun
def test_of_the_processes_that_torchrun_starts_the_first_one_tracks(project: Project) -> None:
    launcher = ["${interpreter}", "-m", "torch.distributed.run", "--nproc-per-node=2"]
    project.change("experiments/toy.yaml", command=[*launcher, "${program}", "${args}"])
    run = one_run(project, TWO_PROCESSES)
    assert columns(run, "val/loss", "val/accuracy") == [(str(3 + 2 * n), "0") for n in range(4)]
    assert not (run / "further").exists()


def test_a_program_that_goes_on_by_itself_is_one_history(project: Project) -> None:
    run = one_run(project, OWN_CHECKPOINT)
    attempts = json.loads((run / "train.json").read_text())["attempts"]
    assert [attempt["resumed_from"] for attempt in attempts] == [None, 3, 9]
    assert columns(run, "_step", "epoch") == [(str(n), str(n)) for n in range(12)]
    assert float(columns(run, "val/loss")[-1][0]) == pytest.approx(sum(1 / n for n in range(1, 13)))


def test_a_program_may_run_in_an_environment_without_caduceus(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has wandb, as a program's own environment has, and nothing of ours."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment = tmp_path / "env"
    venv.create(environment, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(f"{Path(wandb.__file__).parents[1]}\n")
    python = str(environment / "bin/python")
    project.change("experiments/toy.yaml", command=[python, "${program}", "${args}"])
    run = one_run(project, ELSEWHERE)
    assert columns(run, "val/loss", "val/accuracy") == [("1", "1")]
    assert (project.path / f"results/logs/train/{run.name}.log").read_text().startswith(python)


def test_a_program_without_wandb_has_a_record(project: Project) -> None:
    run = one_run(project, "print('nothing to see')\n")
    assert (project.path / f"results/logs/train/{run.name}.log").read_text() == "nothing to see\n"
    summary = json.loads((run / "run_summary.json").read_text())
    assert summary["state"] == "finished"
    kinds = {artifact["type"] for artifact in summary["artifacts"]}
    assert kinds == {"experiment-spec", "code"}
    code = run / "artifacts/code-toy/experiments/train.py"
    assert code.read_text() == "print('nothing to see')\n"


def test_a_seed_that_nobody_listed_is_not_passed(project: Project) -> None:
    command = [
        "${interpreter}",
        "${program}",
        "--rate=${param:rate}",
        "--out=${envvar:CADUCEUS_OUTPUT_DIR} ${output_dir}",
    ]
    spec = {"id": "toy", "type": "baseline", "program": "experiments/train.py"}
    exact = {"big": 2**70 + 1, "schedule": {0: 0.1, 1000: 0.01}}
    project.write("experiments/train.py", ABBREVIATES)
    project.write_yaml(
        "experiments/toy.yaml",
        spec | {"parameters": exact, "matrix": {"rate": [0.5]}, "command": command},
    )
    unset = [*command, "--seed_model=${envvar:NOT_SET}"]
    project.write_yaml(
        "experiments/unset.yaml",
        spec | {"id": "unset", "parameters": {"rate": 0.5}, "command": unset},
    )
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/unset.yaml"])
    project.snakemake(*EXPORTS).check()

    run, without = project.runs
    assert columns(run, "val/accuracy", "val/loss") == [("42", "0.5")]
    output = run / "work/output"
    console = (project.path / f"results/logs/train/{run.name}.log").read_text()
    assert f"{output} {output} 0\n" in console
    summary = json.loads((run / "run_summary.json").read_text())
    assert (summary["seed"], summary["config"].get("seed")) == (0, None)
    assert summary["config"]["big"] == 2**70 + 1
    assert summary["config"]["schedule"] == {"0": 0.1, "1000": 0.01}
    train = json.loads((without / "train.json").read_text())
    assert train["error"] == (
        f"results/runs/{without.name}/work/experiment.yaml:11: command: ${{envvar:NOT_SET}}: "
        "NOT_SET isn't set; set it, or change `command`"
    )

    # Its seed listed, the run can't pass for one that had it.
    project.change("experiments/toy.yaml", seeds=[0])
    refused = project.snakemake(*EXPORTS)
    assert f"results/runs/{run.name}: was trained before seeds were listed" in refused.output
