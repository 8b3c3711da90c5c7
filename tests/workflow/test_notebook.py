"""The notebook of the documentation runs on a project's exports."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from exported_runs import export_runs
from nbclient import NotebookClient
from projects import REPOSITORY, Project

NOTEBOOK = REPOSITORY / "docs/analysis.ipynb"


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
    if parameters["rate"] == 0.2 and seed == 1:
        return None
    rng = np.random.default_rng((int(10 * parameters["rate"]), seed))
    values = rng.normal(1 - parameters["rate"], 0.01, 4)
    return [{"val/accuracy": float(v), "val/loss": float(1 - v)} for v in values]


@pytest.fixture
def exported(project: Project) -> Path:
    export_runs(project, logged)
    return project.path


def test_the_notebook_runs_and_is_kept_without_its_outputs(exported: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells and not any(cell.outputs or cell.execution_count for cell in cells)
    (exported / "docs").mkdir()
    shutil.copy(NOTEBOOK, exported / "docs")
    NotebookClient(
        notebook, timeout=1200, resources={"metadata": {"path": str(exported / "docs")}}
    ).execute()
    shown = json.dumps([cell.outputs for cell in cells])
    assert "rate=0.1" in shown and "image/png" in shown
