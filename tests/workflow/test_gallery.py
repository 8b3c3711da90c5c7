"""The programs of experiments/gallery, none of which knows of Caduceus."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from projects import REPOSITORY, Project

# What each logs for every epoch (or fold), and the result that is its metric.
LOGGED = {
    "gallery-torch": ("val/loss", 3, "val/accuracy"),
    "gallery-lightning": ("val/loss", 3, "val/accuracy"),
    "gallery-hydra": ("val/loss", 3, "val/accuracy"),
    "gallery-sklearn": ("fold/accuracy", 3, "val/accuracy"),
    "gallery-transformers": ("eval/loss", 5, "eval/accuracy"),
}


@pytest.mark.parametrize(
    "chosen", [["gallery-torch", "gallery-hydra"], pytest.param([*LOGGED], marks=pytest.mark.soak)]
)
def test_each_program_of_the_gallery_is_tracked_as_it_is(tmp_path: Path, chosen: list[str]) -> None:
    shutil.copytree(
        REPOSITORY / "experiments/gallery",
        tmp_path / "gallery",
        ignore=shutil.ignore_patterns("results", ".snakemake", "__pycache__"),
    )
    gallery = Project(tmp_path / "gallery")
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
