"""What becomes of a run when its W&B server fails: the table in workflow/ONLINE.md.

Each row is one run, trained and delivered by the commands of the workflow while a fault is on, and
brought to the server by `caduceus sync` once it is over.
"""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from caduceus.wandb_log import find_logs, read_log
from projects import REPOSITORY, Project, end, wait_for
from wandb_server import WandbServer

PAGE = REPOSITORY / "workflow/ONLINE.md"
ROWS = 12
PROGRAM = f"""
import os, time, wandb
from pathlib import Path

run = wandb.init()
output = Path(os.environ["CADUCEUS_OUTPUT_DIR"])
(output / "begun").write_text("")
for step in range({ROWS}):
    run.log({{"loss": 1 / (step + 1), "text": str(step)}})
    while step == 3 and not (output / "go").exists():
        time.sleep(0.05)
(output / "model.txt").write_text("weights")
model = wandb.Artifact("mine", "model")
model.add_file(str(output / "model.txt"))
run.log_artifact(model)
(output / "logged").write_text("")
while not (output / "end").exists():
    time.sleep(0.05)
run.finish()
"""
FAULTS: dict[str, dict[str, Any]] = {
    **{f"status {code}": {"status": code} for code in (401, 403, 404, 409, 429, 500)},
    "dropped before": {"drop": True},
    "dropped after": {"drop": "after"},
    "server gone": {},
}
# What is hit at each moment.
REQUESTS = {
    "init": "UpsertBucket",
    "mid-run": "file_stream",
    "finish": "",
    "upload": "Artifact|/storage/",
    "sync": "file_stream",
}
HEAD = "| fault | when | train | rows logged | sync meanwhile | sync later | rows there | doubled |"


@dataclass(frozen=True)
class Outcome:
    """What a user sees, and what the server holds in the end. Exit statuses and rows."""

    fault: str
    moment: str
    train: int
    logged: int
    meanwhile: int
    later: int
    there: int
    doubled: int

    def __str__(self) -> str:
        values = (self.fault, self.moment, self.train, self.logged, self.meanwhile, self.later)
        return "| " + " | ".join(map(str, (*values, self.there, self.doubled))) + " |"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one run that is ready to be trained."""
    project = Project.create(tmp_path_factory.mktemp("planned") / "project")
    project.change("experiments/toy.yaml", seeds=[0], matrix={"rate": [0.1]})
    project.write("experiments/train.py", PROGRAM)
    project.snakemake("--until", "plan_run", "init_run", "make_dataset").check()
    return project


def outcome_of(planned: Project, folder: Path, fault: str, moment: str) -> Outcome:
    """Let a fault happen to a run."""
    shutil.copytree(planned.path, folder / "project", symlinks=True)
    project = Project(folder / "project")
    (run,) = project.runs
    identity = project.read_json(f"results/runs/{run.name}/run.json")
    identity |= {"mode": "offline" if moment == "sync" else "online", "patience_s": 2}
    (run / "run.json").write_text(json.dumps(identity))
    with WandbServer() as server:
        variables = account(server, folder) | {"WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "0.5"}

        def command(*words: str) -> "subprocess.Popen[str]":
            return project.begin(sys.executable, "-m", "caduceus", *words, **variables)

        def strike() -> None:
            if fault == "server gone":
                server.stop()
            else:
                server.fail(REQUESTS[moment], **FAULTS[fault])

        dataset = "results/datasets/points/dataset.json"
        if moment in ("init", "upload"):
            strike()
        training = command("train", dataset, "--out", str(run / "train.json"), "--log", "train.log")
        output = run / "work/output"
        if moment == "mid-run":
            wait_for(lambda: any(len(stored.history) >= 3 for stored in server.runs))
            strike()
        elif moment == "init":
            wait_for(lambda: training.poll() is not None or (output / "begun").exists())
            if fault != "server gone":  # else no request arrives
                struck = REQUESTS[moment]
                wait_for(lambda: any(struck in request for request in server.requests))
        if training.poll() is None:
            wait_for((output / "begun").exists)
            (output / "go").write_text("")
            wait_for(lambda: training.poll() is not None or (output / "logged").exists())
        if moment == "finish":
            strike()
        if training.poll() is None:
            (output / "end").write_text("")
        train_exit = finished(training)
        if train_exit == 0:
            finished(command("upload-artifacts", dataset, "--out", str(run / "upload.json")))
        if moment == "sync":
            strike()
        meanwhile = finished(command("sync", "--patience", "2"))
        server.start()
        server.heal()
        later = finished(command("sync"))
        rows = len(server.runs[0].history) if server.runs else 0
        assert server.problems == []
        return Outcome(
            fault=fault,
            moment=moment,
            train=train_exit,
            logged=sum(len(read_log(log).history) for log in find_logs(run / "work/wandb")),
            meanwhile=meanwhile,
            later=later,
            there=rows,
            doubled=len(server.doubled),
        )


def account(server: WandbServer, folder: Path) -> dict[str, str]:
    """The environment of a user who is logged in."""
    variables = server.environment(folder / "home")
    return {name: value for name, value in variables.items() if name != "PATH"}


def finished(process: "subprocess.Popen[str]") -> int:
    done = end(process)
    assert "Traceback" not in done.output, done.output
    return done.code


def nothing_is_lost(outcome: Outcome) -> bool:
    return (outcome.there, outcome.doubled, outcome.later) == (outcome.logged, 0, 0)


def documented() -> list[str]:
    lines = PAGE.read_text().partition(HEAD)[2].splitlines()
    return [line for line in lines[2:] if line.startswith("| ")]


@pytest.mark.parametrize(
    ("fault", "moment"),
    [("status 403", "mid-run"), ("server gone", "finish")],  # all are in the table below
)
def test_a_failing_server_costs_no_row(
    planned: Project, tmp_path: Path, fault: str, moment: str
) -> None:
    outcome = outcome_of(planned, tmp_path, fault, moment)
    assert nothing_is_lost(outcome)
    assert str(outcome) in documented()


@pytest.mark.soak
def test_the_table_of_faults(planned: Project, tmp_path: Path) -> None:
    cases = [(fault, moment) for moment in REQUESTS for fault in FAULTS]

    def measure(case: tuple[str, str]) -> Outcome:
        return outcome_of(planned, tmp_path / "-".join(case).replace(" ", "-"), *case)

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(measure, cases))
    print("\n".join([HEAD, *map(str, outcomes)]))
    assert [outcome for outcome in outcomes if not nothing_is_lost(outcome)] == []
    assert list(map(str, outcomes)) == documented()
