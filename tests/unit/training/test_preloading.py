"""What a program imported, as its next run is to find it."""

import json
from pathlib import Path

import pytest
from caduceus.runs.folder import RunFolder
from caduceus.runs.preloads import AUTO, VARIABLE, ImportedModules, Preloads
from caduceus.training.preloading import recording_variables, remember_imports
from run_files import identity


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    found = RunFolder(tmp_path / "results/runs/toy-0123456789ab")
    found.used(1).mkdir(parents=True)
    identity("toy-0123456789ab", experiment="toy").write(found.run_json)
    monkeypatch.setenv(VARIABLE, Preloads(1, {"toy": AUTO}).variable)
    return found


def remembered(folder: RunFolder, *modules: str) -> tuple[str, ...]:
    notes = folder.used(1) / "7-0.jsonl"
    notes.write_text(json.dumps({"modules": modules}) + '\n{"modules": ["cut')
    remember_imports(folder, 1, "experiments/train.py")
    path = ImportedModules.path(folder.results, "experiments/train.py")
    return ImportedModules.read(path).modules


def test_the_list_keeps_its_order_and_grows(folder: RunFolder) -> None:
    """Each other list would start another server."""
    assert remembered(folder, "numpy", "torch") == ("numpy", "torch")
    assert remembered(folder, "torch", "numpy") == ("numpy", "torch")
    assert remembered(folder, "torch") == ("numpy", "torch")
    assert remembered(folder, "wandb", "torch") == ("numpy", "torch", "wandb")


def test_nothing_is_recorded_without_auto(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recording_variables(folder)
    monkeypatch.setenv(VARIABLE, Preloads(1, {"toy": ("numpy",)}).variable)
    assert recording_variables(folder) == {}
    remember_imports(folder, 1, "experiments/train.py")
    assert not (folder.results / "preload").exists()
