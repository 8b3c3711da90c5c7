"""Artifacts of a type that the configuration doesn't declare are named once for all runs."""

from pathlib import Path

import run_files
from caduceus.overview.artifact_types import undeclared_types


def test_each_undeclared_type_is_one_line(tmp_path: Path) -> None:
    types = {"a": "prose", "b": "prose", "c": "model", "d": "code", "e": "run_table", "f": "z"}
    for run, kind in types.items():
        folder = tmp_path / "runs" / run
        logged = (run_files.artifact(f"of-{run}", kind, {}),)
        run_files.summary(run, artifacts=logged).write(folder / "run_summary.json")
        run_files.identity(run, artifact_types=("model",)).write(folder / "run.json")
    run_files.summary("g", artifacts=logged).write(tmp_path / "runs/g/run_summary.json")  # remote
    plan = tmp_path / "experiments/toy.json"
    run_files.plan(dict.fromkeys([*types, "g"])).write(plan)
    where = "describe the type under wandb.artifact_types in config.yaml"
    assert undeclared_types([plan]) == [
        f"undeclared: 2 runs logged artifacts of type 'prose', such as of-a; {where}",
        f"undeclared: 1 run logged artifacts of type 'z', such as of-f; {where}",
    ]
