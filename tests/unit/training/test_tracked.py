"""How a program that ended well was tracked."""

import json
from pathlib import Path

import pytest
from caduceus.runs.folder import RunFolder
from caduceus.training.tracked import record_tracking
from run_files import attempt


@pytest.mark.parametrize(
    ("modules", "reason"),
    [(["json"], "no process with "), (["json", "wandb"], "wandb.init wasn't called by a process")],
)
def test_a_program_without_wandb_is_told_so(
    tmp_path: Path, modules: list[str], reason: str
) -> None:
    folder = RunFolder(tmp_path / "results/runs/a")
    folder.used(1).mkdir(parents=True)
    note = {"packages": modules, "python": "3.11", "search_path": []}
    (folder.used(1) / "1.jsonl").write_text(json.dumps(note) + "\n")
    ended = record_tracking(folder, attempt(), "fit.py")
    assert ended.state == "finished"
    assert (ended.untracked or "").startswith(reason)
