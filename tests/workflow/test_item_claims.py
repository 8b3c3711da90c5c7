"""A claim by test items in a whole workflow: decided by the files that runs logged, and anew."""

import shutil

from projects import Project

# Predicts so many items of 100 rightly, and fewer if the environment says so.
PROGRAM = """\
import argparse
import os
from pathlib import Path

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--width", type=int)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
right = 100 - round(100 * options.rate) - int(os.environ.get("WRONG", 0))
with wandb.init() as run:
    run.log({"val/accuracy": right / 100})
    lines = [f"{item},{item % 3},{item % 3 if item < right else 9}\\n" for item in range(100)]
    path = Path(os.environ["CADUCEUS_OUTPUT_DIR"], "predictions.csv")
    path.write_text("example,label,prediction\\n" + "".join(lines))
"""


def test_a_claim_by_item_is_decided_anew_when_the_predictions_change(project: Project) -> None:
    project.write("experiments/train.py", PROGRAM)
    project.change("experiments/toy.yaml", seeds=[0])
    claim = {
        "statement": "A lower rate is better on other items too.",
        "by": "item",
        "items": {"file": "predictions.csv"},
        "compare": {"better": {"rate": 0.1}, "worse": {"rate": 0.2}, "metric": "val/accuracy"},
    }
    project.change("config.yaml", paper={"claims": {"lower": claim}})
    project.snakemake().check()

    (found,) = project.read_json("results/paper/claims.json")["claims"]
    assert (found["verdict"], found["items"], found["p"]) == ("supported", 100, 2 / 2**10)
    start = "Over 100 test items and 1 run of each, the mean val/accuracy of rate=0.1 is 0.1 above"
    assert found["reason"].startswith(start)
    assert project.planned() == {}

    better = next(run for run in project.runs if '"rate": 0.1' in (run / "run.json").read_text())
    shutil.rmtree(better)
    again = project.snakemake(WRONG="10").check()
    assert again.jobs["train"] == again.jobs["check_claims"] == 1
    (found,) = project.read_json("results/paper/claims.json")["claims"]
    assert (found["verdict"], found["effect"]) == ("no verdict", 0)
    assert "All test items have the same difference" in found["reason"]
