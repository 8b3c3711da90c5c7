"""The tables of the projects that ship with Caduceus, of runs that nobody has trained."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from paper_tables import Made, make_of
from projects import REPOSITORY, Project, read_yaml

# By name: the folder of a project, and the files of its configuration, experiment and paper.
SHIPPED: dict[str, tuple[str, str, str]] = {
    "quick": (".", "experiments/mnist1d_quick.yaml", "config.yaml"),
    "mnist1d": (".", "experiments/mnist1d.yaml", "experiments/mnist1d_paper.yaml"),
    "ucr": ("experiments/ucr", "ucr.yaml", "config.yaml"),
    "classifiers": ("experiments/classifiers", "classifiers.yaml", "paper.yaml"),
    "cartpole": ("experiments/cartpole", "cartpole.yaml", "paper.yaml"),
    "char_lm": ("experiments/char_lm", "char_lm.yaml", "paper.yaml"),
}
_FRACTIONS = ("test/accuracy", *(f"test/accuracy_{at}" for at in ("best", "final", "selected")))
_NOT_SHIPPED = shutil.ignore_patterns("results", ".snakemake", "__pycache__")


def make_shipped(folder: Path, name: str) -> Made:
    """The table of a project that ships, in which values differ by variant and by seed.

    Its metrics are of the last step, as its runs log a single one.
    """
    source, experiment, paper_file = SHIPPED[name]
    parts = ("config.yaml", "experiments") if source == "." else (".",)
    for part in parts:
        path = REPOSITORY / source / part
        if path.is_dir():
            shutil.copytree(path, folder / part, dirs_exist_ok=True, ignore=_NOT_SHIPPED)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)
    project = Project(folder)
    read = read_yaml(folder / paper_file)
    paper = read.get("paper", read)
    [entry] = paper["tables"].values()
    metrics = {
        heading: {"name": metric["name"], "percent": metric.get("percent", False)}
        if isinstance(metric, dict)
        else metric
        for heading, metric in entry["metrics"].items()
    }
    project.change("config.yaml", experiments=[experiment])
    return make_of(project, _logged, entry | {"metrics": metrics}, **paper.get("statistics", {}))


def _logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    place = crc32(repr(sorted(parameters.items())).encode()) % 1000
    value = 0.5 + place / 2500 + np.random.default_rng([place, seed]).normal(0, 0.02)
    fractions = dict.fromkeys(_FRACTIONS, value)
    return [fractions | {"episode/return": 500 * value, "val/loss": 3 * value, "parameters": 12345}]
