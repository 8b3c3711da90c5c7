"""The programs of experiments/gallery, none of which knows of Caduceus."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from caduceus.exports.equality import differences
from projects import EXPORTS, REPOSITORY, Project

# What each logs for every epoch (or fold), and the result that is its metric.
LOGGED = {
    "gallery-torch": ("val/loss", 3, "val/accuracy"),
    "gallery-lightning": ("val/loss", 3, "val/accuracy"),
    "gallery-hydra": ("val/loss", 3, "val/accuracy"),
    "gallery-sklearn": ("fold/accuracy", 3, "val/accuracy"),
    "gallery-transformers": ("eval/loss", 5, "eval/accuracy"),
}

PRELOADED = {
    "gallery-torch": ["torch", "torch._dynamo", "sklearn.datasets", "wandb"],
    "gallery-lightning": ["lightning", "wandb"],
    "gallery-hydra": ["hydra", "torch", "sklearn.datasets", "wandb"],
    "gallery-sklearn": ["sklearn.datasets", "wandb"],
}  # not gallery-transformers, which logs its own speed


def copy_gallery(folder: Path) -> Project:
    shutil.copytree(
        REPOSITORY / "experiments/gallery",
        folder,
        ignore=shutil.ignore_patterns("results", ".snakemake", "__pycache__"),
    )
    return Project(folder)


@pytest.mark.parametrize(
    # Torch and lightning are in test_kinds.py too.
    "chosen",
    [["gallery-hydra"], pytest.param([*LOGGED], marks=pytest.mark.soak)],
)
def test_each_program_of_the_gallery_is_tracked_as_it_is(tmp_path: Path, chosen: list[str]) -> None:
    gallery = copy_gallery(tmp_path / "gallery")
    experiments = []
    for path in gallery.path.glob("*.yaml"):
        spec = yaml.safe_load(path.read_text())
        if spec.get("id") in chosen:
            experiments.append(path.name)
            # The first variant is enough here.
            gallery.change(path.name, matrix={k: v[:1] for k, v in spec["matrix"].items()})
    gallery.change("config.yaml", experiments=sorted(experiments))
    if len(chosen) < len(LOGGED):  # the table has a metric of each
        gallery.change("config.yaml", paper={})
    gallery.snakemake().check()

    summaries = [json.loads((run / "run_summary.json").read_text()) for run in gallery.runs]
    assert {summary["experiment"] for summary in summaries} == set(chosen)
    for run, summary in zip(gallery.runs, summaries, strict=True):
        metric, times, result = LOGGED[summary["experiment"]]
        assert summary["project"] == "gallery"
        assert summary["name"].startswith(summary["experiment"])
        assert summary["config"]["experiment"] == summary["experiment"]
        assert summary["summary"][result] > 0.3
        with (run / "metrics_history.csv").open() as stream:
            rows = [row for row in csv.DictReader(stream) if row[metric]]
        assert len(rows) == times
    config = next(s["config"] for s in summaries if s["experiment"] == "gallery-hydra")
    assert config["optimizer"] == {"lr": 0.01, "alpha": 0.0001}


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux")
@pytest.mark.usefixtures("fresh_programs")  # where they preload nothing
@pytest.mark.parametrize("name", PRELOADED)
def test_a_program_forked_from_preloaded_modules_exports_the_same(
    tmp_path: Path, name: str
) -> None:
    gallery = copy_gallery(tmp_path / "gallery")
    [path] = [
        path.name for path in gallery.path.glob("*.yaml") if f"id: {name}\n" in path.read_text()
    ]
    spec = yaml.safe_load((gallery.path / path).read_text())
    gallery.change(path, matrix={k: v[:1] for k, v in spec["matrix"].items()}, seeds=[0, 1])
    gallery.change("config.yaml", experiments=[path], paper={})
    found = []
    for modules in ([], PRELOADED[name]):
        gallery.change(path, preload=modules)
        gallery.snakemake(*EXPORTS).check()
        starts = [gallery.read_json(f"{run}/train.json")["attempts"][0] for run in gallery.runs]
        assert {attempt.get("start") for attempt in starts} == {"forked" if modules else None}
        found.append((tmp_path / str(len(found)), [attempt["usage"] for attempt in starts]))
        shutil.move(gallery.path / "results", found[-1][0])
    (fresh, used), (forked, used_forked) = found
    assert used == used_forked
    for run in (fresh / "runs").iterdir():
        lines = differences(forked / "runs" / run.name, run, with_times=False)
        # The experiment's file, in which only `preload` differs.
        assert [line for line in lines if "spec-gallery" not in line] == []
