"""Which runs are sent."""

from pathlib import Path

import pytest
from caduceus.runs.folder import RunFolder
from caduceus.server.uploader import split_by_state
from run_files import identity, train


@pytest.mark.parametrize("file", ["train.json", "run.json"])
def test_a_damaged_run_keeps_no_other_back(tmp_path: Path, file: str) -> None:
    folders = [RunFolder(tmp_path / "runs" / name) for name in ("a", "b")]
    for folder in folders:
        train(folder.path.name).write(folder.train_json)
        identity(folder.path.name).write(folder.run_json)
        (folder.path / "upload.json").write_text("{}")
    (folders[0].path / file).write_text("{")
    split = split_by_state(folders)
    assert split.ended == folders[1:]
    assert split.running == []
    [line] = split.damaged
    assert line.startswith(f"{folders[0].path / file}: not JSON")
