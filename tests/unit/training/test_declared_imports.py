"""The modules that a program's code says it imports first."""

from pathlib import Path

from caduceus.training.declared_imports import declared_imports

PROGRAM = """
import json, psutil
import first.inner as inner
from numpy.linalg import norm
try:
    import pandas
except ImportError:
    import yaml
def late():
    import jsonschema
from . import torch  # an error, which Python reports
import numpy, not_installed
"""


def test_imports_outside_of_blocks_are_listed_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    program = tmp_path / "programs/train.py"
    program.write_text(PROGRAM)
    (tmp_path / "first").mkdir()
    (tmp_path / "first/__init__.py").write_text("import rich.text")
    (tmp_path / "first/inner.py").write_text("from .other import VALUE\nfrom first import other")
    (tmp_path / "first/other.py").write_text("import matplotlib\nimport broken, first.inner")
    (tmp_path / "programs/broken.py").write_text("import wandb\nx = (")
    assert declared_imports(program, tmp_path) == (
        *("psutil", "rich.text", "matplotlib", "numpy.linalg", "numpy"),
    )
    assert declared_imports(tmp_path / "missing.py", tmp_path) == ()


def test_a_program_that_starts_a_run_imports_the_rest_of_wandb_later(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text("import wandb\nprint(wandb.__version__)")
    assert declared_imports(program, tmp_path) == ("wandb",)
    program.write_text("import wandb\nwandb.init()")
    assert declared_imports(program, tmp_path)[0] == "wandb"
    assert all(name.startswith("wandb") for name in declared_imports(program, tmp_path))
    assert len(declared_imports(program, tmp_path)) == 2
