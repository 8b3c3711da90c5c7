"""Experiments that extend a base file: what reruns, and what stands in the archive."""

import zipfile

from projects import Project

BASE = "type: baseline\nhypothesis: h\nprogram: experiments/train.py\nmatrix: {rate: [0.1]}\n"


def test_an_edit_of_a_base_makes_new_runs_and_an_archive_contains_it(project: Project) -> None:
    project.write("experiments/base.yaml", BASE)
    project.write("experiments/own.yaml", "extends: experiments/base.yaml\nid: own\nseeds: [0]\n")
    project.change("config.yaml", experiments="experiments/o*.yaml", paper="none")
    project.snakemake().check()
    project.snakemake("archive").check()
    [first] = project.runs
    copy = (first / "work/experiment.yaml").read_text()
    project.write("experiments/base.yaml", f"# a note\n{BASE}")
    again = project.planned()
    project.write("experiments/base.yaml", BASE.replace("0.1", "0.2"))
    edited = project.planned()

    assert "  rate: [0.1] # experiments/base.yaml:4\n" in copy
    assert again["train"] == 0
    assert edited["train"] == 1
    [archive] = project.path.glob("results/archive/*.zip")
    assert any(
        name.endswith("experiments/base.yaml") for name in zipfile.ZipFile(archive).namelist()
    )
