"""Programs of each kind, as strangers write them, run by the experiments of their page."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pages import blocks
from projects import EXPORTS, REPOSITORY, Project

pytestmark = pytest.mark.usefixtures("fresh_programs")

PAGE = REPOSITORY / "docs/how_to/kinds.md"
PROGRAMS = REPOSITORY / "tests/workflow/gallery"
TWO_SEEDS = "tyro"  # the others have one where time counts

Rows = Callable[[Any], list[float]]  # a column, of a run's configuration


@dataclass(frozen=True)
class Kind:
    """What each run of an experiment must export."""

    columns: Mapping[str, Rows]
    config: Mapping[str, Any]  # beside the experiment's parameters: what the program reports
    code: set[str]
    further: Mapping[str, Rows] = field(default_factory=dict)  # the columns of the run RUN-2


def by_epoch(value: Callable[[int, Any], float], count: int = 3) -> Rows:
    return lambda config: [value(n, config) for n in range(count)]


COUNT = by_epoch(lambda n, config: n)
KINDS = {
    "nanogpt": Kind(
        {
            "iter": by_epoch(lambda n, config: n, 4),
            "train/loss": by_epoch(lambda n, config: 1 / (n + 1), 4),
            "val/loss": by_epoch(lambda n, config: 1 / (n + 1) + config["learning_rate"], 4),
            "lr": by_epoch(lambda n, config: config["learning_rate"], 4),
        },
        {"max_iters": 4, "decay_lr": False, "wandb_log": True},
        {"train.py", "configurator.py", "config/tiny.py"},
    ),
    "tyro": Kind(
        {
            "epoch": COUNT,
            "val/loss": by_epoch(lambda n, config: 1 / (n + 1) + 0.1 + config["seed"] / 1000),
            "amp": by_epoch(lambda n, config: 1),
        },
        {"optimizer": {"lr": 0.1, "weight_decay": 0}, "num_epochs": 3},
        {"with_tyro.py"},
    ),
    "hf": Kind(
        {
            "train/global_step": by_epoch(lambda n, config: 10 * (n + 1)),
            "eval/loss": by_epoch(lambda n, config: 1 / (n + 1) + 0.1 + config["seed"] / 1000),
        },
        {"num_train_epochs": 3, "lora_targets": []},
        {"with_hf_parser.py"},
    ),
    "lightning-cli": Kind({}, {"lr": 0.05}, {"with_lightning_cli.py"}),
    "torchrun": Kind(
        {
            "step": COUNT,
            "train/loss": by_epoch(lambda n, config: 1 + 2 * (0.5 / (n + 1) + config["seed"])),
        },
        {"world_size": 2},
        {"with_torchrun.py"},
    ),
    "notebook": Kind(
        {
            "epoch": COUNT,
            "val/loss": by_epoch(lambda n, config: 0.5 / (n + 1) + config["seed"]),
        },
        {},
        {"notebooks/two_phases.ipynb"},
        {
            "epoch": by_epoch(lambda n, config: n, 2),
            "val/loss": by_epoch(lambda n, config: 0.05 + config["seed"], 2),
        },
    ),
    "shell": Kind(
        {"x": COUNT, "val/loss": by_epoch(lambda n, config: n + config["seed"])},
        {},
        {"run.sh", "scripts/make_points.py", "scripts/fit_points.py"},
    ),
    "src": Kind(
        {
            "epoch": COUNT,
            "val/loss": by_epoch(
                lambda n, config: (
                    (1 - n / 4 if config["model"] == "linear" else 1 / (n + 1))
                    + config["seed"] / 1000
                )
            ),
        },
        {},
        {
            "scripts/train_digits.py",
            *(
                f"src/digits/{name}.py"
                for name in ("__init__", "training", "models/__init__", "models/linear")
            ),
            "src/digits/models/mlp.py",
        },
    ),
}


def exported(run: Path) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The summary of a run, and what it has logged by column, but for W&B's own columns."""
    with (run / "metrics_history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in rows[0] if not name.startswith("_")] if rows else []
    columns = {name: [float(row[name]) for row in rows if row[name]] for name in names}
    return json.loads((run / "run_summary.json").read_text()), columns


def values(columns: Mapping[str, Rows], config: Any) -> dict[str, Any]:
    return {name: pytest.approx(of(config), rel=1e-6) for name, of in columns.items()}


def write_experiments(project: Project, is_whole: bool) -> dict[str, dict[str, Any]]:
    """Write the experiments of the page, and return them by id."""
    experiments = {}
    for block in filter(lambda block: block.file, blocks(PAGE)):
        project.write(block.file, block.text)
        spec = yaml.safe_load(block.text)
        if not is_whole and spec["id"] != TWO_SEEDS and "seeds" in spec:
            spec["seeds"] = spec["seeds"][:1]
            project.change(block.file, seeds=spec["seeds"])
        experiments[spec["id"]] = spec
    return experiments


def check(run: Path, spec: dict[str, Any]) -> None:
    """See that a run's export is what its program did, and nothing else."""
    kind, (summary, columns) = KINDS[spec["id"]], exported(run)
    config = summary["config"]
    assert (summary["state"], summary["project"]) == ("finished", "kinds")
    assert kind.config.items() <= config.items()
    assert spec.get("parameters", {}).items() <= config.items()
    assert summary["seed"] == config.get("seed", 0)
    if kind.columns:
        assert columns == values(kind.columns, config)
    further = [path.name for path in (run / "further").glob("*")]
    assert further == ([f"{run.name}-2"] if kind.further else [])
    for nested in further:
        assert exported(run / "further" / nested)[1] == values(kind.further, config)
    code = run / f"artifacts/code-{spec['id']}"
    files = {path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()}
    assert files == kind.code
    for name in files:
        assert (code / name).read_bytes() == (PROGRAMS / name).read_bytes()


@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_program_of_each_kind_runs_as_it_is(tmp_path: Path, is_whole: bool) -> None:
    shutil.copytree(PROGRAMS, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(tmp_path / "project")
    experiments = write_experiments(project, is_whole)
    assert set(experiments) == set(KINDS)
    files = [f"experiments/{name}.yaml" for name in experiments]
    config = {"experiments": files, "wandb": {"project": "kinds"}}
    settings = project.write_yaml("config.yaml", config).read_text()
    said = project.snakemake(*EXPORTS).check().output
    assert "aren't counted as its code" not in said

    runs = {name: [*project.path.glob(f"results/runs/{name}-*")] for name in experiments}
    for name, spec in experiments.items():
        variants = len(next(iter(spec.get("matrix", {"none": [None]}).values())))
        assert len(runs[name]) == variants * len(spec.get("seeds", [None]))
        for run in runs[name]:
            check(run, spec)
    for run in runs["lightning-cli"]:
        summary, columns = exported(run)
        assert columns["val/loss"][-1] < columns["val/loss"][0]
        # Its own config.yaml, which doesn't overwrite the project's.
        saved = yaml.safe_load((run / "work/code/config.yaml").read_text())
        assert (saved["seed_everything"], saved["model"]["lr"]) == (summary["seed"], 0.05)
    assert (project.path / "config.yaml").read_text() == settings
    for run in runs["nanogpt"]:
        assert (run / "output/ckpt.pt").exists()
    for run in runs["notebook"]:
        done = json.loads((run / "output/two_phases.ipynb").read_text())
        assert done["metadata"]["papermill"]["exception"] is None
